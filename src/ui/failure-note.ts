import { html, nothing, type TemplateResult } from 'lit'
import { type Failure, saidOf } from './failure.ts'
import { texts } from './texts/index.ts'

/** @param dismiss adds a button that takes the note away */
export function failureNote(
  failure: Failure | undefined,
  id: string,
  dismiss?: () => void
): TemplateResult | typeof nothing {
  if (failure === undefined) return nothing
  return html`
    <div class="failure row" id=${id} role="alert">
      <p>
        ${saidOf(failure)}
        ${
          failure.code === undefined
            ? nothing
            : html`<span class="small">${texts.error.code} <code>${failure.code}</code></span>`
        }
      </p>
      ${dismiss === undefined ? nothing : html`<button @click=${dismiss}>${texts.error.dismiss}</button>`}
    </div>
  `
}
