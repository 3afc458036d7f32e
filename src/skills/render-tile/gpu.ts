import { WGSL } from '../../../shaders/generated.ts'
import { cutStretches } from '../picture/stretches.ts'
import type { GpuDispatch, KernelVariant } from '../skill.ts'
import { pixelOperations, type RenderTile } from './tile.ts'

export const VARIANTS: readonly KernelVariant[] = [{ name: 'pixel', wgsl: WGSL['render-tile'], needs: [] }]

export function dispatches(tile: RenderTile, grain: number): GpuDispatch[] {
  const { left, top, columns, rows, samples, depth, seed, materials, spheres, triangles } = tile
  const stretches = cutStretches(columns * rows, pixelOperations(tile), grain)
  return stretches.map(({ first, end, workgroups, operations }) => {
    const uniform = new Uint32Array(12)
    uniform.set([left, top, columns, first, end, samples, depth, seed, materials, spheres, triangles])
    return { uniform: new Uint8Array(uniform.buffer), workgroups, operations }
  })
}
