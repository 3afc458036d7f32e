import type { Milliseconds } from '../wire/index.ts'

/** Strength of one (skill, peer) trail: success lays it down, time evaporates it (credit.md section 6). */
export interface Pheromone {
  /** PHEROMONE_MIN to 1. */
  readonly strength: number
  readonly at: Milliseconds
}

export const PHEROMONE_MIN = 0.05
/** ρ: what one unit weighs. */
export const PHEROMONE_RATE = 0.1
/** Half-life of a trail that nobody walks: some sessions of a volunteer's tab. */
export const PHEROMONE_HALF_LIFE: Milliseconds = 3_600_000
/** Of a peer never tried: the middle, so that a newcomer is neither starved nor flooded. */
export const PHEROMONE_START = 1

export function strengthAt({ strength, at }: Pheromone, now: Milliseconds): number {
  return clamp(strength * 2 ** (-Math.max(0, now - at) / PHEROMONE_HALF_LIFE))
}

/**
 * p ← (1 − ρ)·p + ρ·success·min(1, target/latency), evaporated first.
 *
 * @param unit.latencyMs from dispatch to verified result; whatever it was if it failed
 * @param unit.targetMs the skill's median latency
 */
export function reinforce(
  before: Pheromone,
  unit: { readonly success: boolean; readonly latencyMs: Milliseconds; readonly targetMs: Milliseconds },
  now: Milliseconds
): Pheromone {
  const deposit = unit.success ? Math.min(1, unit.targetMs / Math.max(unit.latencyMs, Number.MIN_VALUE)) : 0
  const kept = (1 - PHEROMONE_RATE) * strengthAt(before, now)
  return { strength: clamp(kept + PHEROMONE_RATE * deposit), at: now }
}

const clamp = (strength: number) => Math.min(1, Math.max(PHEROMONE_MIN, strength))
