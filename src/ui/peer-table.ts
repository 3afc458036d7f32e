import { css, html } from 'lit'
import type { PeerInfo } from '../api.ts'
import { PageElement } from './element.ts'
import { formatInteger, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const SKILLS_SHOWN = 6

/** Who this node is connected to, direct peers first. */
export class PeerTable extends PageElement {
  static override properties = { peers: { attribute: false } }
  static override styles = [
    base,
    css`
      .scroll {
        max-height: 22rem;
        overflow: auto;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--card);
      }
      tbody tr:last-child > * {
        border-bottom: 0;
      }
      .count {
        color: var(--ink-soft);
        font-weight: 400;
      }
      .connection .glyph {
        color: var(--accent);
      }
    `
  ]

  declare peers: readonly PeerInfo[]

  constructor() {
    super()
    this.peers = []
  }

  protected override render() {
    const { peers } = texts
    return html`
      <section class="card stack" aria-labelledby="title">
        <h2 id="title">
          ${peers.title} <span class="count" id="peer-count">${formatInteger(this.peers.length)}</span>
        </h2>
        ${this.peers.length === 0 ? html`<p class="soft">${peers.empty}</p>` : this.#renderTable()}
      </section>
    `
  }

  #renderTable() {
    const { peers } = texts
    const sorted = this.peers.toSorted(
      (left, right) => left.connection.localeCompare(right.connection) || left.peer.localeCompare(right.peer)
    )
    return html`
      <div class="scroll" tabindex="0" role="region" aria-labelledby="title">
        <table id="peers">
          <thead>
            <tr>
              <th scope="col">${peers.peer}</th>
              <th scope="col">${peers.connection}</th>
              <th scope="col">${peers.skills}</th>
            </tr>
          </thead>
          <tbody>
            ${sorted.map((peer) => this.#renderPeer(peer))}
          </tbody>
        </table>
      </div>
    `
  }

  #renderPeer({ peer, connection, transport, isRelay, skills }: PeerInfo) {
    return html`
      <tr data-peer=${peer} data-connection=${connection}>
        <td class="mono nowrap" title=${peer}>${shortId(peer)}</td>
        <td class="connection nowrap">
          ${glyph(connection === 'direct' ? 'full' : 'half')} ${texts.peers[connection]}
          <span class="soft small">${texts.peers.transports[transport]}</span>
        </td>
        <td>${isRelay && skills.length === 0 ? texts.peers.relay : skillsText(skills)}</td>
      </tr>
    `
  }
}

// A peer says what it likes of itself: bounded here, and text only.
function skillsText(skills: readonly string[]): string {
  if (skills.length === 0) return texts.peers.none
  const shown = skills.slice(0, SKILLS_SHOWN).map((skill) => skill.slice(0, 64))
  const rest = skills.length - shown.length
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} ${texts.peers.more(formatInteger(rest))}`
}

customElements.define('peer-table', PeerTable)
