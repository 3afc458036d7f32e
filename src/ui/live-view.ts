import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { SwarmCore, SwarmStatus, UnitPicture } from '../api.ts'
import { breathe } from './breathe.ts'
import type { Desk } from './desk.ts'
import { PageElement } from './element.ts'
import { EMPTY_LOG } from './event-log.ts'
import './hire-panel.ts'
import './learned-panel.ts'
import './log-panel.ts'
import type { NodeCommand } from './node-panel.ts'
import './node-panel.ts'
import { Observer } from './observer.ts'
import './own-panel.ts'
import type { RulesChange } from './pause-rules.ts'
import './peer-table.ts'
import './plots-panel.ts'
import './serve-panel.ts'
import type { Session } from './session.ts'
import { base } from './styles.ts'
import type { Hands } from './swarm-graph.ts'
import { texts } from './texts/index.ts'
import { VIEWS, type View, viewAfter, WIDE } from './views.ts'

/** The running node: contribute, see, hire, own. Its slot `consent` stands in the first of them, `identity` in the last. */
export class LiveView extends PageElement {
  static override properties = {
    session: { attribute: false },
    desk: { attribute: false },
    swarm: { attribute: false },
    status: { attribute: false },
    isBackendAsked: { attribute: false },
    isClockOff: { attribute: false },
    view: { state: true },
    isWide: { state: true },
    isWhole: { state: true }
  }
  static override styles = [
    base,
    css`
      [role='tablist'] {
        position: sticky;
        top: 0;
        z-index: 1;
        display: flex;
        justify-content: space-between;
        gap: var(--space-2);
        margin: 0 calc(-1 * var(--space-4)) var(--space-4);
        padding: 0 var(--space-4);
        border-bottom: 1px solid var(--line);
        background: var(--paper);
      }
      [role='tab'] {
        flex: 1 1 auto;
        padding: var(--space-2) var(--space-1);
        border: 0;
        border-bottom: 3px solid transparent;
        border-radius: 0;
        color: var(--ink-soft);
        text-align: center;
      }
      [role='tab'][aria-selected='true'] {
        border-bottom-color: var(--accent);
        color: var(--accent);
      }
      [role='tab']:focus-visible {
        outline-offset: -2px;
      }
      [hidden] {
        display: none;
      }
      .views {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-4);
        align-items: start;
      }
      .column {
        display: contents;
      }
      @media (min-width: 56rem) {
        .views {
          grid-template-columns: minmax(0, 25rem) minmax(0, 1fr);
          gap: var(--space-5);
        }
      }
      @media (min-width: 56rem) and (max-width: 95.99rem) {
        .column {
          display: grid;
          grid-template-columns: minmax(0, 1fr);
          gap: var(--space-4);
        }
      }
      @media (min-width: 96rem) {
        .views {
          grid-template-columns: minmax(0, 25rem) minmax(0, 1fr) minmax(0, 28rem);
          grid-template-rows: auto 1fr;
        }
        #view-contribute {
          grid-area: 1 / 1 / 3 / 2;
        }
        #view-see {
          grid-area: 1 / 3 / 3 / 4;
        }
        #view-hire {
          grid-area: 1 / 2 / 2 / 3;
        }
        #view-own {
          grid-area: 2 / 2 / 3 / 3;
        }
      }
    `
  ]

  declare session: Session
  /** Tells that something on it has changed. */
  declare desk: Desk
  declare swarm: SwarmCore
  declare status: SwarmStatus
  declare isBackendAsked: boolean
  /** Nothing is to be signed. */
  declare isClockOff: boolean
  declare view: View
  declare isWide: boolean
  /** The first half of it was drawn: all at once would be a long work. */
  declare isWhole: boolean
  #observer: Observer | undefined
  #picture: UnitPicture | undefined
  /** Units served when it was looked at, whether the picture is still of one before, and the sample of that moment. */
  #pictured = 0
  #isBehind = false
  #lookedAt: number | undefined
  readonly #wide = matchMedia(WIDE)
  readonly #onWide = () => {
    this.isWide = this.#wide.matches
  }

  constructor() {
    super()
    this.isBackendAsked = false
    this.isClockOff = false
    this.view = 'contribute'
    this.isWhole = false
    this.isWide = this.#wide.matches
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#wide.addEventListener('change', this.#onWide)
    this.#onWide()
    if (this.hasUpdated) this.#observe()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#wide.removeEventListener('change', this.#onWide)
    this.#observer?.stop()
    this.#observer = undefined
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('swarm')) this.#observe()
  }

  protected override async firstUpdated(): Promise<void> {
    await breathe()
    this.isWhole = true
  }

  #observe(): void {
    this.#observer?.stop()
    this.#pictured = 0
    this.#picture = undefined
    this.#observer = new Observer({ swarm: this.swarm, onChange: () => this.#onObserved() })
  }

  /** The picture is looked at as often as the plots, not at every unit. */
  #onObserved(): void {
    const at = this.#observer?.samples.at(-1)?.at
    const { units } = this.status.work
    if (at !== this.#lookedAt) {
      const before = this.#picture
      this.#isBehind ||= units !== this.#pictured
      if (this.#isBehind) this.#picture = this.swarm.lastPicture?.()
      if (before !== this.#picture) this.#isBehind = false // the node of another tab takes a moment to answer
      this.#pictured = units
    }
    this.#lookedAt = at
    this.requestUpdate()
  }

  protected override render() {
    return html`
      ${this.isWide ? nothing : this.#renderTabs()}
      <div class="views">
        <div class="column">
          ${this.#renderView('contribute', this.#renderContribute())} ${this.#renderView('see', this.#renderSee())}
        </div>
        <div class="column">
          ${this.#renderView(
            'hire',
            this.isWhole &&
              html`
              <hire-panel
                .swarm=${this.swarm}
                .settled=${this.status.balance.settled}
                .isClockOff=${this.isClockOff}
              ></hire-panel>
            `
          )}
          ${this.#renderView('own', this.isWhole && html`<own-panel .swarm=${this.swarm}></own-panel><slot name="identity"></slot>`)}
        </div>
      </div>
    `
  }

  #renderTabs() {
    return html`
      <div role="tablist" aria-label=${texts.views.label} @keydown=${this.#onKey}>
        ${VIEWS.map(
          (view) => html`
            <button
              role="tab"
              id="tab-${view}"
              aria-controls="view-${view}"
              aria-selected=${String(view === this.view)}
              tabindex=${view === this.view ? 0 : -1}
              @click=${() => this.#show(view)}
            >
              ${texts.views[view]}
            </button>
          `
        )}
      </div>
    `
  }

  /** What is not shown stays: forms keep what was typed, plots what they have seen. */
  #renderView(view: View, content: TemplateResult | false) {
    return html`
      <div
        class="stack"
        id="view-${view}"
        role=${this.isWide ? 'region' : 'tabpanel'}
        aria-label=${texts.views[view]}
        ?hidden=${!this.isWide && view !== this.view}
      >
        ${content || nothing}
      </div>
    `
  }

  #renderContribute() {
    const { session, status } = this
    const { mode, power, finishing, resting, rules } = this.session.desk // as it is now: another click may have come since
    return html`
      <node-panel
        .status=${status}
        .mode=${mode}
        .power=${power}
        .finishing=${finishing}
        .resting=${resting}
        .promised=${session.promised}
        .backendAsked=${this.isBackendAsked}
        @command=${(event: CustomEvent<NodeCommand>) => session[event.detail]()}
        @power-change=${(event: CustomEvent<number>) => session.setPower(event.detail)}
      ></node-panel>
      ${
        mode === 'contribute'
          ? html`
            <serve-panel
              .rules=${rules}
              .skills=${this.swarm.skills}
              .work=${status.work}
              .picture=${status.contributing ? this.#picture : undefined}
              @rules-change=${(event: CustomEvent<RulesChange>) => session.changeRules(event.detail)}
            ></serve-panel>
          `
          : html`<slot name="consent"></slot>`
      }
    `
  }

  #renderSee() {
    const { peers, work } = this.status
    const served = new Map((work.now ?? []).map(({ requester, units }) => [requester as string, units]))
    const hands: Hands = { hired: this.#observer?.hired ?? new Map(), served }
    return html`
      <peer-table .peers=${peers} .hands=${hands}></peer-table>
      <plots-panel .samples=${this.#observer?.samples ?? []}></plots-panel>
      <log-panel .log=${this.#observer?.log ?? EMPTY_LOG}></log-panel>
      <learned-panel .swarm=${this.swarm}></learned-panel>
    `
  }

  #show(view: View): void {
    this.view = view
    // A long view may have been left far down.
    if (this.getBoundingClientRect().top < 0) this.scrollIntoView({ block: 'start' })
  }

  async #onKey(event: KeyboardEvent): Promise<void> {
    const next = viewAfter(this.view, event.key)
    if (next === undefined) return
    event.preventDefault()
    this.#show(next)
    await this.updateComplete
    const tab = this.renderRoot.querySelector(`#tab-${next}`)
    if (tab instanceof HTMLElement) tab.focus()
  }
}

customElements.define('live-view', LiveView)
