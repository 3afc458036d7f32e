import { UNIT_BYTES_MAX } from '../../wire/index.ts'
import type { Chain, ChainPlan, Rows, Via } from '../chain.ts'
import { SkillError } from '../errors.ts'
import type { Assembler } from '../skill.ts'
import { aligned, type ChainParts, type ProductInput, type ProductOutput, shapeOf } from './blocks.ts'

export interface ProductChain<Matrix, Result> extends ChainParts<Matrix, Result> {
  /** Rows from the stage before, as elements of A. */
  taken(rows: Rows, via: Via): Matrix
  zeros(length: number): Matrix
}

/** Products in a pipeline: A comes from the stage before, row by row; B is the stage's own. */
export function productChain<Matrix, Result extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>({
  elements,
  parse,
  unitCost,
  assemble,
  taken,
  zeros
}: ProductChain<Matrix, Result>): Chain<ProductOutput<Result>> {
  function plan({ b, k, n }: ProductInput<Matrix>): ChainPlan<ProductOutput<Result>> {
    const fits = (rows: number) =>
      elements.packedSize(rows, k) <= UNIT_BYTES_MAX && rows * n * 4 <= UNIT_BYTES_MAX
    const widest = Math.floor(UNIT_BYTES_MAX / 4 / Math.max(k, n))
    return {
      columns: k,
      out: n,
      parts: [elements.packColumns(b, k, n, 0, n)],
      rowsMax: fits(widest) ? widest : widest & ~3, // packed rows are padded to fours
      units: (rows) => [
        {
          params: [rows, k, n],
          parts: [0],
          cost: unitCost(rows, k, n),
          dataSize: elements.packedSize(rows, k),
          resultSize: rows * n * 4
        }
      ],
      assembler: (lanes) => {
        const rows = lanes.at(-1)?.[1] ?? 0
        const blocks = lanes.map(([top, end]) => ({ top, rows: end - top, left: 0, columns: n }))
        const whole: Assembler<ProductOutput<Result>> = assemble(rows, n, blocks)
        return { accept: (lane, _unit, result) => whole.accept(lane, result), finish: () => whole.finish() }
      }
    }
  }

  return {
    begin(input) {
      const parsed = parse(input)
      const { a, m, k } = parsed
      return {
        plan: plan(parsed),
        source: { rows: m, pack: (first, end) => elements.packRows(a, k, first, end - first) }
      }
    },
    follow(input, columns) {
      const given = Object(input)
      if ('a' in given || 'm' in given || 'k' in given) {
        throw new SkillError('BAD_INPUT', 'a, m and k come from the stage before: give b and n alone.')
      }
      return plan(parse({ ...given, a: zeros(columns), m: 1, k: columns }))
    },
    rows(params, result) {
      const { rows, columns } = shapeOf(params)
      if (result.byteLength !== rows * columns * 4) {
        throw new SkillError('BAD_UNIT', 'A result has another length than its rows and columns make.')
      }
      return { rows, columns, values: elements.view(aligned(result)) }
    },
    data: (rows, via) => elements.packRows(taken(rows, via), rows.columns, 0, rows.rows)
  }
}
