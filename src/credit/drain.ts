import type { MicroCredits, Milliseconds, NetworkParameters } from '../wire/index.ts'

/** Idle credit drains: no record of its own, but the arithmetic that every record applies first. */

const HOUR = 3_600_000
const MILLION = 1_000_000n

/** Whole hours at `ts` for which the author has been idle beyond the grace time. */
export function idleHours(idleSince: Milliseconds, ts: Milliseconds, network: NetworkParameters): number {
  return Math.max(0, Math.floor((ts - idleSince) / HOUR) - network.drainGraceHours)
}

/**
 * What is left of an amount (µcr) after idle hours, each of which takes `floor(amount · ppm / 10^6)`.
 * `drain(drain(x, a), b) = drain(x, a + b)`.
 */
export function drain(amount: MicroCredits, hours: number, network: NetworkParameters): MicroCredits {
  const ppm = BigInt(network.drainPpmPerHour)
  let left = amount
  for (let hour = 0; hour < hours; hour++) {
    const taken = (left * ppm) / MILLION
    if (taken === 0n) {
      break // and so in every later hour
    }
    left -= taken
  }
  return left
}
