import { UNIT_BYTES_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import type { Skill, UnitInput } from '../skill.ts'
import { knnChain } from './chain.ts'
import { scoreOf, search } from './cpu.ts'
import { searchProgram, VARIANTS } from './gpu.ts'
import { depthOf, resultSize, type SearchShape, shapeOf, signedBytes } from './layout.ts'
import { input, type KnnInput, type KnnOutput, plan, unitCost } from './plan.ts'
import { sampleSearch } from './sample.ts'
import { searchSimd } from './simd.ts'
import { checkNeighbours, listsAreRight, type Scores } from './verify.ts'
import { scoresSimd } from './verify-simd.ts'

/** The unit's shard, queries and shape. */
function readUnit(unit: UnitInput): { database: Uint8Array; queries: Uint8Array; shape: SearchShape } {
  const [database] = unit.parts
  if (database === undefined) {
    throw new SkillError('BAD_UNIT', 'A unit needs a shard of the database as its part.')
  }
  return { database, queries: unit.data, shape: shapeOf(unit.params) }
}

/** What the check needs, by the readable twin. */
function readableScores(database: Uint8Array, queries: Uint8Array, shape: SearchShape): Scores {
  const { dims, metric } = shape
  const rows = signedBytes(database)
  const vectors = signedBytes(queries)
  const depth = depthOf(dims)
  const count = queries.length / depth
  const score = (row = 0, query = 0) => scoreOf(metric, rows, row, vectors, query, depth)
  return {
    listsAreRight: (lists) => listsAreRight(lists, shape, score),
    ofRows: (some) =>
      Int32Array.from({ length: count * some.length }, (_, at) =>
        score(some[at % some.length], Math.floor(at / some.length))
      )
  }
}

export const knnI8: Skill<KnnInput, KnnOutput> = {
  manifest: {
    name: 'knn-i8',
    version: '1.0.0',
    description:
      'Nearest neighbours of int8 vectors: the best 1 to 32 rows of a database of up to a million, exact.',
    tags: ['search', 'embeddings', 'int8'],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  input,
  example: () => ({
    database: Int8Array.of(1, 2, 3, -4, 5, 6, 7, 8, -9, 10, 11, 12),
    queries: Int8Array.of(1, 2, 3),
    dims: 3,
    top: 2,
    metric: 'l2'
  }),
  sample: sampleSearch,
  variants: VARIANTS,
  chain: knnChain,
  plan,
  checkUnit({ params, dataSize, partSizes }) {
    const shape = shapeOf(params)
    const size = resultSize(shape)
    if (size > UNIT_BYTES_MAX) {
      throw new SkillError('BAD_UNIT', `A unit's result of ${size} bytes exceeds 4 MiB: send smaller ones.`)
    }
    const depth = depthOf(shape.dims)
    const [shardSize] = partSizes
    if (
      partSizes.length !== 1 ||
      shardSize !== shape.rows * depth ||
      dataSize !== shape.queries * depth ||
      dataSize > UNIT_BYTES_MAX
    ) {
      throw new SkillError('BAD_UNIT', 'The sizes of data and part do not fit rows, queries and dims.')
    }
    return { resultSize: size, cost: unitCost(shape) }
  },
  cpu(unit) {
    const { database, queries, shape } = readUnit(unit)
    return search(signedBytes(database), signedBytes(queries), shape)
  },
  wasm: {
    module: 'knn-i8',
    cpu(unit, exports) {
      const { database, queries, shape } = readUnit(unit)
      return searchSimd(exports, database, queries, shape)
    },
    verify(unit, result, random, exports) {
      const { database, queries, shape } = readUnit(unit)
      return checkNeighbours(result, shape, random, scoresSimd(exports, database, queries, shape))
    }
  },
  gpu: (unit, _variant, grain) => searchProgram(shapeOf(unit.params), grain),
  verify(unit, result, random) {
    const { database, queries, shape } = readUnit(unit)
    return checkNeighbours(result, shape, random, readableScores(database, queries, shape))
  }
}
