import { css, html, nothing, type PropertyValues } from 'lit'
import type { Job, JobReceipt } from '../api.ts'
import { PageElement } from './element.ts'
import { formatAmount, shortId } from './format.ts'
import { skillTitle } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const SHOWN = 20

/** Jobs of this visit and of earlier ones, newest first. Fires `show` (CustomEvent<Job>). */
export class JobList extends PageElement {
  static override properties = {
    jobs: { attribute: false },
    shown: { attribute: false },
    busy: { type: Boolean },
    receipts: { state: true }
  }
  static override styles = [
    base,
    css`
      tbody tr:last-child > td {
        border-bottom: 0;
      }
      td {
        vertical-align: middle;
      }
      button {
        min-height: 2.25rem;
        padding: var(--space-1) var(--space-3);
        white-space: nowrap;
      }
    `
  ]

  declare jobs: readonly Job[]
  /** The one that is shown already. */
  declare shown: Job | undefined
  /** A job runs: nothing else can be shown. */
  declare busy: boolean
  declare receipts: ReadonlyMap<string, JobReceipt>
  readonly #asked = new Set<string>()

  constructor() {
    super()
    this.jobs = []
    this.busy = false
    this.receipts = new Map()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // Without a row it takes no place, not even a gap.
    this.hidden = this.#rows.length === 0
    if (!changed.has('jobs')) return
    for (const job of this.#latest) {
      if (this.#asked.has(job.id)) continue
      this.#asked.add(job.id)
      void this.#learn(job)
    }
  }

  protected override render() {
    const rows = this.#rows
    if (rows.length === 0) return nothing
    const { hire, job } = texts
    return html`
      <section class="card stack" aria-labelledby="title">
        <h2 id="title">${hire.jobs}</h2>
        <table id="earlier-jobs" aria-labelledby="title">
          <tbody>
            ${rows.map((each) => {
              const receipt = this.receipts.get(each.id)
              return html`
                <tr data-job=${each.id} data-state=${each.state}>
                  <td>${skillTitle(each.skill)} <span class="mono soft nowrap">${shortId(each.id)}</span></td>
                  <td class="nowrap">${job.states[each.state]}</td>
                  <td class="number nowrap">${receipt === undefined ? '' : formatAmount(receipt.paid)}</td>
                  <td class="number">
                    <button ?disabled=${this.busy} aria-label=${hire.show(shortId(each.id))} @click=${() => this.#show(each)}>
                      ${hire.open}
                    </button>
                  </td>
                </tr>
              `
            })}
          </tbody>
        </table>
      </section>
    `
  }

  get #rows(): readonly Job[] {
    return this.#latest.filter(({ id }) => id !== this.shown?.id)
  }

  get #latest(): readonly Job[] {
    return this.jobs.slice(-SHOWN).toReversed()
  }

  #show(job: Job): void {
    this.dispatchEvent(new CustomEvent<Job>('show', { detail: job }))
  }

  /** A job that is over tells what is left of it, and ends; one that runs may have been submitted in another tab. */
  async #learn(job: Job): Promise<void> {
    for await (const event of job) {
      if (event.type === 'settled') this.receipts = new Map([...this.receipts, [job.id, event.receipt]])
    }
    this.requestUpdate()
  }
}

customElements.define('job-list', JobList)
