import { LitElement } from 'lit'
import { onLanguage } from './texts/index.ts'

/** What every component of the page is: shown anew when the language changes. */
export class PageElement extends LitElement {
  #unhear: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unhear = onLanguage(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unhear?.()
    this.#unhear = undefined
  }
}
