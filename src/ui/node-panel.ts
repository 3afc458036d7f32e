import { css, html, nothing } from 'lit'
import type { SwarmState, SwarmStatus } from '../api.ts'
import type { ConsentMode } from './consent.ts'
import { PageElement } from './element.ts'
import { formatCredits, formatInteger, formatUnits, shortId } from './format.ts'
import { type GlyphName, glyph } from './glyph.ts'
import type { RestReason } from './pause-rules.ts'
import './power-slider.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

export type NodeCommand = 'run' | 'pause' | 'finish' | 'runAnyway'

const STATE_GLYPHS: Readonly<Record<SwarmState, GlyphName>> = {
  starting: 'dashed',
  bootstrapping: 'dashed',
  relayed: 'half',
  direct: 'full',
  offline: 'cross',
  stopped: 'square'
}

const BALANCES = ['settled', 'verified', 'pending', 'escrowed'] as const

/**
 * State and the hand on it first, so that a phone shows them without scrolling; then balance and device. Fires `command`
 * (CustomEvent<NodeCommand>).
 */
export class NodePanel extends PageElement {
  static override properties = {
    status: { attribute: false },
    mode: { type: String },
    power: { type: Number },
    finishing: { type: Boolean },
    resting: { attribute: false },
    promised: { attribute: false },
    backendAsked: { type: Boolean }
  }
  static override styles = [
    base,
    css`
      #state {
        display: flex;
        gap: var(--space-3);
        align-items: start;
      }
      #state .glyph {
        margin-top: 0.25em;
        color: var(--accent);
        font-size: var(--text-l);
      }
      #state strong {
        font-size: var(--text-l);
      }
      .balances {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--space-4) var(--space-5);
        padding-bottom: var(--space-4);
        border-bottom: 1px solid var(--line);
      }
      h3 {
        padding-top: var(--space-4);
        border-top: 1px solid var(--line);
      }
      .balances dt {
        color: var(--ink-soft);
        font-size: var(--text-s);
        font-weight: 600;
      }
      .amount {
        font-size: var(--text-l);
        font-weight: 600;
        letter-spacing: -0.01em;
      }
      .first .amount {
        color: var(--accent);
      }
      #contributing {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
        font-weight: 600;
      }
    `
  ]

  declare status: SwarmStatus
  declare mode: ConsentMode
  declare power: number
  declare finishing: boolean
  /** Why it rests although it is to contribute. */
  declare resting: RestReason | undefined
  declare backendAsked: boolean
  /** Whether the browser has promised to keep what is stored; undefined: not known. */
  declare promised: boolean | undefined

  constructor() {
    super()
    this.mode = 'contribute'
    this.power = 100
    this.finishing = false
    this.backendAsked = false
  }

  protected override render() {
    const { node } = texts
    return html`
      <section class="card stack" aria-labelledby="title">
        <h2 id="title" class="visually-hidden">${node.title}</h2>
        ${this.#renderState()} ${this.mode === 'contribute' ? this.#renderControls() : this.#renderContributing()}
        ${this.#renderBalance()} ${this.#renderFigures()}
        ${this.promised === false ? html`<p id="not-promised" class="soft small">${texts.balance.notPromised}</p>` : nothing}
      </section>
    `
  }

  #renderState() {
    const { state } = this.status
    const { label, text } = texts.state[state]
    return html`
      <p id="state" data-state=${state} role="status">
        ${glyph(STATE_GLYPHS[state])}
        <span><strong>${label}</strong><br /><span class="soft">${text}</span></span>
      </p>
    `
  }

  #renderBalance() {
    const { balance } = this.status
    return html`
      <h3>${texts.balance.title}</h3>
      <dl class="balances">
        ${BALANCES.map((kind, index) => {
          const { label, text } = texts.balance[kind]
          return html`
            <div class=${index === 0 ? 'first' : ''}>
              <dt>${label}</dt>
              <dd>
                <span class="amount" id="balance-${kind}" data-microcredits=${String(balance[kind])}
                  >${breakable(formatCredits(balance[kind]))}</span
                ><br /><span class="soft small">${text}</span>
              </dd>
            </div>
          `
        })}
      </dl>
    `
  }

  #renderFigures() {
    const { node } = texts
    const { peer, network, work } = this.status
    return html`
      <dl class="figures">
        <dt>${node.device}</dt>
        <dd id="device" data-backend=${this.status.device?.backend ?? ''}>${this.#device()}</dd>
        <dt>${node.done}</dt>
        <dd id="work-done" data-units=${work.units} data-verified=${work.verifiedUnits}>
          ${node.workDone(formatUnits(work.units), formatInteger(work.verifiedUnits), formatInteger(work.running))}
        </dd>
        <dt>${node.peer}</dt>
        <dd id="peer-id" class="mono" title=${peer} data-peer=${peer}>${shortId(peer)}</dd>
        <dt>${node.network}</dt>
        <dd id="network">${network}</dd>
      </dl>
    `
  }

  #renderControls() {
    const { node } = texts
    const { contributing } = this.status
    return html`
      ${this.#renderContributing()}
      <div class="row">
        <button
          id="run"
          aria-disabled=${String((contributing || this.resting !== undefined) && !this.finishing)}
          @click=${() => this.#command('run')}>
          ${glyph('play')} ${node.run}
        </button>
        <button
          id="pause"
          class="refuge"
          aria-disabled=${String(!contributing && this.resting === undefined)}
          @click=${() => this.#command('pause')}
        >
          ${glyph('bars')} ${node.pause}
        </button>
        <button
          id="finish"
          aria-disabled=${String(!contributing || this.finishing)}
          aria-describedby="finish-hint"
          @click=${() => this.#command('finish')}
        >
          ${glyph('flag')} ${node.finish}
        </button>
      </div>
      <p id="finish-hint" class="soft small">${node.finishHint}</p>
      <power-slider id="power-slider" .power=${this.power}></power-slider>
    `
  }

  #renderContributing() {
    const { contributing, paused, work } = this.status
    const text = this.finishing
      ? texts.work.finishing(formatUnits(work.running))
      : this.resting !== undefined
        ? texts.work.rests[this.resting]
        : contributing
          ? texts.work.contributing
          : this.mode === 'hire'
            ? texts.work['not-contributing']
            : texts.work[paused === 'paused' ? paused : 'idle']
    return html`
      <p id="contributing" data-contributing=${String(contributing)} data-paused=${this.resting ?? paused ?? ''} role="status">
        ${glyph(this.finishing ? 'flag' : contributing ? 'play' : 'bars')} <span>${text}</span>
      </p>
      ${
        this.resting === undefined || this.resting === 'unserved'
          ? nothing
          : html`
            <div class="row">
              <button id="run-anyway" @click=${() => this.#command('runAnyway')}>${texts.work.anyway}</button>
            </div>
          `
      }
    `
  }

  #device(): string {
    const { device } = this.status
    if (device === undefined) return texts.node.deviceNone
    if (device.backend === 'webgpu') return texts.node.webgpu(device.class)
    if (device.class.endsWith('-software-gpu')) return texts.node.cpuSoftware(device.class)
    return this.backendAsked ? texts.node.cpuAsked(device.class) : texts.node.cpu(device.class)
  }

  #command(command: NodeCommand): void {
    this.dispatchEvent(new CustomEvent<NodeCommand>('command', { detail: command }))
  }
}

/** An amount that is too long for its line breaks between groups of digits. */
function breakable(amount: string) {
  return amount.length <= 16 ? amount : amount.split(/(?<=\D)/).map((group) => html`${group}<wbr />`)
}

customElements.define('node-panel', NodePanel)
