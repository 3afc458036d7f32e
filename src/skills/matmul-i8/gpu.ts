import { WGSL } from '../../../shaders/generated.ts'
import type { GpuDispatch, KernelVariant } from '../skill.ts'
import { padded } from './layout.ts'
import { operations } from './plan.ts'

/** Outputs along each side of one workgroup: 8 invocations of 4. */
const GROUP = 32

/** In order of preference. */
export const VARIANTS: readonly KernelVariant[] = [
  {
    name: 'packed',
    wgsl: WGSL['dot4-packed'] + WGSL['matmul-i8'],
    needs: ['packed_4x8_integer_dot_product']
  },
  { name: 'plain', wgsl: WGSL['dot4-plain'] + WGSL['matmul-i8'], needs: [] }
]

/** Dispatches of at most `grain` operations, but at least one workgroup, that together fill C. */
export function dispatches(rows: number, k: number, columns: number, grain: number): GpuDispatch[] {
  const perGroup = operations(GROUP, k, GROUP)
  const groups = Math.max(1, Math.floor(grain / perGroup))
  const across = Math.min(Math.ceil(columns / GROUP), groups)
  const down = Math.min(Math.ceil(rows / GROUP), Math.max(1, Math.floor(groups / across)))
  const list: GpuDispatch[] = []
  for (let top = 0; top < rows; top += down * GROUP) {
    for (let left = 0; left < columns; left += across * GROUP) {
      const height = Math.min(rows - top, down * GROUP)
      const width = Math.min(columns - left, across * GROUP)
      list.push({
        uniform: new Uint8Array(new Uint32Array([rows, padded(k) / 4, columns, top, left, 0, 0, 0]).buffer),
        workgroups: [Math.ceil(width / GROUP), Math.ceil(height / GROUP), 1],
        operations: operations(height, k, width)
      })
    }
  }
  return list
}
