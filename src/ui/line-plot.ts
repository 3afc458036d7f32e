import { css, html, nothing, svg } from 'lit'
import { PageElement } from './element.ts'
import { formatDuration } from './format.ts'
import { BOX, pathOf, rangeOf } from './plot-scale.ts'
import type { Line } from './samples.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

export interface PlotLine {
  readonly name: string
  readonly values: Line
}

/** Rows of the table, newest first. */
const ROWS = 30
/** The time axis shows at least so much. */
const SPAN_LEAST_MS = 60_000

/** Up to two lines over time, and the table behind them. Numbers are written by `format`. */
export class LinePlot extends PageElement {
  static override properties = {
    name: { type: String },
    at: { attribute: false },
    lines: { attribute: false },
    most: { type: Number },
    format: { attribute: false },
    empty: { type: String },
    open: { state: true }
  }
  static override styles = [
    base,
    css`
      figure {
        display: grid;
        gap: var(--space-2);
      }
      figcaption {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-4);
        justify-content: space-between;
        align-items: baseline;
      }
      .key {
        display: inline-flex;
        gap: var(--space-2);
        align-items: center;
        font-size: var(--text-s);
      }
      .keys {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-4);
      }
      .key svg {
        width: 1.25rem;
        height: 0.5rem;
      }
      .key strong {
        color: var(--ink);
      }
      .box {
        position: relative;
        height: 5.5rem;
        border-bottom: 1px solid var(--line-strong);
        border-top: 1px dashed var(--line);
        background: var(--sunken);
      }
      .box > svg {
        display: block;
        width: 100%;
        height: 100%;
      }
      .box .none {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        padding: 0 var(--space-4);
        text-align: center;
      }
      .axis {
        display: flex;
        justify-content: space-between;
        color: var(--ink-soft);
        font-size: var(--text-s);
        line-height: 1.2;
      }
      path,
      line {
        fill: none;
        stroke-width: 2;
        stroke-linejoin: round;
        vector-effect: non-scaling-stroke;
      }
      .line0 {
        stroke: var(--accent);
      }
      .line1 {
        stroke: var(--ink-soft);
        stroke-dasharray: 5 4;
      }
      .zero {
        stroke: var(--line-strong);
        stroke-width: 1;
      }
      summary {
        width: max-content;
        padding: var(--space-1) 0;
        font-size: var(--text-s);
        cursor: pointer;
      }
      .scroll {
        max-height: 14rem;
        overflow: auto;
      }
    `
  ]

  declare name: string
  /** When each value was taken (ms). */
  declare at: readonly number[]
  declare lines: readonly PlotLine[]
  /** The upper end of the axis, where it is known. */
  declare most: number | undefined
  declare format: (value: number) => string
  /** What stands in the place of a plot without values. */
  declare empty: string
  declare open: boolean

  constructor() {
    super()
    this.name = ''
    this.at = []
    this.lines = []
    this.format = String
    this.empty = ''
    this.open = false
  }

  protected override render() {
    return html`
      <figure aria-labelledby="name">
        <figcaption>
          <h3 id="name">${this.name}</h3>
          <span class="keys">${this.lines.map((line, index) => this.#renderKey(line, index))}</span>
        </figcaption>
        ${this.#renderPlot()}
        <details @toggle=${this.#onToggle}>
          <summary>${texts.see.table}</summary>
          ${this.open ? this.#renderTable() : nothing}
        </details>
      </figure>
    `
  }

  #renderKey({ name, values }: PlotLine, index: number) {
    return html`
      <span class="key soft">
        <svg viewBox="0 0 20 8" aria-hidden="true"><path class="line${index}" d="M0 4H20" /></svg>
        ${name} <strong>${this.#text(values.at(-1))}</strong>
      </span>
    `
  }

  #renderPlot() {
    const to = this.at.at(-1) ?? 0
    const from = Math.min(this.at[0] ?? 0, to - SPAN_LEAST_MS)
    const range = rangeOf(
      this.lines.map(({ values }) => values),
      this.most
    )
    const isEmpty = this.lines.every(({ values }) => values.every((value) => value === undefined))
    const zero = BOX.height * (1 - (0 - range.least) / (range.most - range.least))
    // The table says it for those who do not see it.
    return html`
      <div aria-hidden="true">
        <div class="axis"><span>${isEmpty ? '' : this.format(range.most)}</span></div>
        <div class="box">
          <svg viewBox="0 0 ${BOX.width} ${BOX.height}" preserveAspectRatio="none">
            ${range.least < 0 ? svg`<line class="zero" x1="0" x2=${BOX.width} y1=${zero} y2=${zero} />` : nothing}
            ${this.lines
              .map(
                ({ values }, index) =>
                  svg`<path class="line${index}" d=${pathOf(this.at, values, range, from, to)} />`
              )
              .toReversed()}
          </svg>
          ${isEmpty ? html`<span class="none soft small">${this.empty}</span>` : nothing}
        </div>
        <div class="axis">
          <span>${isEmpty ? '' : this.format(range.least)}</span>
          <span>${texts.see.lately(formatDuration(to - from))}</span>
        </div>
      </div>
    `
  }

  #renderTable() {
    const to = this.at.at(-1) ?? 0
    const rows = [...this.at.keys()].slice(-ROWS).toReversed()
    return html`
      <div class="scroll" tabindex="0" role="region" aria-labelledby="name">
        <table>
          <thead>
            <tr>
              <th scope="col">${texts.see.ago}</th>
              ${this.lines.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) => html`
                <tr>
                  <td class="nowrap">${formatDuration(to - (this.at[row] ?? 0))}</td>
                  ${this.lines.map(({ values }) => html`<td class="number">${this.#text(values[row])}</td>`)}
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
    `
  }

  #text(value: number | undefined): string {
    return value === undefined ? '–' : this.format(value)
  }

  #onToggle({ target }: Event): void {
    this.open = target instanceof HTMLDetailsElement && target.open
  }
}

customElements.define('line-plot', LinePlot)
