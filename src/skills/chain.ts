import type { MicroCredits } from '../wire/index.ts'

/**
 * How skills stand one behind the other in a pipeline. What goes from one to the next is a matrix, row by row, cut into
 * *lanes* of whole rows: each lane is one unit of each stage (of the last one some units, on the same rows). Pure like
 * skills themselves: what lies between two stages is computed wherever its bytes are, and always the same.
 */

/** Numbers of some rows, one row after the other. */
export interface Rows {
  readonly rows: number
  readonly columns: number
  readonly values: Float32Array | Int32Array
}

/** What is done to each number between two stages. */
export interface Via {
  /** Negative numbers become 0. */
  readonly relu: boolean
  /** Times 2^(scale − 64), 0 to 128: what does not fit the next stage's numbers is cut to their ends. */
  readonly scale: number
}

/** The `scale` that changes nothing; the largest is twice that. */
export const SCALE_ONE = 64

/** A unit of a stage, but for the rows that it takes in. */
export interface ChainUnit {
  readonly params: readonly number[]
  /** Indices into `ChainPlan.parts`. */
  readonly parts: readonly number[]
  readonly cost: MicroCredits
  /** Bytes of the rows that it takes in, as `Chain.data` packs them. */
  readonly dataSize: number
  readonly resultSize: number
}

/** One stage of a pipeline: what it holds itself, and what it makes of rows. */
export interface ChainPlan<Output> {
  /** Numbers of a row that it takes in. */
  readonly columns: number
  /** Numbers of a row of its result; undefined: nothing can follow it. */
  readonly out: number | undefined
  /** Shared inputs of all its units. */
  readonly parts: readonly Uint8Array[]
  /** The most rows of one lane. */
  readonly rowsMax: number
  /** Those of a lane of so many rows. */
  units(rows: number): readonly ChainUnit[]
  /**
   * Puts results of the last stage together.
   *
   * @param lanes where the rows of each begin and end
   */
  assembler(lanes: ReadonlyArray<readonly [first: number, end: number]>): ChainAssembler<Output>
}

export interface ChainAssembler<Output> {
  accept(lane: number, unit: number, result: Uint8Array): void
  /** @throws SkillError `INCOMPLETE` */
  finish(): Output
}

/** The rows that a pipeline begins with. */
export interface ChainSource {
  readonly rows: number
  /** Rows [first, end) as the first stage's units take them in. */
  pack(first: number, end: number): Uint8Array
}

/** What a skill needs to stand in a pipeline. Its check must be strong: nobody compares results there. */
export interface Chain<Output> {
  /**
   * As first stage: the skill's whole input.
   *
   * @throws SkillError `BAD_INPUT`
   */
  begin(input: unknown): { readonly plan: ChainPlan<Output>; readonly source: ChainSource }
  /**
   * As a later stage: the skill's input without the rows and what follows from them.
   *
   * @param columns numbers of a row that come from the stage before
   * @throws SkillError `BAD_INPUT`
   */
  follow(input: unknown, columns: number): ChainPlan<Output>
  /**
   * A unit's result as rows. Undefined: nothing can follow this skill.
   *
   * @throws SkillError `BAD_UNIT` for bytes that are not so long
   */
  rows?(params: readonly number[], result: Uint8Array): Rows
  /** Rows as a unit of this skill takes them in. */
  data(rows: Rows, via: Via): Uint8Array
}

/** As int8: rounded half up, cut to −128 … 127; what is no number is 0. */
export function toInt8({ values }: Rows, via: Via): Int8Array {
  const factor = 2 ** (via.scale - SCALE_ONE)
  const taken = new Int8Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const scaled = Math.floor(rectified(values[i] ?? 0, via) * factor + 0.5)
    taken[i] = Math.max(-128, Math.min(127, scaled || 0))
  }
  return taken
}

/** As float32, cut to ± `limit`; what is no number is 0. */
export function toFloat32({ values }: Rows, via: Via, limit: number): Float32Array {
  const factor = 2 ** (via.scale - SCALE_ONE)
  const taken = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const scaled = rectified(values[i] ?? 0, via) * factor
    taken[i] = Math.max(-limit, Math.min(limit, scaled || 0))
  }
  return taken
}

const rectified = (value: number, { relu }: Via) => (relu && value < 0 ? 0 : value)
