import { css, html, LitElement, nothing } from 'lit'
import type { Job, SwarmCore } from '../api.ts'
import { describeFailure, type Failure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formatInteger, type MicroCredits, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import type { JobModel } from './job-model.ts'
import './job-view.ts'
import {
  checkMatrixJob,
  estimatePrice,
  MATRIX_FIELDS,
  MATRIX_SKILL,
  type MatrixErrors,
  type MatrixField,
  type MatrixFields,
  type MatrixJob,
  matrixInput,
  SAMPLE
} from './matrix-job.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const EARLIER_MOST = 20

/** Submits jobs: a sample at one click, or one from the form. Nothing is sent that the form refuses. */
export class HirePanel extends LitElement {
  static override properties = {
    swarm: { attribute: false },
    settled: { attribute: false },
    fields: { state: true },
    errors: { state: true },
    failure: { state: true },
    job: { state: true },
    busy: { state: true },
    earlier: { state: true }
  }
  static override styles = [
    base,
    css`
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
        gap: var(--space-4);
        align-items: start;
      }
      .budget {
        grid-column: span 2;
      }
      label {
        display: block;
        margin-bottom: var(--space-1);
        font-size: var(--text-s);
        font-weight: 600;
      }
      input {
        width: 100%;
        min-height: 2.75rem;
        padding: var(--space-2) var(--space-3);
        border: 1px solid var(--line-strong);
        border-radius: calc(var(--radius) - 0.125rem);
        background: var(--card);
        color: var(--ink);
        font: inherit;
      }
      input[aria-invalid='true'] {
        border-color: var(--bad);
        border-width: 2px;
      }
      .invalid {
        color: var(--bad);
        font-size: var(--text-s);
      }
      .visible {
        display: inline-block;
        font-weight: 600;
      }
      form {
        padding-top: var(--space-4);
        border-top: 1px solid var(--line);
      }
    `
  ]

  declare swarm: SwarmCore
  declare settled: MicroCredits
  declare fields: MatrixFields
  declare errors: MatrixErrors
  declare failure: Failure | undefined
  declare job: Job | undefined
  declare busy: boolean
  declare earlier: ReadonlyArray<{ readonly job: Job; readonly model: JobModel }>
  #over: JobModel | undefined

  constructor() {
    super()
    this.settled = 0n
    this.fields = { m: '512', k: '512', n: '512', seed: '1', budget: '' }
    this.errors = {}
    this.busy = false
    this.earlier = []
  }

  protected override render() {
    const { hire } = texts
    return html`
      <div class="stack">
        <section class="card stack" aria-labelledby="title">
          <h2 id="title">${hire.title}</h2>
          <p>${hire.text} <span class="visible">${glyph('eye')} ${hire.visible}</span></p>
          <div class="row">
            <button
              id="run-sample"
              class="primary"
              ?disabled=${this.busy}
              aria-describedby="sample-hint"
              @click=${() => this.#submit(SAMPLE)}
            >
              ${hire.sample}
            </button>
            <span id="sample-hint" class="soft small">${this.busy ? hire.busy : hire.sampleHint}</span>
          </div>
          <form id="job-form" class="stack" novalidate @submit=${this.#onSubmit} @input=${this.#onInput}>
            <div class="fields">${MATRIX_FIELDS.map((field) => this.#renderField(field))}</div>
            <div class="row"><button id="submit-job" ?disabled=${this.busy}>${hire.submit}</button></div>
          </form>
          ${failureNote(this.failure, 'submit-error')}
        </section>
        ${
          this.job === undefined
            ? nothing
            : html`<job-view .job=${this.job} @job-over=${this.#onOver}></job-view>`
        }
        ${this.earlier.length === 0 ? nothing : this.#renderEarlier()}
      </div>
    `
  }

  #renderField(field: MatrixField) {
    const error = this.errors[field]
    const hint = field === 'budget' ? this.#budgetHint() : undefined
    return html`
      <div class=${field}>
        <label for=${field}>${texts.hire.fields[field]}</label>
        <input
          id=${field}
          name=${field}
          inputmode="numeric"
          autocomplete="off"
          .value=${this.fields[field]}
          aria-invalid=${error === undefined ? 'false' : 'true'}
          aria-describedby="${field}-error ${field}-hint"
        />
        <p class="invalid" id="${field}-error">${error}</p>
        <p class="soft small" id="${field}-hint">${hint}</p>
      </div>
    `
  }

  #budgetHint(): string {
    const check = checkMatrixJob({ ...this.fields, budget: '' }, this.settled)
    return 'job' in check
      ? texts.hire.budgetHint(formatInteger(estimatePrice(check.job)))
      : texts.hire.budgetHintNoPrice
  }

  #renderEarlier() {
    const { hire, job } = texts
    return html`
      <section class="card stack" aria-labelledby="earlier-title">
        <h2 id="earlier-title">${hire.earlier}</h2>
        <table id="earlier-jobs">
          <tbody>
            ${this.earlier.map(
              (entry) => html`
                <tr>
                  <td class="mono">${shortId(entry.job.id)}</td>
                  <td>${job.states[entry.model.state]}</td>
                  <td class="number">
                    ${entry.model.receipt === undefined ? '' : `${formatInteger(entry.model.receipt.paid)} µcr`}
                  </td>
                </tr>
              `
            )}
          </tbody>
        </table>
      </section>
    `
  }

  #onInput(event: Event): void {
    if (!(event.target instanceof HTMLInputElement)) return
    this.fields = { ...this.fields, [event.target.name]: event.target.value }
  }

  #onSubmit(event: Event): void {
    event.preventDefault()
    if (this.busy) return
    const check = checkMatrixJob(this.fields, this.settled)
    this.errors = 'errors' in check ? check.errors : {}
    if ('job' in check) this.#submit(check.job)
    else void this.#focusFirstError()
  }

  async #focusFirstError(): Promise<void> {
    await this.updateComplete
    const first = this.renderRoot.querySelector('[aria-invalid="true"]')
    if (first instanceof HTMLElement) first.focus()
  }

  #submit(matrix: MatrixJob): void {
    this.failure = undefined
    try {
      const options = matrix.budget === undefined ? {} : { budget: matrix.budget }
      const job = this.swarm.submit(MATRIX_SKILL, matrixInput(matrix), options)
      this.#archive()
      this.job = job
      this.busy = true
    } catch (error) {
      this.failure = describeFailure(error)
    }
  }

  #archive(): void {
    if (this.job === undefined || this.#over === undefined) return
    this.earlier = [{ job: this.job, model: this.#over }, ...this.earlier].slice(0, EARLIER_MOST)
    this.#over = undefined
  }

  #onOver(event: CustomEvent<JobModel>): void {
    this.#over = event.detail
    this.busy = false
  }
}

customElements.define('hire-panel', HirePanel)
