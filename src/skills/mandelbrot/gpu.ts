import { WGSL } from '../../../shaders/generated.ts'
import type { GpuDispatch, KernelVariant } from '../skill.ts'
import { limbsOf, splitWords } from './fixed.ts'
import { pixelOperations } from './plan.ts'
import type { View } from './view.ts'

export const VARIANTS: readonly KernelVariant[] = [{ name: 'limbs', wgsl: WGSL.mandelbrot, needs: [] }]

const GROUP = 64
/** The fewest pixels of a dispatch: deep views with many iterations leave no time for more. */
const PIXELS_MIN = 4
/** Most workgroups along one dimension that every device takes. */
const GROUPS_MAX = 65_535
/** Limbs of a number in the uniform block: 17, in whole vectors. */
const SLOTS = 20

/** Dispatches of at most `grain` operations, but at least four pixels, one stretch of pixels after the other. */
export function dispatches(view: View, grain: number): GpuDispatch[] {
  const { words, columns, rows, iterations } = view
  const pixels = columns * rows
  const each = pixelOperations(words, iterations)
  const stretch = Math.min(GROUPS_MAX * GROUP, Math.max(PIXELS_MIN, roundDown(grain / each)))
  const list: GpuDispatch[] = []
  for (let first = 0; first < pixels; first += stretch) {
    const count = Math.min(pixels - first, stretch)
    const uniform = new Int32Array(8 + 3 * SLOTS)
    uniform.set([columns, iterations, first, first + count, limbsOf(words)])
    for (const [index, number] of [view.x, view.y, view.step].entries()) {
      uniform.set(splitWords(number), 8 + index * SLOTS)
    }
    list.push({
      uniform: new Uint8Array(uniform.buffer),
      workgroups: [Math.ceil(count / GROUP), 1, 1],
      operations: each * count
    })
  }
  return list
}

/** To whole workgroups where it fills one, else to fours. */
function roundDown(pixels: number): number {
  const step = pixels >= GROUP ? GROUP : PIXELS_MIN
  return Math.floor(pixels / step) * step
}
