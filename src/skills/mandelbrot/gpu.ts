import { WGSL } from '../../../shaders/generated.ts'
import { cutStretches } from '../picture/stretches.ts'
import type { GpuDispatch, KernelVariant } from '../skill.ts'
import { limbsOf, splitWords } from './fixed.ts'
import { pixelOperations } from './plan.ts'
import type { View } from './view.ts'

export const VARIANTS: readonly KernelVariant[] = [{ name: 'limbs', wgsl: WGSL.mandelbrot, needs: [] }]

/** Limbs of a number in the uniform block: 17, in whole vectors. */
const SLOTS = 20

export function dispatches(view: View, grain: number): GpuDispatch[] {
  const { words, columns, rows, iterations } = view
  const stretches = cutStretches(columns * rows, pixelOperations(words, iterations), grain)
  return stretches.map(({ first, end, workgroups, operations }) => {
    const uniform = new Int32Array(8 + 3 * SLOTS)
    uniform.set([columns, iterations, first, end, limbsOf(words)])
    for (const [index, number] of [view.x, view.y, view.step].entries()) {
      uniform.set(splitWords(number), 8 + index * SLOTS)
    }
    return { uniform: new Uint8Array(uniform.buffer), workgroups, operations }
  })
}
