import { css, html, nothing, type PropertyValues } from 'lit'
import type { Job, SkillInfo, SwarmCore } from '../api.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { draftInput, firstDraft } from './form-model.ts'
import { formStyles } from './form-styles.ts'
import { formatAmount, type MicroCredits } from './format.ts'
import { glyph } from './glyph.ts'
import './job-list.ts'
import { isOver, type JobModel } from './job-model.ts'
import { JobView } from './job-view.ts'
import { isPlaneView, type PlaneView, zoomed } from './mandelbrot-zoom.ts'
import { PlaneBook } from './plane-book.ts'
import { ZOOM_IN, ZOOM_OUT, type Zoom, type ZoomPrices } from './result-view.ts'
import './skill-form.ts'
import { type Order, SkillForm } from './skill-form.ts'
import { wordsOf } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const SAMPLE_SIDE = '256'
/** Orders of this visit that are kept for a zoom. */
const ORDERS_MOST = 32

interface ViewOrder extends Order {
  readonly input: PlaneView
}

interface Zoomed {
  readonly order: ViewOrder
  readonly prices: ZoomPrices
}

/** A small job of a skill, and what it costs. */
interface Sample {
  readonly skill: SkillInfo
  readonly input: unknown
  readonly price: MicroCredits
}

/** Submits jobs: a sample at one click, or one from the form of a skill. Nothing is sent that the form refuses. */
export class HirePanel extends PageElement {
  static override properties = {
    swarm: { attribute: false },
    settled: { attribute: false },
    isClockOff: { attribute: false },
    skill: { state: true },
    failure: { state: true },
    job: { state: true },
    busy: { state: true }
  }
  static override styles = [
    base,
    formStyles,
    css`
      .skills {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      .skills label {
        position: relative;
        display: flex;
        align-items: center;
        min-height: 2.75rem;
        margin: 0;
        padding: var(--space-2) var(--space-4);
        border: 1px solid var(--line-strong);
        border-radius: 1.375rem;
        cursor: pointer;
      }
      .skills input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        margin: 0;
        border-radius: inherit;
        opacity: 0;
        cursor: pointer;
      }
      .skills label:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
        color: var(--accent);
      }
      .skills label:has(:checked)::before {
        content: '✓';
        margin-inline-end: var(--space-2);
      }
      .skills label:has(:focus-visible) {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
      }
      .visible {
        display: inline-block;
        font-weight: 600;
      }
    `
  ]

  declare swarm: SwarmCore
  declare settled: MicroCredits
  declare isClockOff: boolean
  declare skill: SkillInfo | undefined
  declare failure: Failure | undefined
  declare job: Job | undefined
  declare busy: boolean
  /** Jobs of this visit that can be zoomed, the newest last; those of earlier ones are in the book. */
  readonly #orders = new Map<Job, ViewOrder>()
  readonly #book = new PlaneBook(() => localStorage)
  /** Of the job that is shown. */
  #zoomed: Zoomed | undefined
  #sample: Sample | undefined

  constructor() {
    super()
    this.settled = 0n
    this.isClockOff = false
    this.busy = false
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('swarm')) {
      this.skill = this.swarm.skills[0]
      this.job = this.swarm.jobs().findLast(({ state }) => !isOver(state))
      this.busy = this.job !== undefined
    }
    if (this.skill !== this.#sample?.skill) this.#sample = this.skill && sampleOf(this.skill)
    if (changed.has('job') || changed.has('busy')) this.#zoomed = this.job && this.#zoomOf(this.job)
  }

  protected override render() {
    const { hire } = texts
    const { skill } = this
    return html`
      <div class="stack">
        <section class="card stack" aria-labelledby="title">
          <h2 id="title">${hire.title}</h2>
          <fieldset>
            <legend>${hire.choose}</legend>
            <div class="skills">${this.swarm.skills.map((each) => this.#renderSkill(each))}</div>
          </fieldset>
          ${skill === undefined ? nothing : this.#renderOrder(skill)} ${failureNote(this.failure, 'submit-error')}
        </section>
        ${
          this.job === undefined
            ? nothing
            : html`
              <job-view
                class="refuge"
                .job=${this.job}
                .zoom=${this.#zoomed?.prices}
                @zoom=${this.#onZoom}
                @job-over=${this.#onOver}
              ></job-view>
            `
        }
        <job-list
          .jobs=${this.swarm.jobs()}
          .shown=${this.job}
          .busy=${this.busy}
          @show=${(event: CustomEvent<Job>) => this.#show(event.detail)}
        ></job-list>
      </div>
    `
  }

  #renderSkill(skill: SkillInfo) {
    return html`
      <label>
        <input
          type="radio"
          name="skill"
          id="skill-${skill.name}"
          value=${skill.name}
          .checked=${skill === this.skill}
          @change=${() => this.#choose(skill)}
        />
        ${wordsOf(skill).title}
      </label>
    `
  }

  #renderOrder(skill: SkillInfo) {
    const { hire } = texts
    return html`
      <p>${wordsOf(skill).text} <span class="visible">${glyph('eye')} ${hire.visible}</span></p>
      <div class="row">
        <button
          id="run-sample"
          class="primary"
          aria-disabled=${String(this.busy)}
          aria-describedby="sample-hint"
          @click=${() => this.#runSample()}
        >
          ${hire.sample}
        </button>
        <span id="sample-hint" class="soft small" data-skill=${skill.name}>${this.busy ? hire.busy : this.#sampleHint()}</span>
      </div>
      <skill-form
        .swarm=${this.swarm}
        .skill=${skill}
        .settled=${this.settled}
        .busy=${this.busy}
        @order=${(event: CustomEvent<Order>) => this.#submit(event.detail)}
      ></skill-form>
    `
  }

  #choose(skill: SkillInfo): void {
    this.skill = skill
    this.failure = undefined
  }

  #sampleHint(): string {
    return this.#sample === undefined ? '' : texts.hire.sampleHint(formatAmount(this.#sample.price))
  }

  #runSample(): void {
    if (this.#sample === undefined) return
    const { skill, input } = this.#sample
    this.#submit({ skill: skill.name, input, options: {} })
  }

  #submit(order: Order): void {
    this.failure = undefined
    try {
      if (this.isClockOff) throw new PageError(texts.error.clock)
      const job = this.swarm.submit(order.skill, order.input, order.options)
      if (isPlaneView(order.input)) this.#orders.set(job, { ...order, input: order.input })
      const [oldest] = this.#orders.keys()
      if (this.#orders.size > ORDERS_MOST && oldest !== undefined) this.#orders.delete(oldest)
      this.job = job
      this.busy = true
    } catch (error) {
      this.failure = describeFailure(error)
    }
  }

  /** It stands above the list: one is led there. */
  async #show(job: Job): Promise<void> {
    this.job = job
    await this.updateComplete
    const view = this.renderRoot.querySelector('job-view')
    if (!(view instanceof JobView)) return
    await view.updateComplete
    view.focus()
  }

  #zoomOf(job: Job): Zoomed | undefined {
    const ordered = this.#orders.get(job)
    // a job that runs in another tab has no id before that tab has taken it
    if (ordered !== undefined && job.id !== '') this.#book.put(job.id, ordered.input)
    const kept = this.#book.get(job.id)
    const order = ordered ?? (kept && { skill: job.skill, input: kept, options: {} })
    const skill = this.swarm.skills.find(({ name }) => name === job.skill)
    if (order === undefined || skill === undefined) return undefined
    const { width, height } = order.input
    const viewAt = (factor: number) => zoomed(order.input, { x: width / 2, y: height / 2 }, factor)
    const priceOf = (next: PlaneView) => (skill.check(next).length === 0 ? skill.price(next) : undefined)
    const out = viewAt(ZOOM_OUT)
    const isWhole = out.span === viewAt(1).span
    return { order, prices: { in: priceOf(viewAt(ZOOM_IN)), out: priceOf(out), isWhole } }
  }

  #onZoom({ detail }: CustomEvent<Zoom>): void {
    const order = this.#zoomed?.order
    if (this.busy || order === undefined) return
    const input = zoomed(order.input, detail, detail.factor)
    const form = this.renderRoot.querySelector('skill-form')
    if (form instanceof SkillForm && this.skill?.name === order.skill) form.fill(input)
    this.#submit({ ...order, input })
  }

  #onOver(event: CustomEvent<JobModel>): void {
    const { job } = this
    // Of another job that was shown meanwhile it says nothing.
    if (event.target !== this.renderRoot.querySelector('job-view') || job === undefined) return
    this.busy = false
    this.requestUpdate()
  }
}

/** The skill's example; of products, whose example is four numbers, one that is worth sending. */
function sampleOf(skill: SkillInfo): Sample | undefined {
  const first = firstDraft(skill)
  const { m, k, n } = first.texts
  const sides = m !== undefined && k !== undefined && n !== undefined
  const texts = { ...first.texts, m: SAMPLE_SIDE, k: SAMPLE_SIDE, n: SAMPLE_SIDE }
  const made = sides ? draftInput(skill, { ...first, texts }) : { input: skill.example() }
  return 'input' in made ? { skill, input: made.input, price: skill.price(made.input) } : undefined
}

customElements.define('hire-panel', HirePanel)
