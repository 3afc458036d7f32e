import { css, html, nothing } from 'lit'
import { PageElement } from './element.ts'
import { EMPTY_LOG, type EventLog, LOG_KINDS, type LogEntry, type LogKind, wordsOf } from './event-log.ts'
import { describeFailure, type Failure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formStyles } from './form-styles.ts'
import { formatClock, formatInteger } from './format.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** Newest entries that are shown; all that is kept is copied. */
const SHOWN = 200

/** What happened at this node, newest first: bounded, to be filtered and copied; text only. */
export class LogPanel extends PageElement {
  static override properties = {
    log: { attribute: false },
    kind: { state: true },
    words: { state: true },
    open: { state: true },
    copied: { state: true },
    failure: { state: true }
  }
  static override styles = [
    base,
    formStyles,
    css`
      .filter {
        display: grid;
        grid-template-columns: minmax(7rem, 10rem) minmax(0, 1fr);
        gap: var(--space-3);
      }
      ol {
        max-height: 22rem;
        overflow: auto;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: 5.5rem minmax(0, 1fr);
        gap: var(--space-3);
        padding: var(--space-1) 0;
        border-bottom: 1px solid var(--line);
        overflow-wrap: anywhere;
      }
    `
  ]

  declare log: EventLog
  declare kind: LogKind | ''
  declare words: string
  declare open: boolean
  declare copied: boolean
  declare failure: Failure | undefined

  constructor() {
    super()
    this.log = EMPTY_LOG
    this.kind = ''
    this.words = ''
    this.open = false
    this.copied = false
  }

  protected override render() {
    const { log } = texts
    return html`
      <details class="card fold" id="log" @toggle=${this.#onToggle}>
        <summary>
          ${log.title} <span class="count">${formatInteger(this.log.entries.length + this.log.dropped)}</span>
        </summary>
        ${this.open ? this.#renderLog() : nothing}
      </details>
    `
  }

  #renderLog() {
    const { log } = texts
    const lines = this.#lines()
    return html`
      <div class="stack">
        <div class="filter">
          <div>
            <label for="log-kind">${log.kind}</label>
            <select id="log-kind" @change=${this.#onKind}>
              ${(['', ...LOG_KINDS] as const).map(
                (kind) =>
                  html`<option value=${kind} .selected=${kind === this.kind}>
                    ${kind === '' ? log.all : log.kinds[kind]}
                  </option>`
              )}
            </select>
          </div>
          <div>
            <label for="log-words">${log.words}</label>
            <input id="log-words" type="search" autocomplete="off" .value=${this.words} @input=${this.#onWords} />
          </div>
        </div>
        ${
          lines.length === 0
            ? html`<p class="soft" id="log-empty">${this.log.entries.length === 0 ? log.empty : log.nothing}</p>`
            : html`
              <ol id="log-lines" class="small" tabindex="0" role="list" aria-label=${log.title}>
                ${lines.slice(0, SHOWN).map(
                  ({ entry, text }) => html`
                    <li data-kind=${entry.event.kind}>
                      <time class="soft" datetime=${new Date(entry.at).toISOString()}>${formatClock(entry.at)}</time>
                      <span>${text}</span>
                    </li>
                  `
                )}
              </ol>
            `
        }
        ${
          this.log.dropped + Math.max(0, lines.length - SHOWN) === 0
            ? nothing
            : html`<p class="soft small">
              ${log.dropped(formatInteger(this.log.dropped + Math.max(0, lines.length - SHOWN)))}
            </p>`
        }
        <div class="row">
          <button id="copy-log" ?disabled=${lines.length === 0} @click=${() => this.#copy()}>${log.copy}</button>
          <span role="status">${this.copied ? texts.learned.copied : ''}</span>
        </div>
        ${failureNote(this.failure, 'log-error')}
      </div>
    `
  }

  /** Newest first, as far as the filter lets them through. */
  #lines(): Array<{ readonly entry: LogEntry; readonly text: string }> {
    const wanted = this.words.trim().toLowerCase()
    return this.log.entries
      .flatMap((entry) => {
        const text = this.kind === '' || entry.event.kind === this.kind ? wordsOf(entry.event) : undefined
        return text?.toLowerCase().includes(wanted) ? [{ entry, text }] : []
      })
      .toReversed()
  }

  #onToggle({ target }: Event): void {
    this.open = target instanceof HTMLDetailsElement && target.open
    this.copied = false
  }

  #onKind({ target }: Event): void {
    const value = target instanceof HTMLSelectElement ? target.value : ''
    this.kind = LOG_KINDS.find((kind) => kind === value) ?? ''
  }

  #onWords({ target }: Event): void {
    this.words = target instanceof HTMLInputElement ? target.value : ''
  }

  async #copy(): Promise<void> {
    this.failure = undefined
    try {
      const lines = this.#lines().map(({ entry, text }) => `${new Date(entry.at).toISOString()} ${text}`)
      await navigator.clipboard.writeText(lines.toReversed().join('\n'))
      this.copied = true
    } catch (error) {
      this.failure = describeFailure(error)
    }
  }
}

customElements.define('log-panel', LogPanel)
