import { css, html, nothing, type PropertyValues } from 'lit'
import { jsonBlob, saveAs } from './download.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formatAmount, formatInteger, type MicroCredits } from './format.ts'
import { glyph } from './glyph.ts'
import {
  arraysOf,
  checksum,
  isMatrixResult,
  isNearestResult,
  isPictureResult,
  type MatrixResult,
  type NearestResult,
  type PictureResult,
  pixelsOf
} from './result-values.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const CORNER = 4
/** A list of more elements is downloaded as bytes only. */
const JSON_MOST = 1_000_000
/** A partial picture takes at most a fifth of the time to paint. */
const PAINT_REST = 4
const PAINT_EVERY_MS = 100

/** Where a picture was clicked (pixels of the picture), and how much wider the next view should be. */
export interface Zoom {
  readonly x: number
  readonly y: number
  readonly factor: number
}

/** What the next view costs in its middle; undefined: the skill goes no further, and will say so. */
export interface ZoomPrices {
  readonly in: MicroCredits | undefined
  readonly out: MicroCredits | undefined
  /** The whole plane is shown: further out is the same view. */
  readonly isWhole: boolean
}

export const ZOOM_IN = 0.25
export const ZOOM_OUT = 4

/**
 * The output of a job: whole, or as far as it has come. With `zoom` its picture can be zoomed, and it fires `zoom`
 * (CustomEvent<Zoom>, composed).
 */
export class ResultView extends PageElement {
  static override properties = {
    value: { attribute: false },
    partial: { attribute: false },
    revision: { type: Number },
    jobId: { type: String },
    zoom: { attribute: false },
    sum: { state: true },
    failure: { state: true }
  }
  static override styles = [
    base,
    css`
      canvas {
        display: block;
        width: 100%;
        height: auto;
        border-radius: calc(var(--radius) - 0.25rem);
        background: var(--sunken);
        image-rendering: pixelated;
      }
      canvas.zoomable {
        cursor: zoom-in;
      }
      .corner {
        width: auto;
      }
      .corner :is(td, th) {
        padding: var(--space-1) var(--space-4) var(--space-1) 0;
        border: 0;
        text-align: end;
      }
    `
  ]

  declare value: unknown
  declare partial: unknown
  /** Counts what has come: the arrays of a partial output stay the same objects. */
  declare revision: number
  declare jobId: string
  declare zoom: ZoomPrices | undefined
  declare sum: string | undefined
  /** Why there is no checksum. */
  declare failure: Failure | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #paintAt = 0

  constructor() {
    super()
    this.revision = 0
    this.jobId = ''
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('value')) return
    this.sum = undefined
    this.failure = undefined
    if (this.value !== undefined) void this.#addUp(this.value)
  }

  protected override render() {
    const { value } = this
    const picture = this.#picture
    if (value === undefined && picture === undefined) return nothing
    return html`
      <section id="job-result" class="stack" aria-labelledby="result-title" data-sha256=${this.sum ?? ''}>
        <h3 id="result-title">${value === undefined ? texts.job.soFar : texts.job.result}</h3>
        ${picture === undefined ? nothing : this.#renderPicture(picture)}
        ${
          isMatrixResult(value)
            ? this.#renderMatrix(value)
            : isNearestResult(value)
              ? this.#renderNearest(value)
              : value !== undefined && picture === undefined
                ? html`<p>${texts.job.unknownResult}</p>`
                : nothing
        }
        ${value === undefined ? nothing : this.#renderDownloads(value)}
      </section>
    `
  }

  protected override updated(): void {
    if (this.value !== undefined) this.#paint()
    else if (this.#timer === undefined) {
      const wait = Math.max(0, this.#paintAt - performance.now())
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#paint()
      }, wait)
    }
  }

  get #picture(): PictureResult | undefined {
    const shown = this.value ?? this.partial
    return isPictureResult(shown) ? shown : undefined
  }

  #paint(): void {
    const canvas = this.renderRoot.querySelector('canvas')
    const context = canvas?.getContext('2d')
    const picture = this.#picture
    if (context == null || picture === undefined) return
    const begun = performance.now()
    const { width, height } = picture
    context.putImageData(new ImageData(pixelsOf(picture, this.value !== undefined), width, height), 0, 0)
    const took = performance.now() - begun
    this.#paintAt = performance.now() + Math.max(PAINT_EVERY_MS, PAINT_REST * took)
  }

  #renderPicture({ width, height }: PictureResult) {
    const { job } = texts
    const { zoom } = this
    const middle = { x: width / 2, y: height / 2 }
    return html`
      <canvas
        id="job-picture"
        class=${zoom === undefined ? '' : 'zoomable'}
        width=${width}
        height=${height}
        role="img"
        aria-label=${job.picture(formatInteger(width), formatInteger(height))}
        @click=${this.#onClick}
      ></canvas>
      ${
        zoom === undefined
          ? nothing
          : html`
            <div class="row">
              <button id="zoom-in" @click=${() => this.#zoom({ ...middle, factor: ZOOM_IN })}>
                ${glyph('plus')} ${job.zoomIn} ${priceNote(zoom.in)}
              </button>
              <button
                id="zoom-out"
                aria-disabled=${String(zoom.isWhole)}
                @click=${() => this.#zoom({ ...middle, factor: ZOOM_OUT })}
              >
                ${glyph('minus')} ${job.zoomOut} ${zoom.isWhole ? nothing : priceNote(zoom.out)}
              </button>
              <span class="soft small">${job.zoomHint}</span>
            </div>
          `
      }
    `
  }

  #renderMatrix({ c, m, n }: MatrixResult) {
    const rows = Array.from({ length: Math.min(CORNER, m) }, (_, row) =>
      Array.from(c.subarray(row * n, row * n + Math.min(CORNER, n)))
    )
    const show = (value: number) => (c instanceof Int32Array ? formatInteger(value) : value.toPrecision(5))
    return html`
      <p class="soft small" id="corner">${texts.job.corner(formatInteger(m), formatInteger(n))}</p>
      <table class="corner mono" aria-labelledby="corner">
        <tbody>
          ${rows.map((row) => html`<tr>${row.map((value) => html`<td>${show(value)}</td>`)}</tr>`)}
        </tbody>
      </table>
    `
  }

  #renderNearest({ ids, scores, top }: NearestResult) {
    const best = Array.from({ length: Math.min(CORNER, top) }, (_, index) => index)
    return html`
      <p class="soft small" id="nearest">${texts.job.nearest(formatInteger(ids.length / top))}</p>
      <table class="corner mono" aria-labelledby="nearest">
        <thead>
          <tr>
            <th scope="col">${texts.job.row}</th>
            <th scope="col">${texts.job.score}</th>
          </tr>
        </thead>
        <tbody>
          ${best.map(
            (index) => html`
              <tr>
                <td>${formatInteger(ids[index] ?? 0)}</td>
                <td>${formatInteger(scores[index] ?? 0)}</td>
              </tr>
            `
          )}
        </tbody>
      </table>
    `
  }

  #renderDownloads(value: unknown) {
    const { job } = texts
    const arrays = arraysOf(value)
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const isShort = arrays.length > 0 && bytes <= 4 * JSON_MOST
    return html`
      <div class="row">
        ${this.#picture === undefined ? nothing : this.#renderDownload('png', () => this.#savePicture())}
        ${
          arrays.length === 0
            ? nothing
            : this.#renderDownload('bin', () => saveAs(`${this.jobId}.bin`, new Blob(arrays)))
        }
        ${isShort ? this.#renderDownload('json', () => saveAs(`${this.jobId}.json`, jsonBlob(value))) : nothing}
      </div>
      <p class="small"><span class="soft">${job.checksum}</span> <code class="mono">${this.sum}</code></p>
      ${failureNote(this.failure, 'sum-error')}
    `
  }

  #renderDownload(kind: 'png' | 'bin' | 'json', save: () => void) {
    return html`<button id="download-${kind}" @click=${save}>${glyph('down')} ${texts.job.downloads[kind]}</button>`
  }

  #savePicture(): void {
    this.renderRoot.querySelector('canvas')?.toBlob((blob) => {
      if (blob !== null) saveAs(`${this.jobId}.png`, blob)
    })
  }

  #onClick(event: MouseEvent): void {
    const { currentTarget } = event
    if (this.zoom === undefined || !(currentTarget instanceof HTMLCanvasElement)) return
    const { left, top, width, height } = currentTarget.getBoundingClientRect()
    this.#zoom({
      x: ((event.clientX - left) / width) * currentTarget.width,
      y: ((event.clientY - top) / height) * currentTarget.height,
      factor: event.shiftKey ? ZOOM_OUT : ZOOM_IN
    })
  }

  #zoom(zoom: Zoom): void {
    this.dispatchEvent(new CustomEvent<Zoom>('zoom', { detail: zoom, bubbles: true, composed: true }))
  }

  async #addUp(value: unknown): Promise<void> {
    try {
      const sum = await checksum(value)
      if (this.value === value) this.sum = sum
    } catch (error) {
      if (this.value === value) this.failure = describeFailure(error)
    }
  }
}

const priceNote = (price: MicroCredits | undefined) =>
  price === undefined ? nothing : html`<span class="soft small">${formatAmount(price)}</span>`

customElements.define('result-view', ResultView)
