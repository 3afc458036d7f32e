import { css, html, nothing, type PropertyValues } from 'lit'
import type { Job, SkillInfo, SwarmCore } from '../api.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { draftInput, firstDraft } from './form-model.ts'
import { formStyles } from './form-styles.ts'
import type { MicroCredits } from './format.ts'
import { glyph } from './glyph.ts'
import './job-list.ts'
import { isOver, type JobModel } from './job-model.ts'
import { JobView } from './job-view.ts'
import { isPlaneView, zoomed } from './mandelbrot-zoom.ts'
import type { Zoom } from './result-view.ts'
import './skill-form.ts'
import { type Order, SkillForm } from './skill-form.ts'
import { wordsOf } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

const SAMPLE_SIDE = '256'
/** Inputs that are kept for a zoom. */
const INPUTS_MOST = 32

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
  /** What jobs of this visit were given, the newest last. */
  readonly #inputs = new Map<Job, Order>()

  constructor() {
    super()
    this.settled = 0n
    this.isClockOff = false
    this.busy = false
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('swarm')) return
    this.skill = this.swarm.skills[0]
    this.job = this.swarm.jobs().findLast(({ state }) => !isOver(state))
    this.busy = this.job !== undefined
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
                .zoomable=${isPlaneView(this.#inputs.get(this.job)?.input)}
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
          @click=${() => this.#runSample(skill)}
        >
          ${hire.sample}
        </button>
        <span id="sample-hint" class="soft small">${this.busy ? hire.busy : hire.sampleHint}</span>
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

  /** The skill's example; of products, whose example is four numbers, one that is worth sending. */
  #runSample(skill: SkillInfo): void {
    const { m, k, n } = firstDraft(skill).texts
    const sides = m !== undefined && k !== undefined && n !== undefined
    const first = firstDraft(skill)
    const texts = { ...first.texts, m: SAMPLE_SIDE, k: SAMPLE_SIDE, n: SAMPLE_SIDE }
    const made = sides ? draftInput(skill, { ...first, texts }) : { input: skill.example() }
    if ('input' in made) this.#submit({ skill: skill.name, input: made.input, options: {} })
  }

  #submit(order: Order): void {
    this.failure = undefined
    try {
      if (this.isClockOff) throw new PageError(texts.error.clock)
      const job = this.swarm.submit(order.skill, order.input, order.options)
      this.#inputs.set(job, order)
      const [oldest] = this.#inputs.keys()
      if (this.#inputs.size > INPUTS_MOST && oldest !== undefined) this.#inputs.delete(oldest)
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

  #onZoom({ detail }: CustomEvent<Zoom>): void {
    const order = this.job && this.#inputs.get(this.job)
    if (this.busy || order === undefined || !isPlaneView(order.input)) return
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

customElements.define('hire-panel', HirePanel)
