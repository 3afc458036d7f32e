import { css, html, nothing } from 'lit'
import type { SwarmCore } from '../api.ts'
import { jsonBlob } from './download.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formatInteger, formatPercent, shortId } from './format.ts'
import { skillTitle } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** Trails that are shown, strongest first. */
const SHOWN = 50

/** Trust and pheromones of this node, as they are when it is opened, and diagnostics to copy. */
export class LearnedPanel extends PageElement {
  static override properties = {
    swarm: { attribute: false },
    open: { state: true },
    copied: { state: true },
    failure: { state: true }
  }
  static override styles = [
    base,
    css`
      .scroll {
        max-height: 22rem;
        overflow: auto;
      }
    `
  ]

  declare swarm: SwarmCore
  declare open: boolean
  declare copied: boolean
  declare failure: Failure | undefined

  constructor() {
    super()
    this.open = false
    this.copied = false
  }

  protected override render() {
    return html`
      <details class="card fold" id="learned" @toggle=${this.#onToggle}>
        <summary>${texts.learned.title}</summary>
        ${this.open ? this.#renderTrails() : nothing}
      </details>
    `
  }

  #renderTrails() {
    const { learned } = texts
    const trails = this.swarm.router.pheromones()
    return html`
      <div class="stack">
        <p class="soft">${learned.text}</p>
        ${
          trails.length === 0
            ? html`<p id="no-trails">${learned.none}</p>`
            : html`
              <div class="scroll" tabindex="0" role="region" aria-label=${learned.title}>
                <table id="trails">
                  <thead>
                    <tr>
                      <th scope="col">${learned.peer}</th>
                      <th scope="col">${learned.skill}</th>
                      <th scope="col" class="number">${learned.trust}</th>
                      <th scope="col" class="number">${learned.pheromone}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${trails.slice(0, SHOWN).map(
                      ({ peer, skill, strength }) => html`
                        <tr data-peer=${peer}>
                          <td class="mono nowrap" title=${peer}>${shortId(peer)}</td>
                          <td>${skillTitle(skill)}</td>
                          <td class="number">${formatPercent(this.swarm.router.trustIn(peer, skill))}</td>
                          <td class="number">${formatPercent(strength)}</td>
                        </tr>
                      `
                    )}
                  </tbody>
                </table>
              </div>
              ${
                trails.length > SHOWN
                  ? html`<p class="soft small">${learned.more(formatInteger(trails.length - SHOWN))}</p>`
                  : nothing
              }
            `
        }
        <div class="row">
          <button id="refresh-trails" @click=${() => this.requestUpdate()}>${learned.refresh}</button>
          <button id="copy-diagnostics" @click=${() => this.#copy()}>${learned.copy}</button>
          <span role="status">${this.copied ? learned.copied : ''}</span>
        </div>
        <p class="soft small">${learned.copyHint}</p>
        ${failureNote(this.failure, 'copy-error')}
      </div>
    `
  }

  #onToggle({ target }: Event): void {
    this.open = target instanceof HTMLDetailsElement && target.open
    this.copied = false
  }

  async #copy(): Promise<void> {
    this.failure = undefined
    try {
      const { status, router } = this.swarm
      const trails = router.pheromones().slice(0, SHOWN)
      const { userAgent, hardwareConcurrency } = navigator
      const report = jsonBlob({
        at: new Date().toISOString(),
        userAgent,
        hardwareConcurrency,
        status,
        trails
      })
      await navigator.clipboard.writeText(await report.text())
      this.copied = true
    } catch (error) {
      this.failure = describeFailure(error)
    }
  }
}

customElements.define('learned-panel', LearnedPanel)
