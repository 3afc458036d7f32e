import type { Balance } from '../api.ts'
import { type Language, language, texts } from './texts/index.ts'

export type MicroCredits = Balance['settled']

// By value: wire/ holds the same number, and nothing of it may load before consent.
const MICROCREDITS_PER_CREDIT = 1_000_000n

const formatters = new Map<Language, ReturnType<typeof makeFormatters>>()

function makeFormatters() {
  return {
    integer: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
    percent: new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }),
    credits: new Intl.NumberFormat(language, { minimumFractionDigits: 6, maximumFractionDigits: 6 }),
    significant: new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }),
    short: new Intl.NumberFormat(language, { maximumSignificantDigits: 3, notation: 'compact' }),
    huge: new Intl.NumberFormat(language, { maximumSignificantDigits: 3, notation: 'scientific' }),
    clock: new Intl.DateTimeFormat(language, { timeStyle: 'medium' }),
    time: new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' }),
    plural: new Intl.PluralRules(language)
  }
}

function now(): ReturnType<typeof makeFormatters> {
  const known = formatters.get(language) ?? makeFormatters()
  formatters.set(language, known)
  return known
}

export function formatInteger(value: number | bigint): string {
  return now().integer.format(value)
}

/** @param share 0 to 1 */
export function formatPercent(share: number): string {
  return now().percent.format(share)
}

/** `3 units` */
export function formatUnits(count: number): string {
  const noun = now().plural.select(count) === 'one' ? texts.unitCount.one : texts.unitCount.other
  return `${formatInteger(count)} ${noun}`
}

/** `34 µcr` */
export function formatAmount(amount: MicroCredits): string {
  return `${formatInteger(amount)} µcr`
}

/** Three digits, however large or small: `0.000034`, `1.5K`, `1.23E39`. */
export function formatDecimal(value: number): string {
  return (Math.abs(value) < 1e15 ? now().short : now().huge).format(value)
}

/** Hours, minutes and seconds, in the device's time zone. */
export function formatClock(ms: number): string {
  return now().clock.format(ms)
}

/** Day and minute, in the device's time zone. */
export function formatTime(ms: number): string {
  return now().time.format(ms)
}

/** Two digits, in the unit that fits: `0.35 s`, `12 min`. */
export function formatDuration(ms: number): string {
  const { ms: milliseconds, s, min, h } = texts.time
  const [size, unit] =
    ms < 100 ? [1, milliseconds] : ms < 90_000 ? [1_000, s] : ms < 5_400_000 ? [60_000, min] : [3_600_000, h]
  return `${now().significant.format(Math.max(0, ms) / size)} ${unit}`
}

/** `1.5 MB` of 10^6 bytes. */
export function formatBytes(bytes: number): string {
  const [size, unit] = bytes < 1_000 ? [1, 'B'] : bytes < 1_000_000 ? [1_000, 'kB'] : [1_000_000, 'MB']
  return `${now().significant.format(bytes / size)} ${unit}`
}

/** Credits with all six decimals, exact for any size: `1,234.000001`. */
export function formatCredits(amount: MicroCredits): string {
  const size = amount < 0n ? -amount : amount
  const sign = amount < 0n ? '-' : ''
  const fraction = (size % MICROCREDITS_PER_CREDIT).toString().padStart(6, '0')
  // Digits, one point and a sign: a decimal that Intl formats exactly, which a number would not hold.
  const decimal = `${sign}${size / MICROCREDITS_PER_CREDIT}.${fraction}` as Intl.StringNumericLiteral
  return now().credits.format(decimal)
}

/** The last eight characters: the first eight of an Ed25519 peer id are the same for all. */
export function shortId(id: string): string {
  return id.length <= 10 ? id : `…${id.slice(-8)}`
}
