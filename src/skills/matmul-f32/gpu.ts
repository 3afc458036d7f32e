import { WGSL } from '../../../shaders/generated.ts'
import type { GroupSize } from '../matmul/dispatches.ts'
import type { KernelVariant } from '../skill.ts'

/** In order of preference, 8 × 8 invocations each. */
export const VARIANTS: readonly KernelVariant[] = [
  { name: '8x8', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-8x8'], needs: [] },
  { name: '4x8', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-4x8'], needs: [] },
  {
    name: 'quads',
    wgsl: `enable subgroups;\n${WGSL['matmul-f32-common']}${WGSL['matmul-f32-quads']}`,
    needs: ['subgroups']
  },
  { name: 'shared', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-shared'], needs: [] }
]

/** Outputs of one workgroup. */
export const groupOf = (variant: string): GroupSize => ({ rows: variant === '4x8' ? 32 : 64, columns: 64 })
