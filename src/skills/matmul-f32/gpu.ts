import { WGSL } from '../../../shaders/generated.ts'
import type { GroupSize } from '../matmul/dispatches.ts'
import { byWords, quadTile, type Tile } from '../matmul/tiles.ts'
import type { KernelVariant } from '../skill.ts'

const QUADS: Tile = { rows: 16, columns: 8, across: 8, down: 4 }

/** In order of preference, a workgroup for 64 columns. */
export const VARIANTS: readonly KernelVariant[] = [
  { name: '8x8', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-8x8'], needs: [] },
  { name: '4x8', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-4x8'], needs: [] },
  {
    name: 'quads',
    wgsl: `enable subgroups;\n${byWords(WGSL['matmul-f32-common'])}${quadTile(QUADS)}`,
    needs: ['subgroups']
  },
  { name: 'shared', wgsl: WGSL['matmul-f32-common'] + WGSL['matmul-f32-shared'], needs: [] }
]

/** Outputs of one workgroup. */
export const groupOf = (variant: string): GroupSize => ({ rows: variant === '4x8' ? 32 : 64, columns: 64 })
