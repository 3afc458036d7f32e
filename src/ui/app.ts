import { css, html, nothing } from 'lit'
import type { SwarmCore, SwarmStatus } from '../api.ts'
import type { Agreement } from './consent-card.ts'
import './consent-card.ts'
import { PageElement } from './element.ts'
import { failureNote } from './failure-note.ts'
import type { NodeCommand } from './node-panel.ts'
import type { ContributeRules } from './pause-rules.ts'
import type { Query } from './query.ts'
import { type Phase, Session, type SessionInit } from './session.ts'
import { base, tokens } from './styles.ts'
import { isLanguage, LANGUAGE_NAMES, language, setLanguage, texts } from './texts/index.ts'

export interface AppInit extends Omit<SessionInit, 'options'> {
  readonly query: Query
  /** Why this browser cannot run a node, or undefined. */
  readonly unsupported: string | undefined
}

/** The page. Set `init` before it is connected; `init.load` also defines the elements of `live.ts`. */
export class SwarmApp extends PageElement {
  static override properties = { init: { attribute: false } }
  static override styles = [
    tokens,
    base,
    css`
      :host {
        min-height: 100vh;
        background: var(--paper);
      }
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
        max-width: 46rem;
        margin: 0 auto;
        padding: var(--space-6) var(--space-5) var(--space-7);
      }
      .page.live {
        max-width: 72rem;
      }
      h1 {
        font-size: var(--text-xxl);
        line-height: 1.15;
        letter-spacing: -0.025em;
      }
      .live h1 {
        font-size: var(--text-xl);
      }
      .top {
        display: flex;
        justify-content: space-between;
        gap: var(--space-4);
        align-items: start;
      }
      .top select {
        min-height: 2.25rem;
        padding: var(--space-1) var(--space-2);
        border: 1px solid var(--line-strong);
        border-radius: calc(var(--radius) - 0.125rem);
        background: var(--card);
        color: var(--ink);
        font: inherit;
      }
      .about {
        max-width: 40rem;
        font-size: var(--text-l);
        line-height: 1.5;
      }
      .live .about {
        font-size: var(--text-m);
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 25rem) minmax(0, 1fr);
        gap: var(--space-5);
        align-items: start;
      }
      .withdraw {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--space-3) var(--space-4);
        align-items: center;
      }
      @media (max-width: 56rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 30rem) {
        .page {
          padding: var(--space-5) var(--space-4) var(--space-6);
        }
        .withdraw {
          grid-template-columns: minmax(0, 1fr);
          justify-items: start;
        }
      }
    `
  ]

  declare init: AppInit
  #session: Session | undefined

  /** Starts nothing but what an earlier consent allows. */
  override connectedCallback(): void {
    super.connectedCallback()
    if (this.#session !== undefined || this.init.unsupported !== undefined) return
    this.#session = new Session({ ...this.init, options: this.init.query.options }, () =>
      this.requestUpdate()
    )
    this.#session.boot()
  }

  /** The page is going away. */
  leave(): void {
    this.#session?.leave()
  }

  /** Consent was withdrawn in another tab of this browser. */
  withdraw(): Promise<void> {
    return this.#session?.withdraw() ?? Promise.resolve()
  }

  protected override render() {
    const phase = this.#session?.phase
    return html`
      <main class="page ${phase?.kind === 'running' ? 'live' : ''}" id="app" data-phase=${phase?.kind ?? 'unsupported'}>
        <header class="stack">
          <div class="top">
            <h1>${texts.name}</h1>
            ${this.#renderLanguages()}
          </div>
          <p class="about">${texts.about.join(' ')}</p>
        </header>
        ${this.init.query.ignored.map(
          ({ name, allowed }) =>
            html`<p class="failure" data-ignored=${name}>${texts.notice.query(name, allowed)}</p>`
        )}
        ${
          this.#session?.remembered === false && phase?.kind === 'running'
            ? html`<p class="failure" id="not-remembered">${texts.notice.notRemembered}</p>`
            : nothing
        }
        ${this.#session === undefined ? this.#renderUnsupported() : this.#renderPhase(this.#session, this.#session.phase)}
      </main>
    `
  }

  #renderLanguages() {
    return html`
      <select id="language" aria-label=${texts.language} @change=${this.#onLanguage}>
        ${Object.entries(LANGUAGE_NAMES).map(
          ([tag, name]) =>
            html`<option value=${tag} lang=${tag} ?selected=${tag === language}>${name}</option>`
        )}
      </select>
    `
  }

  #onLanguage({ target }: Event): void {
    if (target instanceof HTMLSelectElement && isLanguage(target.value)) setLanguage(target.value)
  }

  #renderPhase(session: Session, phase: Phase) {
    switch (phase.kind) {
      case 'asking':
        return this.#renderConsent(session, phase.paused, false)
      case 'elsewhere':
        return this.#renderElsewhere(session, phase.free)
      case 'starting':
        return html`
          <section class="card stack" id="starting" role="status">
            <h2>${texts.starting.title}</h2>
            <p>${texts.starting.text}</p>
          </section>
          ${this.#renderWithdraw(session)}
        `
      case 'stopped':
        return html`
          <section class="card stack" id="stopped">
            <h2>${phase.failure === undefined ? texts.stopped.title : texts.stopped.failed}</h2>
            ${failureNote(phase.failure, 'start-error')}
            <div class="row">
              <button id="start-again" class="primary" @click=${() => session.start()}>${texts.stopped.start}</button>
            </div>
          </section>
          ${this.#renderWithdraw(session)}
        `
      case 'running':
        return this.#renderLive(session, phase)
    }
  }

  #renderConsent(session: Session, paused: boolean, hiring: boolean) {
    return html`
      <consent-card
        .power=${session.power}
        .paused=${paused}
        .hiring=${hiring}
        @agree=${(event: CustomEvent<Agreement>) => session.agree(event.detail.mode, event.detail.power)}
      ></consent-card>
    `
  }

  #renderElsewhere(session: Session, free: boolean) {
    const { elsewhere } = texts
    return html`
      <section class="card stack" id="elsewhere" data-free=${String(free)} role="status">
        <h2>${free ? elsewhere.freeTitle : elsewhere.title}</h2>
        <p>${free ? elsewhere.freeText : elsewhere.text}</p>
        ${
          free
            ? html`<div class="row">
              <button id="take-over" class="primary" @click=${() => session.start()}>${elsewhere.start}</button>
            </div>`
            : nothing
        }
      </section>
    `
  }

  #renderLive(session: Session, { swarm, status }: Extract<Phase, { kind: 'running' }>) {
    const mode = session.consent?.mode ?? 'hire'
    return html`
      ${failureNote(session.failure, 'node-error', () => session.dismissFailure())}
      <div class="columns">
        <div class="stack">
          <node-panel
            .status=${status}
            .mode=${mode}
            .power=${session.power}
            .finishing=${session.finishing}
            .resting=${session.contributor.resting}
            .backendAsked=${this.init.query.options.backend === 'cpu'}
            @command=${(event: CustomEvent<NodeCommand>) => session[event.detail]()}
            @power-change=${(event: CustomEvent<number>) => session.setPower(event.detail)}
          ></node-panel>
          ${mode === 'contribute' ? this.#renderServe(session, swarm, status) : nothing}
          <peer-table .peers=${status.peers}></peer-table>
        </div>
        <div class="stack">
          <hire-panel .swarm=${swarm} .settled=${status.balance.settled}></hire-panel>
          <own-panel .swarm=${swarm}></own-panel>
          <learned-panel .swarm=${swarm}></learned-panel>
          ${mode === 'hire' ? this.#renderConsent(session, false, true) : nothing}
        </div>
      </div>
      ${this.#renderWithdraw(session)}
    `
  }

  #renderServe(session: Session, swarm: SwarmCore, { work }: SwarmStatus) {
    return html`
      <serve-panel
        .rules=${session.contributor.rules}
        .skills=${swarm.skills}
        .work=${work}
        @rules-change=${(event: CustomEvent<ContributeRules>) => session.setRules(event.detail)}
      ></serve-panel>
    `
  }

  #renderWithdraw(session: Session) {
    return html`
      <section class="withdraw">
        <button id="withdraw" @click=${() => session.withdraw()}>${texts.withdraw.button}</button>
        <p class="soft small">${texts.withdraw.text}</p>
      </section>
    `
  }

  #renderUnsupported() {
    return html`
      <section class="card stack" id="unsupported">
        <h2>${texts.unsupported.title}</h2>
        <p>${this.init.unsupported}</p>
      </section>
    `
  }
}

customElements.define('swarm-app', SwarmApp)
