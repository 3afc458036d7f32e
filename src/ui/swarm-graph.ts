import { css, html, nothing, type PropertyValues, svg } from 'lit'
import type { PeerInfo } from '../api.ts'
import { PageElement } from './element.ts'
import { formatDuration, formatInteger } from './format.ts'
import { base } from './styles.ts'
import { SwarmLayout } from './swarm-layout.ts'
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
/** The table's frame is over by then. */
const AFTER_TABLE_MS = 50

/**
 * This node, its peers, how it is connected to them, and who works for whom. Shapes and lines tell them apart, not only
 * colour. When some come or go, d3-force moves all to their places, for less than a second and only while it is seen; who
 * wants less motion sees them there at once. Its table is `<peer-table>`.
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
      .border {
        fill: none;
        stroke: var(--line-strong);
        stroke-width: 0.4;
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
        /* to the other side of its peer */
        transform: translateX(-15px);
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
  /** As in the picture now: others may be known already. */
  #shown: readonly PeerInfo[] = []
  readonly #layout = new SwarmLayout(() => this.#onMove())
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)')
  #isSeen = false
  /** Peers have come or gone since the picture was drawn. */
  #isNew = false
  readonly #sight = new IntersectionObserver((entries) => {
    this.#isSeen = entries.at(-1)?.isIntersecting === true
    if (this.#isSeen) this.#layout.run()
    else this.#layout.rest()
  })

  constructor() {
    super()
    this.peers = []
    this.hands = { hired: new Map(), served: new Map() }
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#sight.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#sight.disconnect()
    this.#layout.rest()
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

  /** A crowd is drawn by itself, not in one frame with its table. */
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.#isNamed) await new Promise((resolve) => setTimeout(resolve, AFTER_TABLE_MS))
    super.scheduleUpdate()
  }

  protected override willUpdate(): void {
    this.#shown = this.peers
    this.#isNew = this.#layout.place(this.peers)
  }

  protected override updated(): void {
    if (this.#isNew) this.#move()
    else this.#onMove()
    if (this.#isSeen) this.#layout.run()
  }

  protected override render() {
    const { border, gap } = this.#layout.bands
    const across = this.#isNamed ? NAMED_SIZE : SIZE
    return html`
      <div class="stack" id="swarm-graph" data-peers=${this.peers.length}>
        <svg
          class=${this.#isNamed ? '' : 'crowded'}
          viewBox="${-across} ${-SIZE} ${2 * across} ${2 * SIZE}"
          role="img"
          aria-label=${this.#summary()}
        >
          ${border === undefined ? nothing : svg`<circle class="border" r=${border} />`}
          ${this.peers.map((peer) => this.#renderEdge(peer))} ${this.peers.map((peer) => this.#renderNode(peer, gap))}
          <circle class="node me" r=${ME} />
          <text class="you" y="2.8">${texts.see.graph.you}</text>
        </svg>
        ${this.#renderLegend()}
      </div>
    `
  }

  /** From this node, at the left, to the peer at (0, 0); the group is turned and moved as a whole. */
  #renderEdge({ peer, connection }: PeerInfo) {
    const [isHired, isServed] = [this.hands.hired.has(peer), this.hands.served.has(peer)]
    return svg`
      <g class="spoke">
        <line class="edge ${connection} ${isHired || isServed ? 'works' : ''}" />
        ${isHired ? svg`<path class="head" d="M-17 -2.6L-23 0L-17 2.6Z" />` : nothing}
        ${isServed ? svg`<path class="head" d="M-14 -2.6L-8 0L-14 2.6Z" />` : nothing}
      </g>
    `
  }

  #renderNode(info: PeerInfo, gap: number) {
    const { peer, connection, isRelay } = info
    const size = Math.min(4.5, Math.max(1.4, gap * 0.2))
    const works = this.hands.hired.has(peer) || this.hands.served.has(peer) ? 'works' : ''
    const kind = `node ${connection} ${works}`
    return svg`
      <g class="spot" data-peer=${peer}>
        <title>${this.#words(info)}</title>
        ${
          isRelay
            ? svg`<rect class=${kind} x=${-size} y=${-size} width=${2 * size} height=${2 * size} />`
            : svg`<circle class=${kind} r=${size} />`
        }
        ${this.#isNamed ? svg`<text x=${size + 3} y="3.2">…${peer.slice(-4)}</text>` : nothing}
      </g>
    `
  }

  #onMove(): void {
    if (this.#layout.isStill || !this.#calm.matches) this.#move()
  }

  /** Past Lit: two attributes a peer, not a template a frame. */
  #move(): void {
    const spots = this.renderRoot.querySelectorAll('.spot')
    const spokes = this.renderRoot.querySelectorAll('.spoke')
    for (const [index, { peer }] of this.#shown.entries()) {
      const { x, y } = this.#layout.spotOf(peer)
      const place = `translate(${x.toFixed(1)} ${y.toFixed(1)})`
      spots[index]?.setAttribute('transform', place)
      spots[index]?.classList.toggle('left', x < 0)
      const angle = (Math.atan2(y, x) * 180) / Math.PI
      spokes[index]?.setAttribute('transform', `${place} rotate(${angle.toFixed(1)})`)
      spokes[index]?.firstElementChild?.setAttribute('x1', (-Math.hypot(x, y)).toFixed(1))
    }
    this.renderRoot.querySelector('[role="img"]')?.toggleAttribute('data-still', this.#layout.isStill)
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
