/**
 * sfc32 (Chris Doty-Humphrey's PractRand), seeded with 32 bytes: a stream that is the same on every machine.
 *
 * @returns uniform in [0, 1) with 53 bits
 */
export function randomFrom(seed: Uint8Array): () => number {
  const words = new Uint32Array(8)
  new Uint8Array(words.buffer).set(seed.subarray(0, 32))
  let [a = 0, b = 0, c = 0, counter = 1] = words
  for (const word of words.subarray(4)) {
    a ^= word
    next()
  }
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) {
    next()
  }
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53
}
