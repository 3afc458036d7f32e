import { randomFrom } from '../../src/compute/worker/random.ts'

export type Random = () => number

/** A stream of its own for each (seed, name): the same arrivals meet every strategy. */
export function randomOf(seed: number, name: string): Random {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setFloat64(0, seed)
  new TextEncoder().encodeInto(name, bytes.subarray(8))
  return randomFrom(bytes)
}

/** Exponential with the given mean. */
export function exponential(random: Random, mean = 1): number {
  return -mean * Math.log(1 - random())
}

/** Fisher–Yates, in place. */
export function shuffle<T>(list: T[], random: Random): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const other = list[j] as T // j ≤ i
    list[j] = list[i] as T
    list[i] = other
  }
  return list
}
