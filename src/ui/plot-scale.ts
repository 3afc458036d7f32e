/** Where a plot begins and ends, and the paths in it. Pure. */

export interface Range {
  readonly least: number
  readonly most: number
}

const FLAT: Range = { least: 0, most: 1 }

/**
 * The values' range with 0 in it, its ends rounded outward to 1, 2 or 5 times a power of ten.
 *
 * @param most the upper end, where it is known
 */
export function rangeOf(lines: ReadonlyArray<ReadonlyArray<number | undefined>>, most?: number): Range {
  let [low, high] = [0, most ?? 0]
  for (const line of lines) {
    for (const value of line) {
      if (value === undefined || !Number.isFinite(value)) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  const [least, top] = [roundUp(-low), roundUp(high)]
  return least === 0 && top === 0 ? FLAT : { least: least === 0 ? 0 : -least, most: top }
}

/** Nothing that a plot shows is so small. */
const NOTHING = 1e-12

/** The least of 1, 2, 5 times a power of ten that is not below it; 0 of nothing, and of what is below it. */
export function roundUp(value: number): number {
  if (value < NOTHING) return 0
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return step * power
}

/** The box that paths are drawn in; it is stretched to whatever place there is. */
export const BOX = { width: 600, height: 100 } as const

/**
 * An SVG path through the points that have a value; broken where one has none.
 *
 * @param at where on the time axis, in order, in the unit of `from` and `to`
 */
export function pathOf(
  at: readonly number[],
  line: ReadonlyArray<number | undefined>,
  { least, most }: Range,
  from: number,
  to: number
): string {
  const [across, up] = [BOX.width / Math.max(1, to - from), BOX.height / (most - least)]
  let path = ''
  let isOn = false
  for (const [index, time] of at.entries()) {
    const value = line[index]
    if (value === undefined || !Number.isFinite(value)) {
      isOn = false
      continue
    }
    const x = ((time - from) * across).toFixed(1)
    const y = (BOX.height - (Math.min(most, Math.max(least, value)) - least) * up).toFixed(1)
    path += `${isOn ? 'L' : 'M'}${x} ${y}`
    isOn = true
  }
  return path
}
