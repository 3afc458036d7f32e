import { SkillError } from '../errors.ts'
import { SIDE_MAX } from '../picture/tiles.ts'
import { approximate, WORD_BITS, WORDS_MAX, WORDS_MIN } from './fixed.ts'
import { ITERATIONS_MAX } from './plan.ts'

/** What a unit shows: c = (x + column · step) + i (y − row · step). Numbers as in `fixed.ts`. */
export interface View {
  readonly words: number
  readonly columns: number
  readonly rows: number
  readonly iterations: number
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly step: readonly number[]
}

/** How far from 0 a unit may begin, and how far it may reach: squares stay small, and beyond 2 all leave at once. */
const REACH = 8

export const paramsOf = ({ words, columns, rows, iterations, x, y, step }: View): number[] => [
  words,
  columns,
  rows,
  iterations,
  ...x,
  ...y,
  ...step
]

/** @throws SkillError `BAD_UNIT` */
export function viewOf(params: readonly number[]): View {
  const [words = 0, columns = 0, rows = 0, iterations = 0] = params
  const size = words + 1
  if (!isFrom(words, WORDS_MIN, WORDS_MAX) || params.length !== 4 + 3 * size) {
    throw new SkillError('BAD_UNIT', `A unit needs ${WORDS_MIN} to ${WORDS_MAX} words and three numbers.`)
  }
  if (!isFrom(columns, 1, SIDE_MAX) || !isFrom(rows, 1, SIDE_MAX) || !isFrom(iterations, 1, ITERATIONS_MAX)) {
    throw new SkillError(
      'BAD_UNIT',
      `A unit has 1 to ${SIDE_MAX} columns and rows and 1 to ${ITERATIONS_MAX} iterations.`
    )
  }
  const [x = [], y = [], step = []] = [4, 4 + size, 4 + 2 * size].map((from) =>
    params.slice(from, from + size)
  )
  const isNear = [x, y].every((number) => isNumber(number) && Math.abs(approximate(number)) <= REACH)
  const isSmall = isNumber(step) && approximate(step) >= 0
  if (!isNear || !isSmall || approximate(step) * Math.max(columns, rows) > REACH) {
    throw new SkillError('BAD_UNIT', 'A unit must show points near the set, in words of 26 bits.')
  }
  return { words, columns, rows, iterations, x, y, step }
}

const isNumber = (words: readonly number[]): boolean =>
  words.every((word, index) =>
    index === words.length - 1 ? isFrom(word, -REACH, REACH) : isFrom(word, 0, 2 ** WORD_BITS - 1)
  )

const isFrom = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high
