import * as z from 'zod/mini'
import { type MicroCredits, OPERATIONS_PER_MICROCREDIT, UNIT_BYTES_MAX } from '../../wire/index.ts'
import { SkillError } from '../errors.ts'
import { parseInput, side, whole } from '../picture/input.ts'
import { isSmall } from '../picture/samples.ts'
import { aligned, cutTiles, type Tile, tileAssembler } from '../picture/tiles.ts'
import type { Plan, PlanOptions, Skill, UnitSpec } from '../skill.ts'
import { weakIf } from '../weak.ts'
import { escapeTimes, pixelCounter } from './cpu.ts'
import { floorDivide, isDecimal, scaled, WORD_BITS, WORDS_MAX, WORDS_MIN, wordsOf } from './fixed.ts'
import { dispatches, VARIANTS } from './gpu.ts'
import { ITERATIONS_MAX, pixelOperations, UNIT_OPERATIONS } from './plan.ts'
import { checkCounts } from './verify.ts'
import { paramsOf, type View, viewOf } from './view.ts'
import { escapeTimesFast, pixelCounter as pixelCounterFast } from './wasm.ts'

/** A picture of the Mandelbrot set. Numbers of the plane are decimal text, since doubles end at a zoom of 10^15. */
export interface MandelbrotInput {
  /** Centre, real part, −2 to 2, such as `'-0.7436438870371587'`. */
  readonly x: string
  /** Centre, imaginary part, −2 to 2. */
  readonly y: string
  /** Width of the view in the plane, up to 8, such as `'3.5'` or `'1e-40'`. */
  readonly span: string
  /** Pixels, 1 to 4096. */
  readonly width: number
  readonly height: number
  /** After how many a point counts as one that never leaves, 1 to 65,535. */
  readonly iterations: number
}

/** `counts[row · width + column]`: iterations that |z| stayed below 2; `iterations` for points of the set. */
export interface MandelbrotOutput {
  readonly counts: Uint32Array<ArrayBuffer>
  readonly width: number
  readonly height: number
}

/** Bits that a pixel's distance is away from the last place: rounding stays far below a pixel. */
const SPARE_BITS = 16
const FINEST = 2 ** -(WORDS_MAX * WORD_BITS - SPARE_BITS)
const SPAN_MAX = 8

const decimal = z
  .string('must be a decimal number as text')
  .check(z.refine(isDecimal, 'must be a decimal number as text, such as "-0.75" or "1e-20"'))
const coordinate = decimal.check(z.refine((text) => Math.abs(Number(text)) <= 2, 'must be from -2 to 2'))
const span = decimal.check(
  z.refine((text) => Number(text) > 0, 'must be above 0'),
  z.refine((text) => Number(text) <= SPAN_MAX, `must be at most ${SPAN_MAX}`)
)

const input = z
  .strictObject({
    x: coordinate,
    y: coordinate,
    span,
    width: side,
    height: side,
    iterations: whole(1, ITERATIONS_MAX)
  })
  .check(
    z.refine(({ span, width }) => Number(span) / width >= FINEST, {
      path: ['span'],
      message: `must be at least ${FINEST.toExponential(1)} a pixel`
    }),
    z.refine(({ span, width, height }) => (Number(span) * height) / width <= SPAN_MAX, {
      path: ['height'],
      message: `must not make the view higher than ${SPAN_MAX}`
    })
  )

const unitCost = (words: number, pixels: number, iterations: number): MicroCredits =>
  BigInt(Math.ceil((pixelOperations(words, iterations) * pixels) / OPERATIONS_PER_MICROCREDIT))

function checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }) {
  const { words, columns, rows, iterations } = viewOf(unit.params)
  const resultSize = columns * rows * 4
  if (resultSize > UNIT_BYTES_MAX) {
    throw new SkillError(
      'BAD_UNIT',
      `A unit of ${columns} × ${rows} pixels exceeds 4 MiB: send smaller ones.`
    )
  }
  if (unit.dataSize !== 0 || unit.partSizes.length !== 0) {
    throw new SkillError('BAD_UNIT', 'A unit of this skill has neither data nor parts.')
  }
  return { resultSize, cost: unitCost(words, columns * rows, iterations) }
}

function plan(raw: MandelbrotInput, options: PlanOptions = {}): Plan<MandelbrotOutput> {
  const picture = parseInput(input, raw, options)
  const { width, height, iterations } = picture
  const corner = cornerOf(picture)
  const tiles = cutTiles({
    width,
    height,
    bytes: 4,
    pixels: UNIT_OPERATIONS / pixelOperations(corner.words, iterations),
    count: options.units
  })
  const units = tiles.map((tile): UnitSpec => {
    const params = paramsOf(viewOfTile(corner, tile, iterations))
    return {
      params,
      parts: [],
      data: new Uint8Array(0),
      cost: checkUnit({ params, dataSize: 0, partSizes: [] }).cost,
      place: { ...tile },
      ...weakIf(isSmall(tile.columns * tile.rows))
    }
  })
  return {
    parts: [],
    units,
    assembler() {
      const counts = new Uint32Array(width * height)
      return tileAssembler(tiles, counts, width, 1, () => ({ counts, width, height }))
    }
  }
}

interface Corner {
  readonly words: number
  /** Scaled by 2^(26 · words). */
  readonly x: bigint
  readonly y: bigint
  readonly step: bigint
}

/** The middle of the top left pixel, with as many words as the pixels' distance needs. */
function cornerOf({ x, y, span, width, height }: MandelbrotInput): Corner {
  const bits = Math.log2(width / Number(span)) + SPARE_BITS
  const words = Math.min(WORDS_MAX, Math.max(WORDS_MIN, Math.ceil(bits / WORD_BITS)))
  const scale = words * WORD_BITS
  const step = scaled(span, scale) / BigInt(width)
  return {
    words,
    x: scaled(x, scale) - floorDivide(step * BigInt(width - 1), 2n),
    y: scaled(y, scale) + floorDivide(step * BigInt(height - 1), 2n),
    step
  }
}

function viewOfTile({ words, x, y, step }: Corner, tile: Tile, iterations: number): View {
  return {
    words,
    columns: tile.columns,
    rows: tile.rows,
    iterations,
    x: wordsOf(x + step * BigInt(tile.left), words),
    y: wordsOf(y - step * BigInt(tile.top), words),
    step: wordsOf(step, words)
  }
}

function check(
  view: View,
  result: Uint8Array,
  countAt: (at: number) => number,
  random: () => number
): boolean {
  if (result.byteLength % 4 !== 0) {
    return false
  }
  const { buffer, byteOffset, byteLength } = aligned(result)
  return checkCounts(view, new Uint32Array(buffer, byteOffset, byteLength / 4), countAt, random)
}

export const mandelbrot: Skill<MandelbrotInput, MandelbrotOutput> = {
  manifest: {
    name: 'mandelbrot',
    version: '1.0.0',
    description: 'Escape times of the Mandelbrot set in exact fixed point, to a zoom of 10^57.',
    tags: ['picture', 'fractal', 'fixed-point'],
    license: 'MIT',
    timeout_secs: 300,
    check: 'strong'
  },
  input,
  example: () => ({
    x: '-0.7436438870371587',
    y: '0.1318259043091895',
    span: '0.00001',
    width: 160,
    height: 100,
    iterations: 500
  }),
  sample: (seed = 0) => {
    const x = `${-0.6 + seed / 2 ** 36}` // the set is much the same there
    return { x, y: '0.5', span: '0.8', width: 64, height: 56, iterations: 1000 }
  },
  variants: VARIANTS,
  plan,
  checkUnit,
  *cpu(unit) {
    const counts = yield* escapeTimes(viewOf(unit.params))
    return new Uint8Array(counts.buffer)
  },
  wasm: {
    module: 'mandelbrot',
    cpu: (unit, exports) => escapeTimesFast(exports, viewOf(unit.params)),
    verify(unit, result, random, exports) {
      const view = viewOf(unit.params)
      return check(view, result, pixelCounterFast(exports, view), random)
    }
  },
  gpu(unit, _variant, grain) {
    const view = viewOf(unit.params)
    return {
      bindings: [{ kind: 'uniform' }, { kind: 'result' }],
      resultSize: view.columns * view.rows * 4,
      dispatches: dispatches(view, grain)
    }
  },
  picture(params, result) {
    const { columns: width, rows: height } = viewOf(params)
    return { counts: new Uint32Array(result.slice().buffer), width, height }
  },
  verify(unit, result, random) {
    const view = viewOf(unit.params)
    return check(view, result, pixelCounter(view), random)
  }
}
