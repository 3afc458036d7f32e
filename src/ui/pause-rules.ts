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
  /** The most that strangers get of the compute time, in percent; null: what is usual in the network. */
  readonly strangers: number | null
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
  strangers: null,
  without: []
}

/** Undefined: this browser does not tell. */
export interface Conditions {
  readonly battery: boolean | undefined
  readonly metered: boolean | undefined
  /** Compute Pressure says that the processor can hardly do more. */
  readonly hot: boolean | undefined
  /** The device's clock is so wrong that nobody takes what it signs. @default false */
  readonly clockOff?: boolean
  /** Milliseconds since a hand was on this page. */
  readonly idleMs: number
  /** Hour of the local day, 0 to 23. */
  readonly hour: number
}

/** `unserved`: no skill is left to serve, which nothing overrides. */
export type RestReason = 'battery' | 'metered' | 'heat' | 'schedule' | 'used' | 'clock' | 'unserved'

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
    ['clock', now.clockOff === true],
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

const ALL: ReadonlySet<RestReason> = new Set(['clock', 'battery', 'metered', 'heat', 'schedule', 'used'])

function isWithin(hour: number, { from, to }: { from: number; to: number }): boolean {
  if (from === to) return true
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

const isHour = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 23

export const isRate = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= RATE_LEAST && Number(value) <= RATE_MOST

const isPercent = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100

/** What a hand changes: not the whole, since another hand in another tab may just have changed the rest. */
export interface RulesChange extends Partial<Omit<ContributeRules, 'schedule' | 'without'>> {
  /** One end of the hours, or both; null: the whole day. */
  readonly schedule?: Partial<NonNullable<ContributeRules['schedule']>> | null
  readonly serve?: { readonly name: string; readonly isServed: boolean }
}

const NIGHT = { from: 22, to: 7 }

export function withChange(
  rules: ContributeRules,
  { schedule, serve, ...change }: RulesChange
): ContributeRules {
  const without = rules.without.filter((name) => name !== serve?.name)
  return {
    ...rules,
    ...change,
    schedule:
      schedule === null
        ? undefined
        : schedule
          ? { ...NIGHT, ...rules.schedule, ...schedule }
          : rules.schedule,
    without: serve?.isServed === false ? [...without, serve.name] : without
  }
}

/** From another tab, which may run another version: what is not understood changes nothing. */
export function parseChange(value: unknown): RulesChange | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { schedule, serve, ...others } = value as Record<string, unknown> // each is checked by itself
  const understood = Object.entries(readRules(others)).filter(
    ([name, read]) => read !== undefined && others[name] === read
  )
  const hours = Object.entries(Object(schedule)).filter(
    ([end, hour]) => (end === 'from' || end === 'to') && isHour(hour)
  )
  const { name, isServed } = Object(serve)
  return {
    ...Object.fromEntries(understood),
    ...(typeof schedule === 'object'
      ? { schedule: schedule === null ? schedule : Object.fromEntries(hours) }
      : {}),
    ...(typeof name === 'string' && typeof isServed === 'boolean' ? { serve: { name, isServed } } : {})
  }
}

/** What was stored; whatever is not understood is as at first, so that a damaged record rests rather than runs. */
export function parseRules(text: string | null): ContributeRules {
  let stored: unknown
  try {
    stored = JSON.parse(text ?? 'null')
  } catch {
    return FIRST_RULES // Not JSON: as if nothing were stored.
  }
  return readRules(stored)
}

/** As `parseRules`. */
export function readRules(value: unknown): ContributeRules {
  const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown> // read below
  const flag = (name: 'onBattery' | 'onMetered' | 'onHeat') => {
    const value = record[name]
    return typeof value === 'boolean' ? value : FIRST_RULES[name]
  }
  const { from, to } = Object(record.schedule)
  const { profile, rate, strangers, without } = record
  return {
    profile: profile === 'idle' ? 'idle' : 'while',
    onBattery: flag('onBattery'),
    onMetered: flag('onMetered'),
    onHeat: flag('onHeat'),
    schedule: isHour(from) && isHour(to) ? { from, to } : undefined,
    rate: isRate(rate) ? rate : FIRST_RULES.rate,
    strangers: isPercent(strangers) ? strangers + 0 : null, // no −0, which is written as 0
    without: Array.isArray(without)
      ? without.filter((name): name is string => typeof name === 'string').slice(0, 64)
      : []
  }
}
