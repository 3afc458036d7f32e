import { LitElement, type PropertyValues } from 'lit'
import { onLanguage } from './texts/index.ts'

/**
 * What every component of the page is: shown anew when the language changes, and never without a place for the focus.
 * A button that its own press switches off keeps it (`aria-disabled`, and it does nothing); where what had it is gone,
 * the nearest element of class `refuge` gets it.
 */
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

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot()
    root.addEventListener('click', stopIfOff, { capture: true }) // Enter in a field of a form clicks its button, too
    return root
  }

  protected override update(changed: PropertyValues): void {
    const had = this.shadowRoot?.activeElement != null
    super.update(changed)
    if (had && this.shadowRoot?.activeElement === null) refugeOf(this)?.focus({ preventScroll: true })
  }
}

function stopIfOff(event: Event): void {
  const { target } = event
  if (!(target instanceof Element) || target.closest('[aria-disabled="true"]') === null) return
  event.preventDefault()
  event.stopImmediatePropagation()
}

function refugeOf(element: Element): HTMLElement | undefined {
  for (
    let root: Node | null = element.shadowRoot;
    root instanceof ShadowRoot;
    root = root.host.getRootNode()
  ) {
    const found = root.querySelector('.refuge')
    if (found instanceof HTMLElement) return found
  }
  return undefined
}
