import * as z from 'zod/mini'
import { toInt8 } from '../chain.ts'
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
import { padded } from '../matmul/grid.ts'
import { sampleProduct } from '../matmul/sample.ts'
import type { Skill } from '../skill.ts'
import { multiply } from './cpu.ts'
import { groupOf, VARIANTS } from './gpu.ts'
import { packColumns, packedSize, packRows, signedBytes } from './layout.ts'
import { checkSample, isSmall, isThin } from './sampled.ts'
import { multiplySimd } from './simd.ts'
import { checkProduct } from './verify.ts'
import { checkProductSimd } from './verify-simd.ts'

export type MatmulInput = ProductInput<Int8Array>
/** Exact. */
export type MatmulOutput = ProductOutput<Int32Array<ArrayBuffer>>

/** K is counted in fours, as all kernels read it. */
const operations = (rows: number, k: number, columns: number): number => 2 * rows * padded(k) * columns

const wordsOf = (bytes: Uint8Array): Int32Array<ArrayBuffer> =>
  // results come by message: their buffers are never shared memory
  new Int32Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / 4)

const product = blockProduct<Int8Array, Int32Array<ArrayBuffer>>({
  matrix: z.custom<Int8Array>((value) => value instanceof Int8Array, 'must be an Int8Array'),
  operations,
  isSmall,
  packedSize,
  packRows,
  packColumns,
  view: wordsOf,
  create: (length) => new Int32Array(length)
})

export const matmulI8: Skill<MatmulInput, MatmulOutput> = {
  ...product.skill,
  chain: productChain({
    ...product.parts,
    taken: (rows, via) => toInt8(rows, via),
    zeros: (length) => new Int8Array(length)
  }),
  manifest: {
    name: 'matmul-i8',
    version: '1.0.0',
    description: 'Product of two int8 matrices with exact int32 results, any shape up to 4096 a side.',
    tags: ['linear-algebra', 'int8'],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  example: () => ({
    a: Int8Array.of(1, 2, 3, 4, 5, 6),
    b: Int8Array.of(1, 0, -1, 2, 1, -128),
    m: 2,
    k: 3,
    n: 2
  }),
  sample: (seed) => sampleProduct((length, next) => Int8Array.from({ length }, () => next() >> 24), seed),
  variants: VARIANTS,
  *cpu(unit) {
    const { rows, k, columns } = shapeOf(unit.params)
    const { a, b } = matricesOf(unit)
    const c = yield* multiply(signedBytes(a), signedBytes(b), rows, k, columns)
    return new Uint8Array(c.buffer)
  },
  wasm: {
    module: 'matmul-i8',
    cpu: (unit, exports) => multiplySimd(exports, matricesOf(unit), shapeOf(unit.params)),
    verify(unit, result, random, exports) {
      const { a, b } = matricesOf(unit)
      const shape = shapeOf(unit.params)
      return isThin(shape)
        ? checkSample(signedBytes(a), signedBytes(b), result, shape, random)
        : checkProductSimd(exports, { a, b }, result, shape, random)
    }
  },
  gpu(unit, variant, grain) {
    const { rows, k, columns } = shapeOf(unit.params)
    const shape = { rows, steps: padded(k) / 4, columns }
    return {
      bindings: bindingsOf(unit),
      resultSize: rows * columns * 4,
      dispatches: dispatches(shape, groupOf(variant), grain, (height, width) => operations(height, k, width))
    }
  },
  verify(unit, result, random) {
    const { a, b } = matricesOf(unit)
    const shape = shapeOf(unit.params)
    return (isThin(shape) ? checkSample : checkProduct)(signedBytes(a), signedBytes(b), result, shape, random)
  }
}
