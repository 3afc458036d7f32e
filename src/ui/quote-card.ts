import { css, html, nothing, type PropertyValues } from 'lit'
import type { JobQuote, SwarmCore } from '../api.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formatAmount, formatDuration, formatInteger, formatUnits } from './format.ts'
import type { Order } from './skill-form.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** What a job would cost and take, here and away, before anything is paid. */
export class QuoteCard extends PageElement {
  static override properties = {
    swarm: { attribute: false },
    order: { attribute: false },
    quote: { state: true },
    failure: { state: true }
  }
  static override styles = [
    base,
    css`
      :host {
        margin-top: var(--space-4);
      }
      section {
        padding: var(--space-4);
        border-radius: var(--radius);
        background: var(--accent-soft);
      }
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
        gap: var(--space-3) var(--space-4);
      }
      dt {
        font-size: var(--text-s);
      }
      dd {
        font-size: var(--text-l);
        font-weight: 600;
      }
    `
  ]

  declare swarm: SwarmCore
  declare order: Order | undefined
  declare quote: JobQuote | undefined
  declare failure: Failure | undefined

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('order') || this.order === undefined) return
    this.quote = undefined
    this.failure = undefined
    void this.#ask(this.order)
  }

  protected override render() {
    const { quote } = texts.hire
    if (this.failure !== undefined) return failureNote(this.failure, 'quote-error')
    return html`
      <section id="quote" role="status" data-price=${this.quote === undefined ? '' : String(this.quote.price)}>
        ${this.quote === undefined ? html`<p>${quote.asking}</p>` : this.#renderQuote(this.quote)}
      </section>
    `
  }

  #renderQuote({ price, units, providers, measured, etaMs, localEtaMs, fasterAtHome }: JobQuote) {
    const { quote } = texts.hire
    const { redundancy } = this.order?.options ?? {}
    const times = typeof redundancy === 'number' ? BigInt(redundancy) : 1n
    return html`
      <dl>
        <div>
          <dt>${quote.price}</dt>
          <dd>${formatAmount(price * times)}</dd>
        </div>
        <div>
          <dt>${quote.time}</dt>
          <dd>${etaMs === undefined ? quote.unknown : formatDuration(etaMs)}</dd>
        </div>
        <div>
          <dt>${quote.home}</dt>
          <dd>${formatDuration(localEtaMs)}</dd>
        </div>
        <div>
          <dt>${quote.providers}</dt>
          <dd>${formatInteger(providers)}</dd>
        </div>
      </dl>
      <p class="small">
        ${quote.units(formatUnits(units))}
        ${measured > 0 ? quote.measured(formatInteger(measured)) : nothing}
        ${times > 1n ? quote.once : nothing}
        ${providers === 0 ? quote.nobody : fasterAtHome ? quote.fasterAtHome : nothing}
      </p>
    `
  }

  async #ask(order: Order): Promise<void> {
    try {
      const quote = await this.swarm.quote(order.skill, order.input)
      if (this.order === order) this.quote = quote
    } catch (error) {
      if (this.order === order) this.failure = describeFailure(error)
    }
  }
}

customElements.define('quote-card', QuoteCard)
