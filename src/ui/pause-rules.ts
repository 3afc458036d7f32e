/** When contributing rests by itself: what the person chose, what the device tells, and the rule between them. */

/** `while`: while this machine is used too; `idle`: only when nobody uses this page. */
export type UseProfile = 'while' | 'idle'

export interface ContributeRules {
  readonly profile: UseProfile
  readonly onBattery: boolean
  readonly onMetered: boolean
  readonly onHeat: boolean
  /** Only between two hours of the local day; `from` > `to` passes midnight; equal: the whole day. */
  readonly schedule: { readonly from: number; readonly to: number } | undefined
  /** The least that units are computed for, in thousandths of their published cost. */
  readonly rate: number
  /** Skills that are not served. */
  readonly without: readonly string[]
}

/**
 * `onBattery` and so on: rest then. Heat only where the person asks for it: Chromium reckons pressure from how busy the
 * processor is, and that is what contributing makes it.
 */
export const FIRST_RULES: ContributeRules = {
  profile: 'while',
  onBattery: true,
  onMetered: true,
  onHeat: false,
  schedule: undefined,
  rate: 1000,
  without: []
}

/** Undefined: this browser does not tell. */
export interface Conditions {
  readonly battery: boolean | undefined
  readonly metered: boolean | undefined
  /** Compute Pressure says that the processor can hardly do more. */
  readonly hot: boolean | undefined
  /** Milliseconds since a hand was on this page. */
  readonly idleMs: number
  /** Hour of the local day, 0 to 23. */
  readonly hour: number
}

export type RestReason = 'battery' | 'metered' | 'heat' | 'schedule' | 'used'

export const RATE_LEAST = 100
export const RATE_MOST = 100_000
/** Nobody's hand was on the page for so long: idle. */
export const IDLE_AFTER_MS = 60_000

/** Why to rest now; those in `overridden` count no more. */
export function restReason(
  rules: ContributeRules,
  now: Conditions,
  overridden: ReadonlySet<RestReason>
): RestReason | undefined {
  const reasons: ReadonlyArray<readonly [RestReason, boolean]> = [
    ['battery', rules.onBattery && now.battery === true],
    ['metered', rules.onMetered && now.metered === true],
    ['heat', rules.onHeat && now.hot === true],
    ['schedule', rules.schedule !== undefined && !isWithin(now.hour, rules.schedule)],
    ['used', rules.profile === 'idle' && now.idleMs < IDLE_AFTER_MS]
  ]
  return reasons.find(([reason, holds]) => holds && !overridden.has(reason))?.[0]
}

/** An override lasts as long as its reason: unplugged again tomorrow, the page rests again. */
export function stillOverridden(
  rules: ContributeRules,
  now: Conditions,
  overridden: ReadonlySet<RestReason>
): ReadonlySet<RestReason> {
  const others = (reason: RestReason) => new Set([...ALL].filter((each) => each !== reason))
  return new Set([...overridden].filter((reason) => restReason(rules, now, others(reason)) === reason))
}

const ALL: ReadonlySet<RestReason> = new Set(['battery', 'metered', 'heat', 'schedule', 'used'])

function isWithin(hour: number, { from, to }: { from: number; to: number }): boolean {
  if (from === to) return true
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

const isHour = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 23

export const isRate = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= RATE_LEAST && Number(value) <= RATE_MOST

/** What was stored; whatever is not understood is as at first, so that a damaged record rests rather than runs. */
export function parseRules(text: string | null): ContributeRules {
  let stored: unknown
  try {
    stored = JSON.parse(text ?? 'null')
  } catch {
    return FIRST_RULES // Not JSON: as if nothing were stored.
  }
  const record = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown> // read below
  const flag = (name: 'onBattery' | 'onMetered' | 'onHeat') => {
    const value = record[name]
    return typeof value === 'boolean' ? value : FIRST_RULES[name]
  }
  const { from, to } = Object(record.schedule)
  const { profile, rate, without } = record
  return {
    profile: profile === 'idle' ? 'idle' : 'while',
    onBattery: flag('onBattery'),
    onMetered: flag('onMetered'),
    onHeat: flag('onHeat'),
    schedule: isHour(from) && isHour(to) ? { from, to } : undefined,
    rate: isRate(rate) ? rate : FIRST_RULES.rate,
    without: Array.isArray(without)
      ? without.filter((name): name is string => typeof name === 'string').slice(0, 64)
      : []
  }
}
