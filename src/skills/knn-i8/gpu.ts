import { WGSL } from '../../../shaders/generated.ts'
import type { GpuProgram, KernelVariant } from '../skill.ts'
import { depthOf, METRICS, operations, resultSize, SEGMENT, type SearchShape, segmentsOf } from './layout.ts'

/** Queries of one workgroup. */
const GROUP = 64

/** In order of preference. */
export const VARIANTS: readonly KernelVariant[] = [
  {
    name: 'packed',
    wgsl: WGSL['dot4-packed'] + WGSL['knn-i8'],
    needs: ['packed_4x8_integer_dot_product']
  },
  { name: 'plain', wgsl: WGSL['dot4-plain'] + WGSL['knn-i8'], needs: [] }
]

/** Dispatches of as many segments as `grain` operations allow, but at least one. */
export function searchProgram(shape: SearchShape, grain: number): GpuProgram {
  const { rows, dims, queries, top, metric } = shape
  const segments = segmentsOf(rows)
  const ofSegment = operations({ ...shape, rows: Math.min(rows, SEGMENT) })
  const step = Math.max(1, Math.floor(grain / ofSegment))
  const firsts = Array.from({ length: Math.ceil(segments / step) }, (_, index) => index * step)
  return {
    bindings: [{ kind: 'part', part: 0 }, { kind: 'data' }, { kind: 'uniform' }, { kind: 'result' }],
    resultSize: resultSize(shape),
    dispatches: firsts.map((first) => {
      const count = Math.min(step, segments - first)
      const words = [rows, depthOf(dims) / 16, queries, top, METRICS.indexOf(metric), first, 0, 0]
      return {
        uniform: new Uint8Array(new Uint32Array(words).buffer),
        workgroups: [Math.ceil(queries / GROUP), count, 1],
        operations: count * ofSegment
      }
    })
  }
}
