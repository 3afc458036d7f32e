const RANGE = 2 ** 32
const WARM_UP = 16

/**
 * A stream of whole numbers from a seed, by integer arithmetic only: sfc32 (C. Doty-Humphrey, PractRand).
 *
 * @param seed 32 bytes, of which the first twelve count (three words, big endian)
 * @param stream streams of one seed have nothing to do with each other
 * @returns what draws evenly from 0 … bound − 1, for a bound from 1 to 2^32
 */
export function seededIntegers(seed: Uint8Array, stream: number): (bound: number) => number {
  const words = new DataView(seed.buffer, seed.byteOffset)
  let a = words.getInt32(0)
  let b = words.getInt32(4)
  let c = words.getInt32(8)
  let counter = stream + 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < WARM_UP; i++) {
    next()
  }
  return (bound) => {
    const limit = RANGE - (RANGE % bound) // above it the remainders would not be even
    let drawn = next()
    while (drawn >= limit) {
      drawn = next()
    }
    return drawn % bound
  }
}
