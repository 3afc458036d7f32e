import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { PeerInfo } from '../api.ts'
import { PageElement } from './element.ts'
import { formatDuration, formatInteger, formatUnits, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import { base } from './styles.ts'
import './swarm-graph.ts'
import type { Hands } from './swarm-graph.ts'
import { texts } from './texts/index.ts'

const SKILLS_SHOWN = 6
/** More peers than these are shown anew at most once a second: nobody reads faster, and each time is a long work. */
const CROWD = 40
const CROWD_EVERY_MS = 1_000
/** Rows that a crowd begins with, and gets with each further piece: all at once are a long work, too. */
const ROWS_A_PIECE = 50
const PIECE_EVERY_MS = 50

/** Who this node is connected to, as a picture and as a table: direct peers first. */
export class PeerTable extends PageElement {
  static override properties = { peers: { attribute: false }, hands: { attribute: false } }
  static override styles = [
    base,
    css`
      .scroll {
        max-height: 22rem;
        overflow: auto;
        contain: content;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--card);
      }
      tbody tr:last-child > * {
        border-bottom: 0;
      }
      .connection {
        overflow-wrap: normal;
        word-break: keep-all;
      }
      .connection .glyph {
        color: var(--accent);
      }
      .connection .small {
        display: block;
      }
      .work {
        font-weight: 600;
      }
    `
  ]

  declare peers: readonly PeerInfo[]
  declare hands: Hands

  constructor() {
    super()
    this.peers = []
    this.hands = { hired: new Map(), served: new Map() }
  }

  #nextAt = 0
  #rows = 0

  /** As Lit has it, or later; what changes meanwhile is shown with it. */
  protected override async scheduleUpdate(): Promise<void> {
    const wait = this.peers.length > CROWD ? this.#nextAt - performance.now() : 0
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    this.#rows = Math.min(this.peers.length, this.#rows + ROWS_A_PIECE)
    const isWhole = this.#rows === this.peers.length
    const every = isWhole ? CROWD_EVERY_MS : PIECE_EVERY_MS
    this.#nextAt = this.peers.length > CROWD ? performance.now() + every : 0
    super.scheduleUpdate()
    if (!isWhole) this.requestUpdate()
  }

  protected override render() {
    const { peers } = texts
    return html`
      <section class="card stack" aria-labelledby="title">
        <h2 id="title">
          ${peers.title} <span class="count" id="peer-count">${formatInteger(this.peers.length)}</span>
        </h2>
        ${
          this.peers.length === 0
            ? html`<p class="soft">${peers.empty}</p>`
            : html`<swarm-graph .peers=${this.peers} .hands=${this.hands}></swarm-graph> ${this.#renderTable()}`
        }
      </section>
    `
  }

  #renderTable() {
    const { peers } = texts
    const sorted = this.peers.toSorted(
      (left, right) => compare(left.connection, right.connection) || compare(left.peer, right.peer)
    )
    return html`
      <div class="scroll" tabindex="0" role="group" aria-labelledby="title">
        <table id="peers">
          <thead>
            <tr>
              <th scope="col">${peers.peer}</th>
              <th scope="col">${peers.connection}</th>
              <th scope="col">${peers.skills}</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(
              sorted.slice(0, this.#rows),
              ({ peer }) => peer,
              (peer) => this.#renderPeer(peer)
            )}
          </tbody>
        </table>
      </div>
    `
  }

  #renderPeer({ peer, connection, transport, isRelay, skills, rttMs }: PeerInfo) {
    const { see } = texts
    const [hired, served] = [this.hands.hired.get(peer), this.hands.served.get(peer)]
    return html`
      <tr data-peer=${peer} data-connection=${connection}>
        <td class="mono nowrap" title=${peer}>${shortId(peer)}</td>
        <td class="connection">
          ${glyph(connection === 'direct' ? 'full' : 'half')} ${texts.peers[connection]}
          <span class="soft small"
            >${texts.peers.transports[transport]}${rttMs === undefined ? nothing : `, ${formatDuration(rttMs)}`}</span
          >
          ${hired === undefined ? nothing : html`<span class="work small">${see.hired(formatUnits(hired))}</span>`}
          ${served === undefined ? nothing : html`<span class="work small">${see.served(formatUnits(served))}</span>`}
        </td>
        <td>${isRelay && skills.length === 0 ? texts.peers.relay : skillsText(skills)}</td>
      </tr>
    `
  }
}

const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

// A peer says what it likes of itself: bounded here, and text only.
function skillsText(skills: readonly string[]): string {
  if (skills.length === 0) return texts.peers.none
  const shown = skills.slice(0, SKILLS_SHOWN).map((skill) => skill.slice(0, 64))
  const rest = skills.length - shown.length
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} ${texts.peers.more(formatInteger(rest))}`
}

customElements.define('peer-table', PeerTable)
