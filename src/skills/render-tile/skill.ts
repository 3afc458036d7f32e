import * as z from 'zod/mini'
import { type MicroCredits, OPERATIONS_PER_MICROCREDIT, UNIT_BYTES_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import { parseInput, side, whole } from '../picture/input.ts'
import { isSmall } from '../picture/samples.ts'
import { aligned, cutTiles, tileAssembler } from '../picture/tiles.ts'
import type { Plan, PlanOptions, Skill, UnitSpec } from '../skill.ts'
import { weakIf } from '../weak.ts'
import { render } from './cpu.ts'
import { exampleScene } from './example.ts'
import { dispatches, VARIANTS } from './gpu.ts'
import { packedLength, packScene, type Scene, scene } from './scene.ts'
import {
  DEPTH_MAX,
  paramsOf,
  pixelOperations,
  type RenderTile,
  SAMPLES_MAX,
  sceneOf,
  tileOf
} from './tile.ts'
import { checkRadiance, radianceAgrees } from './verify.ts'

export type { Material, Scene, Vector } from './scene.ts'

/** A picture of a scene. Its packed form is one part that all tiles share. */
export interface RenderInput {
  readonly scene: Scene
  /** Pixels, 1 to 4096. */
  readonly width: number
  readonly height: number
  /** Paths a pixel, 1 to 64. For more, render with several seeds and take the mean. */
  readonly samples: number
  /** Surfaces that a path may meet, 1 to 8. */
  readonly depth: number
  /** 0 to 2^32 − 1. The same seed gives the same picture. */
  readonly seed: number
}

/** Linear radiance: `radiance[(row · width + column) · 3]` is red, then green and blue; from 0 to 16. */
export interface RenderOutput {
  readonly radiance: Float32Array<ArrayBuffer>
  readonly width: number
  readonly height: number
}

/** Counted operations of a unit by default. An upper limit: most paths end in the sky before they are long. */
const UNIT_OPERATIONS = 2 ** 28
const PIXEL_BYTES = 12

const input = z.strictObject({
  scene,
  width: side,
  height: side,
  samples: whole(1, SAMPLES_MAX),
  depth: whole(1, DEPTH_MAX),
  seed: whole(0, 2 ** 32 - 1)
})

const unitCost = (tile: RenderTile): MicroCredits =>
  BigInt(Math.ceil((pixelOperations(tile) * tile.columns * tile.rows) / OPERATIONS_PER_MICROCREDIT))

function checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }) {
  const tile = tileOf(unit.params)
  const resultSize = tile.columns * tile.rows * PIXEL_BYTES
  if (resultSize > UNIT_BYTES_MAX) {
    throw new SkillError(
      'BAD_UNIT',
      `A unit of ${tile.columns} × ${tile.rows} pixels exceeds 4 MiB: send smaller ones.`
    )
  }
  const [sceneSize, ...others] = unit.partSizes
  if (unit.dataSize !== 0 || others.length > 0 || sceneSize !== packedLength(tile) * 4) {
    throw new SkillError('BAD_UNIT', 'A unit needs a packed scene of its size as its only part, and no data.')
  }
  return { resultSize, cost: unitCost(tile) }
}

function plan(raw: RenderInput, options: PlanOptions = {}): Plan<RenderOutput> {
  const { scene, width, height, samples, depth, seed } = parseInput(input, raw, options)
  const common = {
    samples,
    depth,
    seed,
    materials: scene.materials.length,
    spheres: scene.spheres.length,
    triangles: scene.triangles.length
  }
  const tiles = cutTiles({
    width,
    height,
    bytes: PIXEL_BYTES,
    pixels: UNIT_OPERATIONS / pixelOperations(common),
    count: options.units
  })
  const units = tiles.map((place): UnitSpec => {
    const tile = { ...place, ...common }
    return {
      params: paramsOf(tile),
      parts: [0],
      data: new Uint8Array(0),
      cost: unitCost(tile),
      place: { ...place },
      ...weakIf(isSmall(tile.columns * tile.rows))
    }
  })
  return {
    parts: [new Uint8Array(packScene(scene, width, height).buffer)],
    units,
    assembler() {
      const radiance = new Float32Array(width * height * 3)
      return tileAssembler(tiles, radiance, width, 3, () => ({ radiance, width, height }))
    }
  }
}

function radianceOf(result: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = aligned(result)
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}

export const renderTile: Skill<RenderInput, RenderOutput> = {
  manifest: {
    name: 'render-tile',
    version: '1.0.0',
    description: 'Path-traced pictures of scenes of spheres and triangles: diffuse, metal, glass and light.',
    tags: ['picture', 'path-tracing', 'rendering'],
    license: 'MIT',
    timeout_secs: 300,
    check: 'strong'
  },
  input,
  example: () => ({ scene: exampleScene(), width: 160, height: 100, samples: 8, depth: 6, seed: 1 }),
  sample: (seed = 1) => ({ scene: exampleScene(), width: 140, height: 100, samples: 8, depth: 6, seed }),
  variants: VARIANTS,
  plan,
  checkUnit,
  *cpu(unit) {
    const tile = tileOf(unit.params)
    const radiance = yield* render(tile, sceneOf(tile, unit.parts))
    return new Uint8Array(radiance.buffer)
  },
  gpu(unit, _variant, grain) {
    const tile = tileOf(unit.params)
    return {
      bindings: [{ kind: 'part', part: 0 }, { kind: 'uniform' }, { kind: 'result' }],
      resultSize: tile.columns * tile.rows * PIXEL_BYTES,
      dispatches: dispatches(tile, grain)
    }
  },
  picture(params, result) {
    const { columns: width, rows: height } = tileOf(params)
    return { radiance: new Float32Array(result.slice().buffer), width, height }
  },
  agrees: (_unit, result, other) => radianceAgrees(radianceOf(result), radianceOf(other)),
  verify(unit, result, random) {
    const tile = tileOf(unit.params)
    return (
      result.byteLength === tile.columns * tile.rows * PIXEL_BYTES &&
      checkRadiance(tile, sceneOf(tile, unit.parts), radianceOf(result), random)
    )
  }
}
