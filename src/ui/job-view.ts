import { css, html, nothing, type PropertyValues } from 'lit'
import type { Job } from '../api.ts'
import { PageElement } from './element.ts'
import { describeFailure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formatInteger, formatPercent, shortId } from './format.ts'
import {
  applyJobEvent,
  isOver,
  type JobModel,
  logLine,
  NEW_JOB,
  shareDone,
  shouldAnnounce,
  type UnitState
} from './job-model.ts'
import { jobReceipt } from './job-receipt.ts'
import './result-view.ts'
import type { ZoomPrices } from './result-view.ts'
import { skillTitle } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** One job from its events to its receipt. Fires `job-over` (CustomEvent<JobModel>) once. */
export class JobView extends PageElement {
  static override properties = {
    job: { attribute: false },
    model: { state: true },
    zoom: { attribute: false },
    value: { state: true },
    partial: { state: true },
    revision: { state: true },
    cancelling: { state: true },
    announcement: { state: true }
  }
  static override styles = [
    base,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-4);
        justify-content: space-between;
        align-items: baseline;
      }
      progress {
        display: block;
        width: 100%;
        height: 0.75rem;
        accent-color: var(--accent);
      }
      .bar {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 3.5rem;
        gap: var(--space-3);
        align-items: center;
      }
      summary {
        padding: var(--space-1) 0;
        font-weight: 600;
        cursor: pointer;
      }
      ol {
        max-height: 12rem;
        overflow: auto;
        padding-inline-start: 2.75rem;
        color: var(--ink-soft);
        font-size: var(--text-s);
      }
      .units {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(0.875rem, 1fr));
        gap: 2px;
      }
      .units span {
        height: 0.875rem;
        border: 1px solid var(--line);
        border-radius: 2px;
      }
      .units .sent {
        border: 2px solid var(--accent);
      }
      .units .verified {
        border-color: var(--accent);
        background: var(--accent);
      }
    `
  ]

  declare job: Job | undefined
  declare model: JobModel
  /** What a zoom into its picture costs; undefined: it has none. */
  declare zoom: ZoomPrices | undefined
  declare value: unknown
  declare partial: unknown
  declare revision: number
  declare cancelling: boolean
  declare announcement: string
  #said: { state: JobModel['state']; at: number } | undefined

  constructor() {
    super()
    this.model = NEW_JOB
    this.revision = 0
    this.cancelling = false
    this.announcement = ''
  }

  /** Its heading. */
  override focus(options?: FocusOptions): void {
    const title = this.renderRoot.querySelector('#title')
    if (title instanceof HTMLElement) title.focus(options)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('job') || this.job === undefined) return
    this.model = NEW_JOB
    this.value = undefined
    this.partial = undefined
    this.revision = 0
    this.cancelling = false
    void this.#follow(this.job)
  }

  protected override render() {
    const { job, model } = this
    if (job === undefined) return nothing
    const label = texts.job.states[model.state]
    return html`
      <section class="card stack" id="job" data-state=${model.state} aria-labelledby="title">
        <header>
          <h2 id="title" tabindex="-1">${label}</h2>
          <span class="soft small">
            ${skillTitle(job.skill)} <span class="mono">${texts.job.title(shortId(job.id))}</span>
          </span>
        </header>
        <div class="bar">
          <progress
            id="job-progress"
            aria-label=${texts.job.progress}
            max=${Math.max(1, model.of)}
            .value=${model.state === 'done' ? Math.max(1, model.of) : model.done}
          ></progress>
          <span class="number">${formatPercent(shareDone(model))}</span>
        </div>
        <p id="job-status" class="visually-hidden" role="status">${this.announcement}</p>
        ${model.state === 'queued' ? html`<p class="soft" id="job-waits">${texts.job.waits}</p>` : nothing}
        ${isOver(model.state) ? nothing : this.#renderCancel(job)} ${failureNote(model.failure, 'job-error')}
        ${this.#renderUnits()}
        <result-view
          .value=${this.value}
          .partial=${this.partial}
          .revision=${this.revision}
          .jobId=${job.id}
          .zoom=${isOver(model.state) ? this.zoom : undefined}
        ></result-view>
        ${model.receipt === undefined ? nothing : jobReceipt(model.receipt)} ${this.#renderLog()}
      </section>
    `
  }

  #renderCancel(job: Job) {
    return html`
      <div class="row">
        <button id="job-cancel" aria-disabled=${String(this.cancelling)} @click=${() => this.#cancel(job)}>
          ${this.cancelling ? texts.job.cancelling : texts.job.cancel}
        </button>
      </div>
    `
  }

  #renderUnits() {
    const { units, of } = this.model
    const count = (state: UnitState) => formatInteger(units.filter((each) => each === state).length)
    if (units.length < 2 || of > units.length || isOver(this.model.state)) return nothing
    return html`
      <div>
        <div class="units" id="job-units" aria-hidden="true">
          ${units.map((state) => html`<span class=${state}></span>`)}
        </div>
        <p class="soft small">${texts.job.unitStates(count('verified'), count('sent'), count('waiting'))}</p>
      </div>
    `
  }

  #renderLog() {
    const { log, logDropped } = this.model
    return html`
      <details>
        <summary>${texts.job.log} <span class="soft">${formatInteger(log.length + logDropped)}</span></summary>
        ${
          logDropped === 0
            ? nothing
            : html`<p class="soft small">${texts.job.logDropped(formatInteger(logDropped))}</p>`
        }
        <ol id="job-log" start=${logDropped + 1}>
          ${log.map((event) => html`<li>${logLine(event)}</li>`)}
        </ol>
      </details>
    `
  }

  async #follow(job: Job): Promise<void> {
    try {
      for await (const event of job) {
        if (this.job !== job) return
        this.#show(applyJobEvent(this.model, event))
        if (event.type === 'verified') {
          this.partial = job.partial()
          this.revision += 1
        }
      }
      const { value, receipt } = await job.result
      if (this.job !== job) return
      this.#show({ ...this.model, state: 'done', receipt })
      this.value = value
    } catch (error) {
      if (this.job !== job) return
      // A failed or cancelled job has said so in its events already.
      if (this.model.state === 'done') this.#show({ ...this.model, failure: describeFailure(error) })
      else if (!isOver(this.model.state)) {
        this.#show({ ...this.model, state: 'failed', failure: describeFailure(error) })
      }
    } finally {
      if (this.job === job) this.dispatchEvent(new CustomEvent<JobModel>('job-over', { detail: this.model }))
    }
  }

  #show(model: JobModel): void {
    this.model = model
    const now = performance.now()
    if (!shouldAnnounce(this.#said, model, now)) return
    this.#said = { state: model.state, at: now }
    this.announcement = texts.job.status(texts.job.states[model.state], formatPercent(shareDone(model)))
  }

  async #cancel(job: Job): Promise<void> {
    this.cancelling = true
    try {
      await job.cancel()
    } catch (error) {
      if (this.job === job) this.#show({ ...this.model, failure: describeFailure(error) })
    }
    if (this.job === job) this.cancelling = false
  }
}

customElements.define('job-view', JobView)
