/** What a plot shows of its values. Pure. */

/** Above the highest value, and below the lowest, as a share of what lies between them. */
const MARGIN = 0.06
/** Nothing that a plot shows is so small. */
const NOTHING = 1e-12

/**
 * From where to where a plot of these values goes: 0 is always in it.
 *
 * @param most the upper end, where it is known
 */
export function rangeOf(low: number | null, high: number | null, most?: number): [number, number] {
  const [least, top] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0, most ?? 0)]
  const margin = (top - least) * MARGIN
  if (top - least < NOTHING) return [0, 1]
  return [least === 0 ? 0 : least - margin, top === most ? top : top + margin]
}

/** Only what a plot can show: its values as they are, null where there is none. */
export function shownValues(values: ReadonlyArray<number | undefined>): Array<number | null> {
  return values.map((value) => (value !== undefined && Number.isFinite(value) ? value : null))
}
