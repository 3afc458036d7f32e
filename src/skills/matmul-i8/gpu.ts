import { WGSL } from '../../../shaders/generated.ts'
import type { KernelVariant } from '../skill.ts'

/** Outputs of one workgroup: 8 × 8 invocations of 4 × 4. */
export const GROUP = { rows: 32, columns: 32 }

/** In order of preference. */
export const VARIANTS: readonly KernelVariant[] = [
  {
    name: 'packed',
    wgsl: WGSL['dot4-packed'] + WGSL['matmul-i8'],
    needs: ['packed_4x8_integer_dot_product']
  },
  { name: 'plain', wgsl: WGSL['dot4-plain'] + WGSL['matmul-i8'], needs: [] }
]
