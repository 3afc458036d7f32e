import { UNIT_BYTES_MAX } from '../../wire/index.ts'
import { type Chain, type ChainPlan, toInt8 } from '../chain.ts'
import { SkillError } from '../errors.ts'
import { depthOf, packRows, paramsOf, QUERIES_MAX, resultSize, type SearchShape } from './layout.ts'
import {
  assemble,
  type KnnInput,
  type KnnOutput,
  type Place,
  parse,
  ranges,
  shardRows,
  unitCost
} from './plan.ts'

/** A search in a pipeline: the queries come from the stage before, the database is the stage's own. */
export const knnChain: Chain<KnnOutput> = {
  begin(input) {
    const parsed = parse(input)
    const { queries, dims } = parsed
    const pack = (first: number, end: number) => packRows(queries, dims, first, end - first)
    return { plan: chainPlan(parsed), source: { rows: queries.length / dims, pack } }
  },
  follow(input, columns) {
    const given = Object(input)
    if ('queries' in given || 'dims' in given) {
      throw new SkillError(
        'BAD_INPUT',
        'queries and dims come from the stage before: give database, top and metric alone.'
      )
    }
    return chainPlan(parse({ ...given, queries: new Int8Array(columns), dims: columns }))
  },
  data: (rows, via) => packRows(toInt8(rows, via), rows.columns, 0, rows.rows)
}

function chainPlan({ database, dims, top, metric }: KnnInput): ChainPlan<KnnOutput> {
  const shards = ranges(database.length / dims, shardRows(dims))
  const [[, firstEnd] = [0, 1]] = shards
  const shapeOf = (rows: number, queries: number): SearchShape => ({ rows, dims, queries, top, metric })
  const one = shapeOf(firstEnd, 1)
  return {
    columns: dims,
    out: undefined,
    parts: shards.map(([first, end]) => packRows(database, dims, first, end - first)),
    rowsMax: Math.min(QUERIES_MAX, Math.floor(UNIT_BYTES_MAX / Math.max(resultSize(one), depthOf(dims)))),
    units: (queries) =>
      shards.map(([first, end], part) => {
        const shape = shapeOf(end - first, queries)
        return {
          params: paramsOf(shape),
          parts: [part],
          cost: unitCost(shape),
          dataSize: queries * depthOf(dims),
          resultSize: resultSize(shape)
        }
      }),
    assembler: (lanes) => {
      const places: Place[] = lanes.flatMap(([firstQuery, end]) =>
        shards.map(([firstRow, endRow]) => ({
          firstRow,
          firstQuery,
          shape: shapeOf(endRow - firstRow, end - firstQuery)
        }))
      )
      const whole = assemble(shapeOf(firstEnd, lanes.at(-1)?.[1] ?? 0), places)
      return {
        accept: (lane, unit, result) => whole.accept(lane * shards.length + unit, result),
        finish: () => whole.finish()
      }
    }
  }
}
