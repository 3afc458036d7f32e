import { css, html, nothing, type PropertyValues, svg } from 'lit'
import type { PeerInfo } from '../api.ts'
import { PageElement } from './element.ts'
import { formatDuration, formatInteger } from './format.ts'
import { base } from './styles.ts'
import { type Layout, layOut, type Place } from './swarm-layout.ts'
import { texts } from './texts/index.ts'

/** Units in hand, by peer: those that it has of this node's jobs, and those that this node has of its jobs. */
export interface Hands {
  readonly hired: ReadonlyMap<string, number>
  readonly served: ReadonlyMap<string, number>
}

/** More peers than these are shown without their names. */
const NAMED_MOST = 12
/** Of the picture's coordinates, from its middle to its edge. */
const SIZE = 100
/** Half of its width where names stand beside the outermost peers. */
const NAMED_SIZE = 132
const ME = 10

/**
 * This node, its peers, how it is connected to them, and who works for whom. Shapes and lines tell them apart, not only
 * colour. It is drawn anew when something has changed, and never moves by itself. Its table is `<peer-table>`.
 */
export class SwarmGraph extends PageElement {
  static override properties = {
    peers: { attribute: false },
    hands: { attribute: false }
  }
  static override styles = [
    base,
    css`
      svg {
        display: block;
        width: 100%;
        max-width: 34rem;
        margin: 0 auto;
        overflow: visible;
      }
      .ring {
        fill: none;
        stroke: var(--line);
        stroke-width: 0.4;
      }
      .border {
        stroke: var(--line-strong);
        stroke-dasharray: 1 2.5;
      }
      .edge {
        stroke: var(--line-strong);
        stroke-width: 0.5;
      }
      .crowded .edge:not(.works) {
        opacity: 0.4;
      }
      .edge.relayed {
        stroke-dasharray: 2 2;
      }
      .edge.works {
        stroke: var(--accent);
        stroke-width: 1.2;
      }
      .head {
        fill: var(--accent);
        stroke: var(--card);
        stroke-width: 0.4;
      }
      .node {
        fill: var(--ink-soft);
        stroke: var(--card);
        stroke-width: 0.6;
      }
      .node.relayed {
        fill: var(--card);
        stroke: var(--ink-soft);
        stroke-width: 1;
      }
      .node.works {
        fill: var(--accent);
      }
      .node.works.relayed {
        fill: var(--card);
        stroke: var(--accent);
      }
      .me {
        fill: var(--accent);
      }
      text {
        fill: var(--ink-soft);
        font: 10px var(--mono);
      }
      .left text {
        text-anchor: end;
      }
      text.you {
        fill: var(--on-accent);
        font: 700 8px var(--sans);
        text-anchor: middle;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-4);
        justify-content: center;
      }
      .legend li {
        display: inline-flex;
        gap: var(--space-2);
        align-items: center;
      }
      .legend svg {
        width: 1.5rem;
        height: 0.75rem;
      }
    `
  ]

  declare peers: readonly PeerInfo[]
  declare hands: Hands
  #drawn = ''

  constructor() {
    super()
    this.peers = []
    this.hands = { hired: new Map(), served: new Map() }
  }

  /** Balances and counts change ten times a second, the swarm does not. */
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    const { hired, served } = this.hands
    const now = this.peers
      .map(
        ({ peer, connection, isRelay }) =>
          `${peer}${connection}${isRelay}${hired.has(peer)}${served.has(peer)}`
      )
      .join()
    // A change of language comes without a changed property.
    const isNew = changed.size === 0 || now !== this.#drawn
    this.#drawn = now
    return isNew
  }

  protected override render() {
    const layout = layOut(this.peers)
    const across = this.#isNamed ? NAMED_SIZE : SIZE
    return html`
      <div class="stack" id="swarm-graph" data-peers=${this.peers.length}>
        <svg
          class=${this.#isNamed ? '' : 'crowded'}
          viewBox="${-across} ${-SIZE} ${2 * across} ${2 * SIZE}"
          role="img"
          aria-label=${this.#summary()}
        >
          ${layout.rings.map((radius) => svg`<circle class="ring" r=${radius * SIZE} />`)}
          ${layout.border === undefined ? nothing : svg`<circle class="ring border" r=${layout.border * SIZE} />`}
          ${layout.places.map((place) => this.#renderEdge(place))}
          ${layout.places.map((place) => this.#renderNode(place, layout))}
          <circle class="node me" r=${ME} />
          <text class="you" y="2.8">${texts.see.graph.you}</text>
        </svg>
        ${this.#renderLegend()}
      </div>
    `
  }

  #renderEdge({ peer, x, y }: Place<PeerInfo>) {
    const [isHired, isServed] = [this.hands.hired.has(peer.peer), this.hands.served.has(peer.peer)]
    const works = isHired || isServed ? 'works' : ''
    const angle = (Math.atan2(y, x) * 180) / Math.PI
    const head = (share: number, turned: number) => svg`
      <path
        class="head"
        d="M-2.6 -2.6L3.4 0L-2.6 2.6Z"
        transform="translate(${(x * SIZE * share).toFixed(1)} ${(y * SIZE * share).toFixed(1)}) rotate(${turned.toFixed(0)})"
      />`
    return svg`
      <line class="edge ${peer.connection} ${works}" x2=${(x * SIZE).toFixed(1)} y2=${(y * SIZE).toFixed(1)} />
      ${isHired ? head(0.45, angle + 180) : nothing} ${isServed ? head(0.65, angle) : nothing}
    `
  }

  #renderNode({ peer, x, y }: Place<PeerInfo>, { step }: Layout<PeerInfo>) {
    const size = Math.min(4.5, Math.max(1.4, step * SIZE * 0.2))
    const works = this.hands.hired.has(peer.peer) || this.hands.served.has(peer.peer) ? 'works' : ''
    const kind = `node ${peer.connection} ${works}`
    const [left, top] = [(x * SIZE).toFixed(1), (y * SIZE).toFixed(1)]
    return svg`
      <g class=${x < 0 ? 'left' : ''} data-peer=${peer.peer} transform="translate(${left} ${top})">
        <title>${this.#words(peer)}</title>
        ${
          peer.isRelay
            ? svg`<rect class=${kind} x=${-size} y=${-size} width=${2 * size} height=${2 * size} />`
            : svg`<circle class=${kind} r=${size} />`
        }
        ${
          this.#isNamed
            ? svg`<text x=${(size + 3) * (x < 0 ? -1 : 1)} y="3.2">…${peer.peer.slice(-4)}</text>`
            : nothing
        }
      </g>
    `
  }

  get #isNamed(): boolean {
    return this.peers.length <= NAMED_MOST
  }

  #renderLegend() {
    const { graph } = texts.see
    const row = (picture: ReturnType<typeof svg>, words: string) => html`
      <li><svg viewBox="0 0 24 12" aria-hidden="true">${picture}</svg> ${words}</li>
    `
    return html`
      <ul class="plain legend small soft">
        ${row(svg`<line class="edge direct" y1="6" x2="16" y2="6" /><circle class="node direct" cx="19" cy="6" r="4" />`, graph.direct)}
        ${row(svg`<line class="edge relayed" y1="6" x2="14" y2="6" /><circle class="node relayed" cx="19" cy="6" r="4" />`, graph.relayed)}
        ${row(svg`<rect class="node direct" x="9" y="2" width="8" height="8" />`, graph.relay)}
        ${row(svg`<line class="edge works" y1="6" x2="24" y2="6" /><path class="head" d="M18 2L8 6L18 10Z" />`, graph.hired)}
        ${row(svg`<line class="edge works" y1="6" x2="24" y2="6" /><path class="head" d="M6 2L16 6L6 10Z" />`, graph.served)}
      </ul>
    `
  }

  #words({ peer, connection, rttMs }: PeerInfo): string {
    const latency = rttMs === undefined ? '' : `, ${formatDuration(rttMs)}`
    return `${peer.slice(0, 80)}: ${texts.peers[connection]}${latency}`
  }

  #summary(): string {
    const count = (of: PeerInfo['connection']) =>
      formatInteger(this.peers.filter(({ connection }) => connection === of).length)
    const { hired, served } = this.hands
    return texts.see.graph.summary(
      count('direct'),
      count('relayed'),
      formatInteger(hired.size),
      formatInteger(served.size)
    )
  }
}

customElements.define('swarm-graph', SwarmGraph)
