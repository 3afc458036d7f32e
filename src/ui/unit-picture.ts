import { css, html, nothing } from 'lit'
import type { UnitPicture as Picture } from '../api.ts'
import { PageElement } from './element.ts'
import { formatInteger, shortId } from './format.ts'
import { isPictureResult, pixelsOf, thumbnailOf } from './result-values.ts'
import { skillTitle } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** Pixels of the longer side: enough to see what it is, and painted in a few milliseconds. */
const SIDE = 240

/** The tile that this node has computed last, for skills that make pictures. */
export class UnitPicture extends PageElement {
  static override properties = { picture: { attribute: false } }
  static override styles = [
    base,
    css`
      figure {
        display: grid;
        grid-template-columns: 7rem minmax(0, 1fr);
        gap: var(--space-4);
        align-items: center;
      }
      canvas {
        display: block;
        width: 100%;
        max-height: 9rem;
        object-fit: contain;
        border-radius: calc(var(--radius) - 0.25rem);
        background: var(--sunken);
        image-rendering: pixelated;
      }
    `
  ]

  declare picture: Picture | undefined

  protected override render() {
    const small = this.#small
    if (small === undefined || this.picture === undefined) return nothing
    const { skill, requester } = this.picture
    const { width, height } = small
    return html`
      <figure id="unit-picture" data-skill=${skill}>
        <canvas
          width=${width}
          height=${height}
          role="img"
          aria-label=${texts.job.picture(formatInteger(width), formatInteger(height))}
        ></canvas>
        <figcaption class="soft small">${texts.serve.picture(skillTitle(skill), shortId(requester))}</figcaption>
      </figure>
    `
  }

  protected override updated(): void {
    const small = this.#small
    const context = this.renderRoot.querySelector('canvas')?.getContext('2d')
    if (context == null || small === undefined) return
    context.putImageData(new ImageData(pixelsOf(small, true), small.width, small.height), 0, 0)
  }

  get #small() {
    const output = this.picture?.output
    return isPictureResult(output) ? thumbnailOf(output, SIDE) : undefined
  }
}

customElements.define('unit-picture', UnitPicture)
