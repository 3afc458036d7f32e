import { html, type TemplateResult } from 'lit'
import type { InputField } from '../api.ts'
import { formatAmount, formatInteger, type MicroCredits } from './format.ts'
import { texts } from './texts/index.ts'

interface FieldInit {
  readonly name: string
  readonly value: string
  readonly problem: string | undefined
}

export function textField(
  init: FieldInit & { readonly hint: string; readonly mode: 'numeric' | 'decimal' | 'text' }
): TemplateResult {
  const { name, value, problem, hint, mode } = init
  return html`
    <div>
      <label for=${name}>${labelOf(name)}</label>
      <input
        id=${name}
        name=${name}
        inputmode=${mode}
        autocomplete="off"
        spellcheck="false"
        .value=${value}
        aria-invalid=${problem === undefined ? 'false' : 'true'}
        aria-describedby="${name}-error ${name}-hint"
      />
      ${problemOf(name, problem)}
      <p class="soft small" id="${name}-hint">${hint}</p>
    </div>
  `
}

export function choiceField({
  name,
  value,
  problem,
  options
}: FieldInit & { readonly options: readonly string[] }): TemplateResult {
  return html`
    <div>
      <label for=${name}>${labelOf(name)}</label>
      <select
        id=${name}
        name=${name}
        aria-invalid=${problem === undefined ? 'false' : 'true'}
        aria-describedby="${name}-error"
      >
        ${options.map((option) => html`<option value=${option} .selected=${option === value}>${option}</option>`)}
      </select>
      ${problemOf(name, problem)}
    </div>
  `
}

/** What the job costs before anything is asked; `times` each unit is done. */
export function priceLine(
  price: MicroCredits | 'unknown' | undefined,
  times: bigint
): TemplateResult | undefined {
  const { quote } = texts.hire
  if (price === undefined) return undefined
  const words = price === 'unknown' ? quote.large : quote.only(formatAmount(price * times))
  return html`<p id="price" class="soft small" role="status">${words}</p>`
}

/** What is wrong with a field, below it. */
export function problemOf(name: string, problem: string | undefined): TemplateResult {
  return html`<p class="invalid" id="${name}-error">${problem}</p>`
}

export const limitsOf = ({ least, most }: InputField) =>
  least === undefined || most === undefined
    ? ''
    : texts.hire.limits(formatInteger(least), formatInteger(most))

/** Of a field that this page has no word for: its name. */
export function labelOf(name: string): string {
  const labels: Readonly<Record<string, string>> = texts.hire.fields
  return Object.hasOwn(labels, name) ? (labels[name] ?? name) : name
}
