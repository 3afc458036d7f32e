import { samplePixels } from '../picture/samples.ts'
import type { View } from './view.ts'

/** Enough for a cheat on a tenth: 1 − .9^44 = .9903. */
const SAMPLES = 48

/**
 * Computes 48 pixels anew, drawn without telling the provider, and compares them exactly. Catches a result in
 * which a share f of the pixels is wrong with probability at least 1 − (1 − f)^48, provided that the pixels
 * were drawn after the result was fixed: .9936 for a tenth, all but certainly for zeros, a stale tile or
 * another unit's answer, as far as these differ from the right one. A count beyond the limit is always seen.
 * Never refuses a right result. One wrong pixel among N is seen with probability 48/N only.
 *
 * @param countAt the right count of a pixel of the unit
 * @param random uniform in [0, 1)
 */
export function checkCounts(
  { columns, rows, iterations }: View,
  counts: Uint32Array,
  countAt: (at: number) => number,
  random: () => number
): boolean {
  if (counts.length !== columns * rows || counts.some((count) => count > iterations)) {
    return false
  }
  for (const at of samplePixels(counts.length, SAMPLES, random)) {
    if (counts[at] !== countAt(at)) {
      return false
    }
  }
  return true
}
