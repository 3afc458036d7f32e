import { WGSL } from '../../../shaders/generated.ts'
import type { GroupSize } from '../matmul/dispatches.ts'
import { byteTile, byWords } from '../matmul/tiles.ts'
import type { KernelVariant } from '../skill.ts'

const PACKED = 'packed_4x8_integer_dot_product'

const packed = (tile: '4x4' | '4x8' | '8x8'): KernelVariant => ({
  name: `packed-${tile}`,
  wgsl: WGSL['dot4-packed'] + WGSL['matmul-i8-common'] + WGSL[`matmul-i8-${tile}`],
  needs: [PACKED]
})

const float = (rows: number, columns: number, down: number): KernelVariant => ({
  name: `float-${rows}x${columns}`,
  wgsl:
    byWords(WGSL['matmul-i8-common']) +
    WGSL['matmul-i8-float'] +
    byteTile({ rows, columns, across: 64 / columns, down }),
  needs: []
})

const plain: KernelVariant = {
  name: 'plain-4x4',
  wgsl: WGSL['dot4-plain'] + WGSL['matmul-i8-common'] + WGSL['matmul-i8-4x4'],
  needs: []
}

/** In order of preference. */
export const VARIANTS: readonly KernelVariant[] = [
  packed('8x8'),
  packed('4x8'),
  packed('4x4'),
  float(8, 8, 8),
  float(16, 8, 4),
  plain
]

/** Outputs of one workgroup. */
export function groupOf(variant: string): GroupSize {
  const [, tile = '4x4'] = variant.split('-')
  return { rows: tile.startsWith('4') ? 32 : 64, columns: tile === '4x4' ? 32 : 64 }
}
