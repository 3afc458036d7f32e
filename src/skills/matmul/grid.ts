import { UNIT_BYTES_MAX, UNITS_MAX } from '../../wire/index.ts'

/** Largest M, K and N. */
export const SIDE_MAX = 4096

/**
 * Counted operations of a unit by default: 1024³ makes 2 units, of 35 ms on a CPU's thread. Smaller ones would move
 * more bytes an operation, and their check would cost more than a tenth of the computing.
 */
const UNIT_OPERATIONS = 2 ** 30
/** How far the default may be exceeded for a better shape. */
const SLACK = 1.25

/** Rows [top, top + rows) by columns [left, left + columns) of C. */
export interface Block {
  readonly top: number
  readonly rows: number
  readonly left: number
  readonly columns: number
}

/** How C is cut: `down` blocks along M, `across` along N. */
export interface Grid {
  readonly down: number
  readonly across: number
}

/** The next multiple of 4. */
export const padded = (size: number): number => (size + 3) & ~3

/**
 * Chooses the grid: blocks as square as can be, since the check costs as 1/rows + 1/columns of the computing,
 * and since square blocks send least. `units` is kept to exactly where a grid of that many blocks exists.
 *
 * @param operations of the whole job
 */
export function chooseGrid(m: number, n: number, operations: number, units?: number): Grid {
  if (units !== undefined) {
    for (let count = Math.min(units, m * n, UNITS_MAX); count >= 1; count--) {
      const grid = bestGrid(m, n, count)
      if (grid !== undefined) {
        return grid
      }
    }
  }
  const wanted = Math.max(1, Math.round(operations / UNIT_OPERATIONS))
  const candidates: Grid[] = []
  for (let count = wanted; count <= Math.ceil(wanted * SLACK); count++) {
    candidates.push(...(grids(m, n, count) ?? []))
  }
  return least(candidates, (grid) => unevenness(m, n, grid)) ?? smallestGrid(m, n)
}

function bestGrid(m: number, n: number, count: number): Grid | undefined {
  return least(grids(m, n, count), (grid) => unevenness(m, n, grid))
}

function grids(m: number, n: number, count: number): Grid[] {
  const found: Grid[] = []
  for (let across = 1; across <= Math.min(n, count); across++) {
    const down = count / across
    if (Number.isInteger(down) && down <= m && fits(m, n, { down, across })) {
      found.push({ down, across })
    }
  }
  return found
}

/** For shapes that no wanted count fits: whole rows, as many as a result may hold. */
function smallestGrid(m: number, n: number): Grid {
  const rows = Math.floor(UNIT_BYTES_MAX / 16 / n) * 4
  return { down: Math.ceil(m / rows), across: 1 }
}

function fits(m: number, n: number, { down, across }: Grid): boolean {
  return resultFits(largest(m, down), largest(n, across))
}

function unevenness(m: number, n: number, { down, across }: Grid): number {
  return down / m + across / n
}

function least<T>(items: readonly T[], weight: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || weight(item) < weight(best) ? item : best),
    undefined
  )
}

/** By fours where they suffice, so that no tile is half empty. */
const stepOf = (total: number, count: number): number => (padded(total) / 4 >= count ? 4 : 1)

/** The size of the largest range of `cut`. */
function largest(total: number, count: number): number {
  const step = stepOf(total, count)
  return Math.min(total, Math.ceil(Math.ceil(total / step) / count) * step)
}

/** Cuts `total` into `count` ranges [start, end). */
export function cut(total: number, count: number): Array<readonly [number, number]> {
  const step = stepOf(total, count)
  const steps = Math.ceil(total / step)
  return Array.from({ length: count }, (_, index) => [
    Math.floor((index * steps) / count) * step,
    Math.min(total, Math.floor(((index + 1) * steps) / count) * step)
  ])
}

/** Results are four bytes an element. */
export function resultFits(rows: number, columns: number): boolean {
  return rows * columns * 4 <= UNIT_BYTES_MAX
}

export const isSide = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= SIDE_MAX
