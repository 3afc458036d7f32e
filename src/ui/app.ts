import { css, html, nothing } from 'lit'
import type { Agreement } from './consent-card.ts'
import './consent-card.ts'
import { PageElement } from './element.ts'
import { failureNote } from './failure-note.ts'
import { formatDuration, formatInteger } from './format.ts'
import { Keeper, type KeeperInit, type KeeperModule } from './keeper.ts'
import type { Query } from './query.ts'
import { Session } from './session.ts'
import type { Phase, SessionInit } from './session-init.ts'
import { base, tokens } from './styles.ts'
import { isLanguage, LANGUAGE_NAMES, language, setLanguage, texts } from './texts/index.ts'

export interface AppInit extends Omit<SessionInit, 'options' | 'load'>, KeeperInit {
  /** As of the session: called after consent only. */
  readonly load: () => Promise<Awaited<ReturnType<SessionInit['load']>> & KeeperModule>
  readonly query: Query
  /** Whether the device has a network. */
  readonly isOnline: () => boolean
  /** Why this browser cannot run a node, or undefined. */
  readonly unsupported: () => string | undefined
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
      .page,
      main {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
      }
      main:focus {
        outline: none;
      }
      .page {
        max-width: 46rem;
        margin: 0 auto;
        padding: var(--space-6) var(--space-5) var(--space-7);
      }
      .page.live {
        max-width: 112rem;
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
        display: none;
      }
      .withdraw {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--space-3) var(--space-4);
        align-items: center;
      }
      @media (max-width: 30rem) {
        h1,
        .live h1 {
          font-size: clamp(1.25rem, 7vw, var(--text-xl));
        }
        .top {
          gap: var(--space-2);
        }
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
  #keeper: Keeper | undefined

  /** Starts nothing but what an earlier consent allows. */
  override connectedCallback(): void {
    super.connectedCallback()
    if (this.#session !== undefined || this.init.unsupported() !== undefined) return
    const keeper = new Keeper(
      this.init,
      () => this.#session,
      () => this.requestUpdate()
    )
    const init = {
      ...this.init,
      load: keeper.fit(this.init.load),
      watch: keeper.fitWatch(this.init.watch),
      options: this.init.query.options
    }
    this.#keeper = keeper
    this.#session = new Session(init, () => this.requestUpdate())
    this.#session.boot()
  }

  /** It shows a node, or is about to. */
  get isAtWork(): boolean {
    const kind = this.#session?.phase.kind
    return kind === 'running' || kind === 'starting' || kind === 'viewing'
  }

  /** An identity that was moved away, and nobody has said that its file is kept. */
  get holdsFile(): boolean {
    const { kept } = this.#keeper ?? {}
    return kept?.kind === 'moved' && !kept.isSafe
  }

  /** The network is back. */
  online(): void {
    void this.#keeper?.online()
  }

  /** The page is going away. */
  leave(): void {
    this.#session?.leave()
  }

  /** By the button, or in another tab of this browser. */
  withdraw(): Promise<void> {
    this.#keeper?.forget()
    return this.#session?.withdraw() ?? Promise.resolve()
  }

  protected override render() {
    const phase = this.#session?.phase
    return html`
      <div class="page ${phase !== undefined && 'swarm' in phase ? 'live' : ''}">
        <header class="stack">
          <div class="top">
            <h1>${texts.name}</h1>
            ${this.#renderLanguages()}
          </div>
          <p class="about">${texts.about.join(language === 'zh' ? '' : ' ')}</p>
        </header>
        <main class="refuge" id="app" tabindex="-1" data-phase=${phase?.kind ?? 'unsupported'}>
        ${this.init.query.ignored.map(
          ({ name, allowed }) =>
            html`<p class="failure" data-ignored=${name}>${texts.notice.query(name, allowed)}</p>`
        )}
        ${this.#session?.overruled.map(
          (name) => html`<p class="card" data-overruled=${name}>${texts.notice.overruled(name)}</p>`
        )}
        ${
          this.#session?.remembered === false && phase?.kind === 'running'
            ? html`<p class="failure" id="not-remembered">${texts.notice.notRemembered}</p>`
            : nothing
        }
        ${
          this.#session === undefined || this.#keeper === undefined
            ? this.#renderUnsupported()
            : [this.#renderNews(this.#keeper), this.#renderKept(this.#session, this.#keeper)]
        }
        </main>
      </div>
    `
  }

  #renderLanguages() {
    return html`
      <select id="language" aria-label=${texts.language} @change=${this.#onLanguage}>
        ${Object.entries(LANGUAGE_NAMES).map(
          ([tag, name]) =>
            html`<option value=${tag} lang=${tag} .selected=${tag === language}>${name}</option>`
        )}
      </select>
    `
  }

  #onLanguage({ target }: Event): void {
    if (target instanceof HTMLSelectElement && isLanguage(target.value)) setLanguage(target.value)
  }

  #renderNews(keeper: Keeper) {
    const { notice } = texts
    return html`
      ${
        keeper.hasUpdate
          ? html`
            <div class="card row" id="update" role="status">
              <p>${keeper.isUpdating ? this.#updating(keeper) : notice.update}</p>
              <button id="update-now" aria-disabled=${String(keeper.isUpdating)} @click=${() => keeper.update()}>
                ${notice.updateNow}
              </button>
            </div>
          `
          : nothing
      }
      ${
        keeper.isOffline && this.isAtWork
          ? html`<p class="card" id="offline" role="status">${this.init.isOnline() ? notice.noRelay : notice.offline}</p>`
          : nothing
      }
      ${
        keeper.clockOff === undefined || !this.isAtWork
          ? nothing
          : html`<p class="failure" id="clock-off" role="status">${notice.clock(formatDuration(keeper.clockOff))}</p>`
      }
      ${failureNote(keeper.failure, 'keeper-error')}
    `
  }

  #updating({ openJobs }: Keeper): string {
    const phase = this.#session?.phase
    const units = phase?.kind === 'running' ? phase.status.work.running : 0
    return texts.notice.updating(formatInteger(openJobs), formatInteger(units))
  }

  #renderKept(session: Session, keeper: Keeper) {
    return keeper.kept.kind === 'here'
      ? this.#renderPhase(session, session.phase)
      : this.#renderIdentity(session, keeper)
  }

  /** Not in a tab that only shows the node of another. */
  #renderIdentity(session: Session, keeper: Keeper | undefined) {
    const { phase } = session
    if (phase.kind === 'viewing' || keeper === undefined) return nothing
    return html`
      <identity-panel
        slot="identity"
        .keeper=${keeper}
        .kept=${keeper.kept}
        .hasLeft=${keeper.hasLeft}
        .network=${session.consent?.network}
        .swarm=${phase.kind === 'running' ? phase.swarm : undefined}
      ></identity-panel>
    `
  }

  #renderPhase(session: Session, phase: Phase) {
    switch (phase.kind) {
      case 'asking':
        return this.#renderConsent(session, phase.paused, false)
      case 'elsewhere':
        return this.#renderElsewhere(session, phase)
      case 'starting':
        return html`
          <section class="card stack" id="starting" role="status">
            <h2>${texts.starting.title}</h2>
            <p>${texts.starting.text}</p>
          </section>
          ${this.#renderWithdraw()}
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
          ${this.#renderIdentity(session, this.#keeper)} ${this.#renderWithdraw()}
        `
      case 'running':
      case 'viewing':
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

  #renderElsewhere(session: Session, { free, differs }: Extract<Phase, { kind: 'elsewhere' }>) {
    const { elsewhere } = texts
    const text = free ? elsewhere.freeText : differs ? elsewhere.differsText : elsewhere.text
    return html`
      <section
        class="card stack"
        id="elsewhere"
        data-free=${String(free)}
        data-differs=${String(differs)}
        role="status"
      >
        <h2>${free ? elsewhere.freeTitle : elsewhere.title}</h2>
        <p>${text}</p>
        ${
          free
            ? html`<div class="row">
              <button id="take-over" class="primary" @click=${() => session.takeOver()}>${elsewhere.start}</button>
            </div>`
            : nothing
        }
      </section>
    `
  }

  #renderLive(session: Session, { kind, swarm, status }: Extract<Phase, { kind: 'running' | 'viewing' }>) {
    const { desk } = session
    return html`
      ${kind === 'viewing' ? html`<p class="card" id="viewing" role="status">${texts.elsewhere.viewing}</p>` : nothing}
      ${failureNote(session.failure, 'node-error', () => session.dismissFailure())}
      <live-view
        .session=${session}
        .desk=${desk}
        .swarm=${swarm}
        .status=${status}
        .isClockOff=${this.#keeper?.clockOff !== undefined}
        .isBackendAsked=${this.init.query.options.backend === 'cpu'}
      >
        ${desk.mode === 'hire' ? html`<div slot="consent">${this.#renderConsent(session, false, true)}</div>` : nothing}
        ${this.#renderIdentity(session, this.#keeper)}
      </live-view>
      ${this.#renderWithdraw()}
    `
  }

  #renderWithdraw() {
    return html`
      <section class="withdraw">
        <button id="withdraw" @click=${() => this.withdraw()}>${texts.withdraw.button}</button>
        <p class="soft small">${texts.withdraw.text}</p>
      </section>
    `
  }

  #renderUnsupported() {
    return html`
      <section class="card stack" id="unsupported">
        <h2>${texts.unsupported.title}</h2>
        <p>${this.init.unsupported()}</p>
      </section>
    `
  }
}

customElements.define('swarm-app', SwarmApp)
