import { WGSL } from '../../../shaders/generated.ts'
import type { GroupSize } from '../matmul/dispatches.ts'
import type { KernelVariant } from '../skill.ts'

const PACKED = 'packed_4x8_integer_dot_product'

const packed = (tile: '4x4' | '4x8' | '8x8'): KernelVariant => ({
  name: `packed-${tile}`,
  wgsl: WGSL['dot4-packed'] + WGSL['matmul-i8-common'] + WGSL[`matmul-i8-${tile}`],
  needs: [PACKED]
})

const float = (tile: '8x8' | '16x16'): KernelVariant => ({
  name: `float-${tile}`,
  wgsl: WGSL['matmul-i8-common'] + WGSL['matmul-i8-float'] + WGSL[`matmul-i8-float-${tile}`],
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
  float('8x8'),
  float('16x16'),
  plain
]

/** Outputs of one workgroup: 8 × 8 invocations, of the largest tile 4 × 4. */
export function groupOf(variant: string): GroupSize {
  const [, tile = '4x4'] = variant.split('-')
  return { rows: tile.startsWith('4') ? 32 : 64, columns: tile === '4x4' ? 32 : 64 }
}
