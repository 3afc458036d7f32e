import { type ConsentMode, isPower } from './consent.ts'
import {
  type ContributeRules,
  parseChange,
  type RestReason,
  type RulesChange,
  readRules
} from './pause-rules.ts'

/** What the page shows of its own doings beside the node, and what a person tells it to do: here, or in another tab. */

export interface Desk {
  readonly mode: ConsentMode
  /** Percent. */
  readonly power: number
  readonly finishing: boolean
  /** Why it rests although it is to contribute. */
  readonly resting: RestReason | undefined
  readonly rules: ContributeRules
}

export type Order =
  | { readonly act: 'run' | 'pause' | 'finish' | 'runAnyway' }
  | { readonly act: 'setPower'; readonly power: number }
  | { readonly act: 'changeRules'; readonly change: RulesChange }
  /** A consent to contribute, of somebody who only hired. */
  | { readonly act: 'agree'; readonly mode: ConsentMode; readonly power: number }

const RESTS: Readonly<Record<RestReason, true>> = {
  clock: true,
  battery: true,
  metered: true,
  heat: true,
  schedule: true,
  used: true,
  unserved: true
}
const isMode = (value: unknown): value is ConsentMode => value === 'contribute' || value === 'hire'
const isRest = (value: unknown): value is RestReason =>
  typeof value === 'string' && Object.hasOwn(RESTS, value)
const membersOf = (value: unknown) =>
  (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown> // each is checked by itself

/** From another tab, which may run another version: whatever is not understood is undefined. */
export function parseDesk(value: unknown): Desk | undefined {
  const { mode, power, finishing, resting, rules } = membersOf(value)
  if (!isMode(mode) || !isPower(power)) return undefined
  return {
    mode,
    power,
    finishing: finishing === true,
    resting: isRest(resting) ? resting : undefined,
    rules: readRules(rules)
  }
}

/** As `parseDesk`. */
export function parseOrder(value: unknown): Order | undefined {
  const { act, mode, power, change: asked } = membersOf(value)
  switch (act) {
    case 'run':
    case 'pause':
    case 'finish':
    case 'runAnyway':
      return { act }
    case 'setPower':
      return isPower(power) ? { act, power } : undefined
    case 'changeRules': {
      const change = parseChange(asked)
      return change === undefined ? undefined : { act, change }
    }
    case 'agree':
      return isMode(mode) && isPower(power) ? { act, mode, power } : undefined
    default:
      return undefined
  }
}
