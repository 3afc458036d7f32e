import { css, html } from 'lit'
import { PageElement } from './element.ts'
import { formatDecimal, formatDuration, formatPercent } from './format.ts'
import './line-plot.ts'
import { amountLine, changeLine, rateLine, type Sample, useLine } from './samples.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** Work, credits, latency and use of the device over the last ten minutes; they stand still when frozen. */
export class PlotsPanel extends PageElement {
  static override properties = {
    samples: { attribute: false },
    frozen: { state: true }
  }
  static override styles = [
    base,
    css`
      header {
        display: flex;
        gap: var(--space-4);
        justify-content: space-between;
        align-items: center;
      }
      button {
        min-height: 2.25rem;
        padding: var(--space-1) var(--space-3);
      }
    `
  ]

  declare samples: readonly Sample[]
  /** What is shown although time goes on. */
  declare frozen: readonly Sample[] | undefined

  constructor() {
    super()
    this.samples = []
  }

  protected override render() {
    const { see } = texts
    const shown = this.frozen ?? this.samples
    const at = shown.map((sample) => sample.at)
    return html`
      <section class="card stack" id="plots" data-samples=${shown.length} aria-labelledby="title">
        <header>
          <h2 id="title">${see.plots}</h2>
          <button id="freeze" aria-pressed=${String(this.frozen !== undefined)} @click=${this.#onFreeze}>
            ${see.freeze}
          </button>
        </header>
        <line-plot
          id="plot-work"
          .name=${see.work.title}
          .at=${at}
          .lines=${[
            { name: see.work.served, values: rateLine(shown, ({ served }) => served) },
            { name: see.work.hired, values: rateLine(shown, ({ hired }) => hired) }
          ]}
          .format=${formatDecimal}
          .empty=${see.collecting}
        ></line-plot>
        <line-plot
          id="plot-credits"
          .name=${see.credits.title}
          .at=${at}
          .lines=${[
            { name: see.credits.settled, values: changeLine(shown, ({ settled }) => settled) },
            { name: see.credits.coming, values: amountLine(shown, ({ coming }) => coming) }
          ]}
          .format=${formatDecimal}
          .empty=${see.collecting}
        ></line-plot>
        <line-plot
          id="plot-latency"
          .name=${see.latency.title}
          .at=${at}
          .lines=${[
            { name: see.latency.median, values: shown.map(({ latency }) => latency?.median) },
            { name: see.latency.most, values: shown.map(({ latency }) => latency?.most) }
          ]}
          .format=${formatDuration}
          .empty=${see.latency.none}
        ></line-plot>
        <line-plot
          id="plot-use"
          .name=${see.use.title}
          .at=${at}
          .lines=${[{ name: see.use.busy, values: useLine(shown) }]}
          .most=${1}
          .format=${formatPercent}
          .empty=${see.collecting}
        ></line-plot>
      </section>
    `
  }

  #onFreeze(): void {
    this.frozen = this.frozen === undefined ? this.samples : undefined
  }
}

customElements.define('plots-panel', PlotsPanel)
