const TYPED = { Int8Array, Uint8Array, Int32Array, Uint32Array, Float32Array }

export type TypedArray = InstanceType<(typeof TYPED)[keyof typeof TYPED]>

/** The class of this name, or undefined: a skill of a later build may take others. */
export function typedArrayOf(name: string): (typeof TYPED)[keyof typeof TYPED] | undefined {
  return Object.hasOwn(TYPED, name) ? TYPED[name as keyof typeof TYPED] : undefined // looked up just before
}

/** The same for a seed, in every browser. Floats lie from −1 to 1, integers use a signed byte's range or all bits. */
export function randomArray(element: string, length: number, seed: number): TypedArray | undefined {
  const Kind = typedArrayOf(element)
  if (Kind === undefined) return undefined
  if (Kind === Float32Array) return Float32Array.from(randomInt8(length, seed), (byte) => byte / 128)
  const { buffer } = randomInt8(length * Kind.BYTES_PER_ELEMENT, seed)
  return new Kind(buffer, 0, length)
}

/** Four bytes a step of mulberry32. */
export function randomInt8(length: number, seed: number): Int8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed >>> 0
  for (let i = 0; i < words.length; i++) {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    words[i] = (word ^ (word >>> 14)) >>> 0
  }
  return new Int8Array(words.buffer, 0, length)
}
