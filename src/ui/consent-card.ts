import { css, html, nothing } from 'lit'
import type { ConsentMode } from './consent.ts'
import { PageElement } from './element.ts'
import { PowerSlider } from './power-slider.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

export interface Agreement {
  readonly mode: ConsentMode
  readonly power: number
}

/**
 * Names what contributing uses and asks. Fires `agree` (CustomEvent<Agreement>). With `hiring` it stands in the
 * live view of a node that only hires, and asks for the rest.
 */
export class ConsentCard extends PageElement {
  static override properties = {
    power: { type: Number },
    paused: { type: Boolean },
    hiring: { type: Boolean }
  }
  static override styles = [
    base,
    css`
      :host {
        container-type: inline-size;
      }
      dl {
        display: grid;
        grid-template-columns: 9rem minmax(0, 1fr);
        gap: var(--space-3) var(--space-4);
      }
      dt {
        font-weight: 600;
      }
      .start {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--space-4) var(--space-5);
        align-items: end;
        padding-top: var(--space-4);
        border-top: 1px solid var(--line);
      }
      .apart {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--space-3) var(--space-5);
        align-items: center;
        padding: var(--space-4) var(--space-5);
      }
      .paused {
        color: var(--accent);
        font-weight: 600;
      }
      @container (max-width: 34rem) {
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
        dd {
          margin-bottom: var(--space-3);
        }
        .start,
        .apart {
          grid-template-columns: minmax(0, 1fr);
        }
        .apart {
          padding: var(--space-4);
        }
      }
    `
  ]

  declare power: number
  declare paused: boolean
  declare hiring: boolean

  constructor() {
    super()
    this.power = 100
    this.paused = false
    this.hiring = false
  }

  protected override render() {
    const { consent, node } = texts
    return html`
      <div class="stack">
        <section class="card stack" aria-labelledby="title">
          <h2 id="title">${this.hiring ? node.contributeTitle : consent.title}</h2>
          ${this.paused ? html`<p class="paused">${consent.paused}</p>` : nothing}
          <dl>
            ${consent.uses.map(({ term, text }) => html`<dt>${term}</dt><dd>${text}</dd>`)}
          </dl>
          <div class="start">
            <power-slider .power=${this.power} @power-change=${this.#onPower}></power-slider>
            <button id="consent-start" class="primary" @click=${() => this.#agree('contribute')}>
              ${consent.start}
            </button>
          </div>
        </section>
        ${this.hiring ? nothing : this.#renderHire()}
      </div>
    `
  }

  #renderHire() {
    const { consent } = texts
    return html`
      <section class="card apart" aria-labelledby="hire-title">
        <div>
          <h3 id="hire-title">${consent.hireTitle}</h3>
          <p class="soft">${consent.hireText}</p>
        </div>
        <button id="consent-hire" @click=${() => this.#agree('hire')}>${consent.hire}</button>
      </section>
      <p class="soft small">${consent.before}</p>
    `
  }

  #onPower(event: CustomEvent<number>): void {
    this.power = event.detail
  }

  #agree(mode: ConsentMode): void {
    const slider = this.renderRoot.querySelector('power-slider')
    const power = slider instanceof PowerSlider ? slider.power : this.power
    this.dispatchEvent(new CustomEvent<Agreement>('agree', { detail: { mode, power } }))
  }
}

customElements.define('consent-card', ConsentCard)
