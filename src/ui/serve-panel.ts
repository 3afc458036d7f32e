import { css, html, nothing } from 'lit'
import type { SkillInfo, UnitPicture, WorkDone } from '../api.ts'
import { PageElement } from './element.ts'
import { formStyles } from './form-styles.ts'
import { formatPercent, formatUnits, shortId } from './format.ts'
import {
  type ContributeRules,
  FIRST_RULES,
  isRate,
  RATE_LEAST,
  RATE_MOST,
  type RulesChange,
  withChange
} from './pause-rules.ts'
import { skillTitle } from './skill-words.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'
import './unit-picture.ts'

const PROFILES = ['while', 'idle'] as const
const RESTS = ['onBattery', 'onMetered', 'onHeat'] as const
const STRANGERS = [null, 0, 5, 10, 25, 50, 100]
const HOURS = Array.from({ length: 24 }, (_, hour) => hour)

/** What is computed now, and the rules of contributing. Fires `rules-change` (CustomEvent<RulesChange>). */
export class ServePanel extends PageElement {
  static override properties = {
    rules: { attribute: false },
    skills: { attribute: false },
    work: { attribute: false },
    picture: { attribute: false },
    priceProblem: { state: true }
  }
  static override styles = [
    base,
    formStyles,
    css`
      summary {
        font-weight: 600;
        cursor: pointer;
        min-height: 2rem;
      }
      .hours {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--space-3);
      }
      details > .stack {
        padding-top: var(--space-3);
      }
    `
  ]

  declare rules: ContributeRules
  declare skills: readonly SkillInfo[]
  declare work: WorkDone
  /** The last unit, where there is something to see. */
  declare picture: UnitPicture | undefined
  declare priceProblem: string | undefined

  constructor() {
    super()
    this.rules = FIRST_RULES
    this.skills = []
  }

  protected override render() {
    const { serve } = texts
    return html`
      <section class="card stack" aria-labelledby="title">
        <h2 id="title">${serve.now}</h2>
        ${this.#renderNow()} <unit-picture .picture=${this.picture} ?hidden=${this.picture === undefined}></unit-picture>
        <details id="rules">
          <summary>${serve.rules}</summary>
          <div class="stack">
            ${this.#renderProfiles()} ${this.#renderRests()} ${this.#renderSchedule()} ${this.#renderSkills()}
            ${this.#renderPrice()} ${this.#renderStrangers()}
          </div>
        </details>
      </section>
    `
  }

  #renderNow() {
    const { serve } = texts
    const { now = [] } = this.work
    if (now.length === 0) return html`<p class="soft" id="now">${serve.nothing}</p>`
    return html`
      <ul id="now" class="plain">
        ${now
          .slice(0, 8)
          .map(
            ({ skill, requester, units }) =>
              html`<li>${serve.computing(formatUnits(units), skillTitle(skill), shortId(requester))}</li>`
          )}
      </ul>
    `
  }

  #renderProfiles() {
    const { serve } = texts
    return html`
      <fieldset>
        <legend>${serve.when}</legend>
        ${PROFILES.map(
          (profile) => html`
            <label class="check">
              <input
                type="radio"
                name="profile"
                id="profile-${profile}"
                .checked=${this.rules.profile === profile}
                @change=${() => this.#change({ profile })}
              />
              ${serve.profiles[profile]}
            </label>
          `
        )}
      </fieldset>
    `
  }

  #renderRests() {
    const { serve } = texts
    return html`
      <fieldset>
        <legend>${serve.rest}</legend>
        ${RESTS.map(
          (rest) => html`
            <label class="check">
              <input
                type="checkbox"
                id="rest-${rest}"
                .checked=${this.rules[rest]}
                @change=${(event: Event) => this.#change({ [rest]: isChecked(event) })}
              />
              ${serve.rests[rest]}
            </label>
          `
        )}
      </fieldset>
    `
  }

  #renderSchedule() {
    const { serve } = texts
    const { schedule } = this.rules
    return html`
      <fieldset>
        <legend>${serve.hours}</legend>
        <label class="check">
          <input
            type="checkbox"
            id="schedule"
            .checked=${schedule !== undefined}
            @change=${(event: Event) => this.#change({ schedule: isChecked(event) ? {} : null })}
          />
          ${serve.schedule}
        </label>
        ${
          schedule === undefined
            ? nothing
            : html`
              <div class="hours">
                ${(['from', 'to'] as const).map(
                  (end) => html`
                    <div>
                      <label for="schedule-${end}">${serve[end]}</label>
                      <select
                        id="schedule-${end}"
                        @change=${(event: Event) => this.#change({ schedule: { [end]: hourOf(event) } })}
                      >
                        ${HOURS.map(
                          (hour) => html`
                            <option value=${hour} .selected=${hour === schedule[end]}>
                              ${String(hour).padStart(2, '0')}:00
                            </option>
                          `
                        )}
                      </select>
                    </div>
                  `
                )}
              </div>
            `
        }
      </fieldset>
    `
  }

  #renderSkills() {
    const { serve } = texts
    const { without } = this.rules
    const served = this.skills.filter(({ name }) => !without.includes(name))
    return html`
      <fieldset>
        <legend>${serve.skills}</legend>
        ${this.skills.map(
          ({ name }) => html`
            <label class="check">
              <input
                type="checkbox"
                id="serve-${name}"
                .checked=${!without.includes(name)}
                ?disabled=${served.length === 1 && served[0]?.name === name}
                @change=${(event: Event) => this.#change({ serve: { name, isServed: isChecked(event) } })}
              />
              ${skillTitle(name)}
            </label>
          `
        )}
      </fieldset>
    `
  }

  #renderPrice() {
    const { serve } = texts
    return html`
      <div>
        <label for="rate">${serve.price}</label>
        <input
          id="rate"
          inputmode="numeric"
          autocomplete="off"
          .value=${String(this.rules.rate / 10)}
          aria-invalid=${this.priceProblem === undefined ? 'false' : 'true'}
          aria-describedby="rate-error rate-hint"
          @change=${this.#onPrice}
        />
        <p class="invalid" id="rate-error">${this.priceProblem}</p>
        <p class="soft small" id="rate-hint">${serve.priceHint}</p>
      </div>
    `
  }

  #renderStrangers() {
    const { serve } = texts
    return html`
      <div>
        <label for="strangers">${serve.strangers}</label>
        <select id="strangers" aria-describedby="strangers-hint" @change=${this.#onStrangers}>
          ${STRANGERS.map(
            (share) => html`
              <option value=${share ?? ''} .selected=${share === this.rules.strangers}>
                ${share === null ? serve.usual : formatPercent(share / 100)}
              </option>
            `
          )}
        </select>
        <p class="soft small" id="strangers-hint">${serve.strangersHint}</p>
      </div>
    `
  }

  #onStrangers({ target }: Event): void {
    const share = target instanceof HTMLSelectElement ? target.value : ''
    this.#change({ strangers: share === '' ? null : Number(share) })
  }

  #onPrice({ target }: Event): void {
    const text = target instanceof HTMLInputElement ? target.value.trim() : ''
    const rate = /^\d{1,6}$/.test(text) ? Number(text) * 10 : Number.NaN
    this.priceProblem = isRate(rate)
      ? undefined
      : texts.serve.badPrice(formatPercent(RATE_LEAST / 1_000), formatPercent(RATE_MOST / 1_000))
    if (isRate(rate)) this.#change({ rate })
  }

  #change(change: RulesChange): void {
    this.rules = withChange(this.rules, change)
    this.dispatchEvent(new CustomEvent<RulesChange>('rules-change', { detail: change }))
  }
}

const isChecked = ({ target }: Event) => target instanceof HTMLInputElement && target.checked

const hourOf = ({ target }: Event) => (target instanceof HTMLSelectElement ? Number(target.value) : 0)

customElements.define('serve-panel', ServePanel)
