import { css, html } from 'lit'
import { POWER_LEAST, POWER_MOST } from './consent.ts'
import { PageElement } from './element.ts'
import { formatPercent } from './format.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** The power limit in percent. Fires `power-change` (CustomEvent<number>) when the hand lets go. */
export class PowerSlider extends PageElement {
  static override properties = { power: { type: Number }, disabled: { type: Boolean } }
  static override styles = [
    base,
    css`
      label {
        display: flex;
        justify-content: space-between;
        gap: var(--space-3);
      }
      output {
        font-weight: 600;
      }
      input {
        display: block;
        width: 100%;
        height: 2rem;
        margin: 0;
        accent-color: var(--accent);
      }
    `
  ]

  declare power: number
  declare disabled: boolean

  constructor() {
    super()
    this.power = POWER_MOST
    this.disabled = false
  }

  protected override render() {
    return html`
      <label for="power">
        <span>${texts.consent.powerLabel} <span class="soft small">${texts.consent.powerHint}</span></span>
        <output for="power">${formatPercent(this.power / 100)}</output>
      </label>
      <input
        id="power"
        type="range"
        min=${POWER_LEAST}
        max=${POWER_MOST}
        step="5"
        .value=${String(this.power)}
        ?disabled=${this.disabled}
        aria-valuetext=${formatPercent(this.power / 100)}
        @input=${this.#onInput}
        @change=${this.#onChange}
      />
    `
  }

  #onInput(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.power = event.target.valueAsNumber
  }

  #onChange(): void {
    this.dispatchEvent(new CustomEvent('power-change', { detail: this.power, bubbles: true, composed: true }))
  }
}

customElements.define('power-slider', PowerSlider)
