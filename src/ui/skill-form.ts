import { css, html, nothing, type PropertyValues } from 'lit'
import type { InputField, SkillInfo, SubmitOptions, SwarmCore } from '../api.ts'
import { PageElement } from './element.ts'
import { hasFile, isFolder, takeFile } from './file-drop.ts'
import { choiceField, labelOf, limitsOf, priceLine, problemOf, textField } from './form-fields.ts'
import {
  BUDGET,
  type Draft,
  draftFrom,
  draftInput,
  draftPrice,
  exampleDraft,
  fieldProblems,
  firstDraft,
  type Problems,
  parseBudget,
  randomFields,
  randomLength
} from './form-model.ts'
import { formStyles } from './form-styles.ts'
import { formatInteger, type MicroCredits } from './format.ts'
import './quote-card.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

export interface Order {
  readonly skill: string
  readonly input: unknown
  readonly options: SubmitOptions
}

const REDUNDANCIES = ['auto', '1', '2', '3'] as const
/** Elements up to which an input is made again for each quote, without being asked. */
const QUOTE_BY_ITSELF = 2 ** 20
const QUOTE_AFTER_MS = 500

/** A form for one skill, made from what the skill says of its input. Fires `order` (CustomEvent<Order>). */
export class SkillForm extends PageElement {
  static override properties = {
    swarm: { attribute: false },
    skill: { attribute: false },
    settled: { attribute: false },
    busy: { type: Boolean },
    draft: { state: true },
    problems: { state: true },
    redundancy: { state: true },
    quoted: { state: true },
    price: { state: true },
    over: { state: true }
  }
  static override styles = [
    base,
    formStyles,
    css`
      form {
        padding-top: var(--space-4);
        border-top: 1px solid var(--line);
      }
    `
  ]

  declare swarm: SwarmCore
  declare skill: SkillInfo
  declare settled: MicroCredits
  declare busy: boolean
  declare draft: Draft
  declare problems: Problems
  declare redundancy: (typeof REDUNDANCIES)[number]
  /** What the quote is asked for; a new object asks anew. */
  declare quoted: Order | undefined
  /** While there is no quote. */
  declare price: ReturnType<typeof draftPrice>
  /** The field that a file is dragged over. */
  declare over: string | undefined
  readonly #drafts = new Map<string, Draft>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.settled = 0n
    this.busy = false
    this.draft = { texts: {}, arrays: {} }
    this.problems = {}
    this.redundancy = 'auto'
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  /** Puts an input, such as that of another view of the plane, into the fields. */
  fill(input: unknown): void {
    this.#edit({ texts: { ...this.draft.texts, ...draftFrom(this.skill, input).texts } })
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('skill')) return
    const before = changed.get('skill')
    if (before !== undefined) this.#drafts.set(before.name, this.draft)
    this.draft = this.#drafts.get(this.skill.name) ?? firstDraft(this.skill)
    this.problems = {}
    this.quoted = undefined
    this.#later(() => this.#showPrice())
  }

  #showPrice(): void {
    this.price = draftPrice(this.skill, this.draft)
  }

  #later(work: () => void): void {
    this.price = undefined
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, QUOTE_AFTER_MS)
  }

  protected override render() {
    const { hire } = texts
    const members = this.skill.fields
    return html`
      <form
        id="job-form"
        class="stack"
        novalidate
        @submit=${this.#onSubmit}
        @input=${this.#onInput}
        @dragover=${(event: DragEvent) => this.#onDragOver(event, '')}
        @dragleave=${() => (this.over = undefined)}
        @drop=${(event: DragEvent) => this.#onDrop(event, undefined)}
      >
        <div class="fields">
          ${members.filter(({ kind }) => kind === 'array').map((field) => this.#renderArray(field))}
          ${members.filter(({ kind }) => kind !== 'array').map((field) => this.#renderMember(field))}
          ${randomFields(this.skill, this.draft).map((name) => this.#renderText(name, '', 'numeric'))}
          ${this.#renderText(BUDGET, hire.budgetHint, 'numeric')} ${this.#renderRedundancy()}
        </div>
        <p class="invalid" id="form-error" role="alert">${this.problems['']}</p>
        <div class="row">
          <button id="submit-job" class="primary" aria-disabled=${String(this.busy)}>${hire.submit}</button>
          <button id="get-quote" type="button" @click=${() => this.#quote(true)}>${hire.quote.ask}</button>
          <button id="fill-example" type="button" @click=${() => this.#edit(exampleDraft(this.skill))}>
            ${hire.example}
          </button>
        </div>
        <p class="soft small">${hire.dropHint}</p>
      </form>
      ${
        this.quoted === undefined
          ? priceLine(this.price, this.redundancy === 'auto' ? 1n : BigInt(this.redundancy))
          : html`<quote-card .swarm=${this.swarm} .order=${this.quoted}></quote-card>`
      }
    `
  }

  #renderMember(field: InputField) {
    switch (field.kind) {
      case 'choice':
        return choiceField({
          name: field.name,
          options: field.options ?? [],
          value: this.draft.texts[field.name] ?? '',
          problem: this.problems[field.name]
        })
      case 'data':
        return this.#renderData(field.name)
      case 'integer':
      case 'number':
        return this.#renderText(field.name, limitsOf(field), field.kind === 'integer' ? 'numeric' : 'decimal')
      default:
        return this.#renderText(field.name, '', 'text')
    }
  }

  #renderText(name: string, hint: string, mode: 'numeric' | 'decimal' | 'text') {
    return textField({ name, hint, mode, value: this.draft.texts[name] ?? '', problem: this.problems[name] })
  }

  #renderRedundancy() {
    const { redundancy } = texts.hire
    return html`
      <div>
        <label for="redundancy">${redundancy.label}</label>
        <select
          id="redundancy"
          aria-describedby="redundancy-hint"
          @change=${(event: Event) => this.#onRedundancy(event)}
        >
          ${REDUNDANCIES.map(
            (option) => html`
              <option value=${option} .selected=${option === this.redundancy}>
                ${option === 'auto' ? redundancy.auto : option}
              </option>
            `
          )}
        </select>
        <p class="soft small" id="redundancy-hint">${redundancy.hint}</p>
      </div>
    `
  }

  #renderData(name: string) {
    return html`
      <div
        class="wide"
        @dragover=${(event: DragEvent) => this.#onDragOver(event, name)}
        @drop=${(event: DragEvent) => this.#onDrop(event, name)}
      >
        <label for=${name}>${labelOf(name)}</label>
        <textarea
          id=${name}
          name=${name}
          class=${this.over === name ? 'over' : ''}
          spellcheck="false"
          .value=${this.draft.texts[name] ?? ''}
          aria-invalid=${this.#isWrong(name)}
          aria-describedby="${name}-error"
        ></textarea>
        ${problemOf(name, this.problems[name])}
        <input
          type="file"
          accept=".json,application/json"
          aria-label=${texts.hire.file.pick(labelOf(name))}
          aria-describedby="${name}-error"
          @change=${(event: Event) => this.#onPick(event, name)}
        />
      </div>
    `
  }

  #renderArray({ name, element = '' }: InputField) {
    const { file } = texts.hire
    const source = this.draft.arrays[name] ?? { kind: 'example' }
    return html`
      <fieldset class="wide">
        <legend>${labelOf(name)} <span class="soft">${element}</span></legend>
        <div
          class="source ${this.over === name ? 'over' : ''}"
          @dragover=${(event: DragEvent) => this.#onDragOver(event, name)}
          @drop=${(event: DragEvent) => this.#onDrop(event, name)}
        >
          <select
            id="${name}-source"
            aria-label=${file.source(labelOf(name))}
            aria-invalid=${this.#isWrong(name)}
            aria-describedby="${name}-error"
            @change=${(event: Event) => this.#onSource(event, name)}
          >
            <option value="random" .selected=${source.kind === 'random'}>${file.random}</option>
            <option value="example" .selected=${source.kind === 'example'}>${file.example}</option>
            ${
              source.kind === 'file'
                ? html`<option value="file" selected>${source.name.slice(0, 60)}</option>`
                : nothing
            }
          </select>
          <input
            id="${name}-file"
            type="file"
            aria-label=${file.pick(labelOf(name))}
            aria-describedby="${name}-error"
            @change=${(event: Event) => this.#onPick(event, name)}
          />
          ${
            source.kind === 'file'
              ? html`<p class="soft small wide">${file.elements(formatInteger(source.values.length))}</p>`
              : nothing
          }
        </div>
        ${problemOf(name, this.problems[name])}
      </fieldset>
    `
  }

  #isWrong(name: string): 'true' | 'false' {
    return this.problems[name] === undefined ? 'false' : 'true'
  }

  #onInput(event: Event): void {
    const { target } = event
    const isField =
      target instanceof HTMLInputElement ||
      target instanceof HTMLSelectElement ||
      target instanceof HTMLTextAreaElement
    if (isField && target.name !== '')
      this.#edit({ texts: { ...this.draft.texts, [target.name]: target.value } })
  }

  #onSource(event: Event, name: string): void {
    const { target } = event
    if (!(target instanceof HTMLSelectElement) || target.value === 'file') return
    const kind = target.value === 'random' ? 'random' : 'example'
    this.#edit({ arrays: { ...this.draft.arrays, [name]: { kind } } })
  }

  #onRedundancy({ target }: Event): void {
    const found =
      target instanceof HTMLSelectElement ? REDUNDANCIES.find((option) => option === target.value) : undefined
    this.redundancy = found ?? 'auto'
    this.#edit({})
  }

  #onPick({ target }: Event, name: string): void {
    const file = target instanceof HTMLInputElement ? target.files?.[0] : undefined
    if (file !== undefined) void this.#take(file, name)
  }

  /** Text is not taken: the field below it takes it by itself. */
  #onDragOver(event: DragEvent, name: string): void {
    if (!hasFile(event)) return
    event.preventDefault()
    event.stopPropagation()
    this.over = name
  }

  #onDrop(event: DragEvent, name: string | undefined): void {
    if (!hasFile(event)) return
    event.preventDefault()
    event.stopPropagation()
    this.over = undefined
    const [file] = event.dataTransfer?.files ?? []
    if (file !== undefined) void this.#take(file, name, isFolder(event))
  }

  async #take(file: File, name: string | undefined, folder = false): Promise<void> {
    const { skill } = this
    const taken = await takeFile(skill, file, name, folder)
    if (skill !== this.skill) return
    if ('problem' in taken) {
      this.problems = { ...this.problems, [taken.field]: taken.problem }
      return
    }
    const { texts, arrays } = taken.change
    const { [name ?? '']: _solved, ...problems } = this.problems
    this.problems = problems
    this.#edit({
      texts: { ...this.draft.texts, ...texts },
      arrays: { ...this.draft.arrays, ...arrays }
    })
  }

  #edit(change: Partial<Draft>): void {
    this.draft = { ...this.draft, ...change }
    // What was wrong is looked at anew as one types; what is not yet right is said at submit only.
    const still = fieldProblems(this.skill, this.draft)
    const kept = Object.keys(this.problems).filter((field) => still[field] !== undefined)
    this.problems = Object.fromEntries(kept.map((field) => [field, still[field] ?? '']))
    this.quoted = undefined
    this.#later(() => this.#quote(false))
  }

  #quote(isAsked: boolean): void {
    if (!isAsked && Object.keys(fieldProblems(this.skill, this.draft)).length > 0) return
    if (!isAsked && randomLength(this.skill, this.draft) > QUOTE_BY_ITSELF) {
      this.#showPrice()
      return
    }
    const made = draftInput(this.skill, this.draft)
    if ('input' in made)
      this.quoted = { skill: this.skill.name, input: made.input, options: this.#options(undefined) }
    else if (isAsked) this.#refuse(made.problems)
  }

  #onSubmit(event: Event): void {
    event.preventDefault()
    if (this.busy) return
    const budget = parseBudget(this.draft.texts[BUDGET] ?? '', this.settled)
    const made = draftInput(this.skill, this.draft)
    const problems = {
      ...('problems' in made ? made.problems : {}),
      ...('problem' in budget ? { [BUDGET]: budget.problem } : {})
    }
    if ('problem' in budget || 'problems' in made) {
      this.#refuse(problems)
      return
    }
    this.problems = {}
    const order = { skill: this.skill.name, input: made.input, options: this.#options(budget.budget) }
    this.dispatchEvent(new CustomEvent<Order>('order', { detail: order }))
  }

  #options(budget: MicroCredits | undefined): SubmitOptions {
    return {
      ...(budget === undefined ? {} : { budget }),
      ...(this.redundancy === 'auto' ? {} : { redundancy: Number(this.redundancy) })
    }
  }

  #refuse(problems: Problems): void {
    this.problems = problems
    void this.#focusFirst()
  }

  async #focusFirst(): Promise<void> {
    await this.updateComplete
    const first = this.renderRoot.querySelector('[aria-invalid="true"]')
    if (first instanceof HTMLElement) first.focus()
  }
}

customElements.define('skill-form', SkillForm)
