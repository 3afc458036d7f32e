import { css, html, nothing, type PropertyValues } from 'lit'
import UPlot from 'uplot'
import { breathe } from './breathe.ts'
import { PageElement } from './element.ts'
import { formatDuration } from './format.ts'
import { rangeOf, shownValues } from './plot-scale.ts'
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
/** Time between two of its marks, one of these. */
const TIME_STEPS_MS = [10_000, 30_000, 60_000, 120_000, 300_000]
/** CSS pixels. */
const HEIGHT = 112
const TIME_AXIS = 22
const VALUE_AXIS = 56
const FONT = '12px system-ui, sans-serif'
/** Plots of one group show the same moment under the pointer. */
const GROUP = 'over-time'

/** Up to two lines over time, drawn by uPlot, and the table behind them. Numbers are written by `format`. */
export class LinePlot extends PageElement {
  static override properties = {
    name: { type: String },
    at: { attribute: false },
    lines: { attribute: false },
    most: { type: Number },
    format: { attribute: false },
    empty: { type: String },
    open: { state: true },
    pointed: { state: true }
  }
  static override styles = [
    base,
    css`
      figure {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
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
        height: ${HEIGHT}px;
        color: var(--ink-soft);
        border: 0 solid var(--line);
      }
      .none {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        padding: 0 var(--space-4);
        background: var(--sunken);
        text-align: center;
      }
      path {
        fill: none;
        stroke-width: 2;
      }
      .line0 {
        stroke: var(--accent);
      }
      .line1 {
        stroke: var(--ink-soft);
        stroke-dasharray: 5 4;
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
      /* of uPlot's own, what is used here */
      .u-wrap {
        position: relative;
        user-select: none;
      }
      .u-over,
      .u-under {
        position: absolute;
      }
      .u-under {
        overflow: hidden;
      }
      canvas {
        display: block;
        width: 100%;
        height: 100%;
      }
      .u-cursor-x,
      .u-cursor-pt {
        position: absolute;
        top: 0;
        left: 0;
        pointer-events: none;
      }
      .u-cursor-x {
        height: 100%;
        border-right: 1px solid var(--line-strong);
      }
      .u-cursor-pt {
        border: 0 solid;
        border-radius: 50%;
      }
      .u-off {
        display: none;
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
  /** The moment under the pointer, by its place in `at`. */
  declare pointed: number | undefined
  #plot: UPlot | undefined
  readonly #resized = new ResizeObserver(() => this.#draw())
  readonly #dark = matchMedia('(prefers-color-scheme: dark)')
  readonly #onDark = () => this.#plot?.redraw(false)

  constructor() {
    super()
    this.name = ''
    this.at = []
    this.lines = []
    this.format = String
    this.empty = ''
    this.open = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#resized.observe(this)
    this.#dark.addEventListener('change', this.#onDark)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resized.disconnect()
    this.#dark.removeEventListener('change', this.#onDark)
    this.#plot?.destroy()
    this.#plot = undefined
  }

  protected override render() {
    // The table says it for those who do not see it.
    return html`
      <figure aria-labelledby="name">
        <figcaption>
          <h3 id="name">${this.name}</h3>
          <span class="keys">
            ${this.#renderMoment()} ${this.lines.map((line, index) => this.#renderKey(line, index))}
          </span>
        </figcaption>
        <div class="box" aria-hidden="true">
          <div id="canvas"></div>
          ${this.#isEmpty ? html`<span class="none soft small">${this.empty}</span>` : nothing}
        </div>
        <details @toggle=${this.#onToggle}>
          <summary>${texts.see.table}</summary>
          ${this.open ? this.#renderTable() : nothing}
        </details>
      </figure>
    `
  }

  protected override updated(changed: PropertyValues<this>): void {
    // A change of language comes without a changed property.
    const isDrawn = [...changed.keys()].some((name) => name !== 'open' && name !== 'pointed')
    if (!isDrawn && changed.size > 0) return
    if (this.#plot === undefined) void breathe().then(() => this.#draw())
    else this.#draw()
  }

  get #isEmpty(): boolean {
    return this.lines.every(({ values }) => values.every((value) => value === undefined))
  }

  /** How long before the newest value (ms). */
  #agoOf(index: number): number {
    return (this.at.at(-1) ?? 0) - (this.at[index] ?? 0)
  }

  #renderMoment() {
    const { pointed } = this
    return pointed === undefined
      ? nothing
      : html`<span class="key soft" aria-hidden="true">${beforeNow(this.#agoOf(pointed))}</span>`
  }

  #renderKey({ name, values }: PlotLine, index: number) {
    const value = this.pointed === undefined ? values.at(-1) : values[this.pointed]
    return html`
      <span class="key soft">
        <svg viewBox="0 0 20 8" aria-hidden="true"><path class="line${index}" d="M0 4H20" /></svg>
        ${name} <strong>${this.#text(value)}</strong>
      </span>
    `
  }

  #renderTable() {
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
                  <td class="nowrap">${formatDuration(this.#agoOf(row))}</td>
                  ${this.lines.map(({ values }) => html`<td class="number">${this.#text(values[row])}</td>`)}
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
    `
  }

  /** The first time each by itself: four at once would be a long work. Only where it is seen: what is hidden has no width, and is drawn when it gets one. */
  #draw(): void {
    const canvas = this.renderRoot.querySelector('#canvas')
    if (!this.isConnected || canvas === null || canvas.clientWidth === 0) return
    const width = canvas.clientWidth
    // The first line over the second.
    const data: UPlot.AlignedData = [
      this.at.map((_, index) => 0 - this.#agoOf(index)),
      ...this.lines.map(({ values }) => shownValues(values)).toReversed()
    ]
    if (this.#plot === undefined) {
      this.#plot = new UPlot(this.#options(width), data)
      canvas.append(this.#plot.root)
      return
    }
    if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT })
    this.#plot.setData(data)
    // Axes are written anew: the language may be another.
    this.#plot.redraw(false, true)
  }

  #options(width: number): UPlot.Options {
    const text = () => this.#styleOf('.box').color
    const faint = () => this.#styleOf('.box').borderTopColor
    return {
      width,
      height: HEIGHT,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: GROUP, scales: ['x', null], setSeries: false }
      },
      hooks: {
        setCursor: [
          ({ cursor: { idx } }) => {
            this.pointed = idx ?? undefined
          }
        ]
      },
      scales: {
        x: {
          time: false,
          range: (_, least) => [Math.min(least ?? 0, -SPAN_LEAST_MS), 0]
        },
        y: { range: (_, low, high) => rangeOf(low, high, this.most) }
      },
      axes: [
        {
          stroke: text,
          font: FONT,
          size: TIME_AXIS,
          gap: 5,
          space: 64,
          incrs: TIME_STEPS_MS,
          values: (_, splits) => splits.map((at) => beforeNow(0 - at)),
          grid: { show: false },
          ticks: { show: false },
          border: { show: true, stroke: faint, width: 1 }
        },
        {
          stroke: text,
          font: FONT,
          size: VALUE_AXIS,
          space: 28,
          values: (_, splits) => splits.map((value) => this.format(value)),
          grid: { stroke: faint, width: 1 },
          ticks: { show: false }
        }
      ],
      series: [
        {},
        ...this.lines
          .map(
            (_, index): UPlot.Series => ({
              stroke: () => this.#styleOf(`.line${index}`).stroke,
              width: 2,
              points: { show: false },
              ...(index === 0 ? {} : { dash: [5, 4] })
            })
          )
          .toReversed()
      ]
    }
  }

  /** What a canvas needs of the theme: colours without names. */
  #styleOf(selector: string): CSSStyleDeclaration {
    return getComputedStyle(this.renderRoot.querySelector(selector) ?? this)
  }

  #text(value: number | undefined): string {
    return value === undefined ? '–' : this.format(value)
  }

  #onToggle({ target }: Event): void {
    this.open = target instanceof HTMLDetailsElement && target.open
  }
}

function beforeNow(ms: number): string {
  return ms === 0 ? texts.see.now : `−${formatDuration(ms)}`
}

customElements.define('line-plot', LinePlot)
