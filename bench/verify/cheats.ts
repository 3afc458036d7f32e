/** What a cheat has at hand. */
export interface Booty {
  readonly right: Uint8Array
  /** The right result of another unit of the job. */
  readonly other: Uint8Array
  /** The right result of this unit in an earlier job. */
  readonly earlier: Uint8Array
  readonly isFloat: boolean
  readonly random: () => number
}

/** Ways to earn without working; each gives a result that was not computed. */
export const CHEATS: Readonly<Record<string, (booty: Booty) => Uint8Array>> = {
  /** One element off: a float by 1e-2, a whole number by one. */
  element({ right, isFloat, random }) {
    const result = right.slice()
    const view = new DataView(result.buffer)
    const at = Math.floor((random() * result.length) / 4) * 4
    if (isFloat) {
      view.setFloat32(at, view.getFloat32(at, true) + 1e-2, true)
    } else {
      view.setInt32(at, view.getInt32(at, true) ^ 1, true)
    }
    return result
  },
  /** A stretch of a quarter of the result is what an earlier job had there. */
  stale({ right, earlier, random }) {
    const result = right.slice()
    const quarter = Math.floor(right.length / 16) * 4
    const from = Math.floor((random() * (right.length - quarter)) / 4) * 4
    result.set(earlier.subarray(from, from + quarter), from)
    return result
  },
  zeros: ({ right }) => new Uint8Array(right.length),
  swapped({ right, other }) {
    const result = new Uint8Array(right.length)
    result.set(other.subarray(0, right.length))
    return result
  },
  /** The first tenth, and that again and again. */
  lazy({ right }) {
    const tenth = Math.ceil(right.length / 40) * 4
    return right.map((_, at) => right[at % tenth] ?? 0)
  }
}
