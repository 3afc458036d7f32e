import * as z from 'zod/mini'
import { toFloat32 } from '../chain.ts'
import {
  bindingsOf,
  blockProduct,
  matricesOf,
  type ProductInput,
  type ProductOutput,
  shapeOf
} from '../matmul/blocks.ts'
import { productChain } from '../matmul/chain.ts'
import { dispatches } from '../matmul/dispatches.ts'
import { sampleProduct } from '../matmul/sample.ts'
import type { Skill } from '../skill.ts'
import { productsAgree } from './agrees.ts'
import { multiply } from './cpu.ts'
import { groupOf, VARIANTS } from './gpu.ts'
import { floatsOf, packColumns, packedSize, packRows } from './layout.ts'
import { checkSample, isSmall, isThin } from './sampled.ts'
import { multiplySimd } from './simd.ts'
import { checkProduct } from './verify.ts'
import { checkProductSimd } from './verify-simd.ts'

/** Elements are finite and at most 2^50 in size; those below 2^-126 count as zero. */
export type MatmulF32Input = ProductInput<Float32Array>
/** Rounded: each sum of K products within K · 2^-24 of the sum of their sizes, in an order that varies. */
export type MatmulF32Output = ProductOutput<Float32Array<ArrayBuffer>>

/** So that no sum leaves float32: 4096 · 2^100 < 2^127. */
const SIZE_MAX = 2 ** 50

const operations = (rows: number, k: number, columns: number): number => 2 * rows * k * columns

const product = blockProduct<Float32Array, Float32Array<ArrayBuffer>>({
  matrix: z
    .custom<Float32Array>((value) => value instanceof Float32Array, 'must be a Float32Array')
    .check(
      z.refine(
        (values) => values.every((value) => Math.abs(value) <= SIZE_MAX),
        'must hold no NaN, no infinity and nothing beyond 2^50 (1.1e15) in size'
      )
    ),
  operations,
  isSmall,
  packedSize,
  packRows,
  packColumns,
  view: floatsOf,
  create: (length) => new Float32Array(length)
})

export const matmulF32: Skill<MatmulF32Input, MatmulF32Output> = {
  ...product.skill,
  chain: productChain({
    ...product.parts,
    taken: (rows, via) => toFloat32(rows, via, SIZE_MAX),
    zeros: (length) => new Float32Array(length)
  }),
  manifest: {
    name: 'matmul-f32',
    version: '1.0.0',
    description: 'Product of two float32 matrices, any shape up to 4096 a side.',
    tags: ['linear-algebra', 'float32'],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  example: () => ({
    a: Float32Array.of(1, 0.5, -2, 3, 0.25, 1),
    b: Float32Array.of(2, 1, -1, 0.5, 1, 4),
    m: 2,
    k: 3,
    n: 2
  }),
  sample: (seed) =>
    sampleProduct((length, next) => Float32Array.from({ length }, () => next() / 2 ** 31), seed),
  variants: VARIANTS,
  *cpu(unit) {
    const { a, b } = matricesOf(unit)
    const c = yield* multiply(floatsOf(a), floatsOf(b), shapeOf(unit.params))
    return new Uint8Array(c.buffer)
  },
  wasm: {
    module: 'matmul-f32',
    cpu: (unit, exports) => multiplySimd(exports, matricesOf(unit), shapeOf(unit.params)),
    verify(unit, result, random, exports) {
      const { a, b } = matricesOf(unit)
      const shape = shapeOf(unit.params)
      return isThin(shape)
        ? checkSample(a, b, result, shape, random)
        : checkProductSimd(exports, { a, b }, result, shape, random)
    }
  },
  gpu(unit, variant, grain) {
    const { rows, k, columns } = shapeOf(unit.params)
    const shape = { rows, steps: k, columns }
    return {
      bindings: bindingsOf(unit),
      resultSize: rows * columns * 4,
      dispatches: dispatches(shape, groupOf(variant), grain, (height, width) => operations(height, k, width))
    }
  },
  agrees(unit, result, other) {
    const { a, b } = matricesOf(unit)
    return productsAgree(a, b, shapeOf(unit.params), result, other)
  },
  verify(unit, result, random) {
    const { a, b } = matricesOf(unit)
    const shape = shapeOf(unit.params)
    return (isThin(shape) ? checkSample : checkProduct)(a, b, result, shape, random)
  }
}
