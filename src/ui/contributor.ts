import type { SwarmCore } from '../api.ts'
import type { ConditionsWatch } from './conditions.ts'
import {
  type Conditions,
  type ContributeRules,
  FIRST_RULES,
  parseRules,
  type RestReason,
  type RulesChange,
  restReason,
  stillOverridden,
  withChange
} from './pause-rules.ts'

export const RULES_KEY = 'swarmharness.rules'

/** The rules in `localStorage`, which may be denied; read and written after consent only. */
export class RulesStore {
  readonly #storage: () => Storage

  constructor(storage: () => Storage) {
    this.#storage = storage
  }

  read(): ContributeRules {
    try {
      return parseRules(this.#storage().getItem(RULES_KEY))
    } catch {
      return FIRST_RULES // Denied storage holds none.
    }
  }

  write(rules: ContributeRules): void {
    try {
      this.#storage().setItem(RULES_KEY, JSON.stringify(rules))
    } catch {
      // They hold for this visit.
    }
  }

  forget(): void {
    try {
      this.#storage().removeItem(RULES_KEY)
    } catch {
      // Denied storage has nothing to forget.
    }
  }
}

export interface ContributorInit {
  readonly store: RulesStore
  readonly watch: (changed: () => void) => ConditionsWatch
  /** Something to show has changed. */
  readonly onChange: () => void
  /** What a change of conditions, which nobody awaits, failed with. */
  readonly onError: (error: unknown) => void
}

/** Contributes while it is wanted and no rule says to rest. */
export class Contributor {
  resting: RestReason | undefined
  readonly #init: ContributorInit
  #rules: ContributeRules | undefined
  #watch: ConditionsWatch | undefined
  #wanted: { readonly swarm: SwarmCore; readonly power: number } | undefined
  #overridden: ReadonlySet<RestReason> = new Set()
  /** One thing after the other: a contribute that takes long must not overtake the pause after it. */
  #turn: Promise<void> = Promise.resolve()

  constructor(init: ContributorInit) {
    this.#init = init
  }

  get rules(): ContributeRules {
    this.#rules ??= this.#init.store.read()
    return this.#rules
  }

  /** Contribute from now on, with this share of the device's time (0 to 1). */
  want(swarm: SwarmCore, power: number): Promise<void> {
    this.#wanted = { swarm, power }
    this.#watch ??= this.#init.watch(() => this.#look())
    return this.#next(true)
  }

  /** Contribute no more. */
  unwant(): void {
    this.#wanted = undefined
    this.#overridden = new Set()
    this.#watch?.stop()
    this.#watch = undefined
    this.resting = undefined
  }

  /** The reason of now does not count until it is over. */
  override(): Promise<void> {
    if (this.resting !== undefined) this.#overridden = new Set([...this.#overridden, this.resting])
    return this.#next(true)
  }

  change(change: RulesChange): Promise<void> {
    this.#rules = withChange(this.rules, change)
    this.#init.store.write(this.#rules)
    return this.#next(true)
  }

  forget(): void {
    this.unwant()
    this.#rules = undefined
    this.#init.store.forget()
  }

  #look(): void {
    this.#next(false).catch(this.#init.onError)
  }

  #next(isAsked: boolean): Promise<void> {
    const now = this.#watch?.now // as it is at this moment: what passes quickly counts too
    const done = this.#turn.then(() => this.#apply(isAsked, now))
    this.#turn = done.catch(() => {}) // whoever asked hears of it
    return done
  }

  /** @param isAsked by a person: power or price may have changed, so it is told anew */
  async #apply(isAsked: boolean, now: Conditions | undefined): Promise<void> {
    const { rules } = this
    if (this.#wanted === undefined || now === undefined) return
    const { swarm, power } = this.#wanted
    this.#overridden = stillOverridden(rules, now, this.#overridden)
    const served = swarm.skills.map(({ name }) => name).filter((name) => !rules.without.includes(name))
    const reason = served.length === 0 ? 'unserved' : restReason(rules, now, this.#overridden)
    const before = this.resting
    this.resting = reason
    if (reason !== undefined) {
      if (before === undefined && swarm.status.contributing) await swarm.pause()
    } else if (isAsked || before !== undefined) {
      await swarm.contribute({
        power,
        ...(rules.rate === FIRST_RULES.rate ? {} : { rate: rules.rate }),
        ...(rules.strangers === null ? {} : { strangers: rules.strangers / 100 }),
        ...(served.length === swarm.skills.length ? {} : { skills: served })
      })
    }
    if (before !== reason) this.#init.onChange()
  }
}
