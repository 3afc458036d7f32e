import type { Balance } from '../api.ts'
import { language, texts } from './texts/index.ts'

export type MicroCredits = Balance['settled']

// By value: wire/ holds the same number, and nothing of it may load before consent.
const MICROCREDITS_PER_CREDIT = 1_000_000n

const integer = new Intl.NumberFormat(language, { maximumFractionDigits: 0 })
const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 })
const credits = new Intl.NumberFormat(language, { minimumFractionDigits: 6, maximumFractionDigits: 6 })
const plural = new Intl.PluralRules(language)

export function formatInteger(value: number | bigint): string {
  return integer.format(value)
}

/** @param share 0 to 1 */
export function formatPercent(share: number): string {
  return percent.format(share)
}

/** `3 units` */
export function formatUnits(count: number): string {
  const noun = plural.select(count) === 'one' ? texts.unitCount.one : texts.unitCount.other
  return `${integer.format(count)} ${noun}`
}

/** Credits with all six decimals, exact for any size: `1,234.000001`. */
export function formatCredits(amount: MicroCredits): string {
  const size = amount < 0n ? -amount : amount
  const sign = amount < 0n ? '-' : ''
  const fraction = (size % MICROCREDITS_PER_CREDIT).toString().padStart(6, '0')
  // Digits, one point and a sign: a decimal that Intl formats exactly, which a number would not hold.
  const decimal = `${sign}${size / MICROCREDITS_PER_CREDIT}.${fraction}` as Intl.StringNumericLiteral
  return credits.format(decimal)
}

/** The last eight characters: the first eight of an Ed25519 peer id are the same for all. */
export function shortId(id: string): string {
  return id.length <= 10 ? id : `…${id.slice(-8)}`
}
