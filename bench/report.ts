import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'

/** One figure: of `runs` measurements the least, the middle one and the greatest, in `unit`. */
export interface BenchRow {
  readonly name: string
  readonly unit: string
  readonly runs: number
  readonly min: number
  readonly median: number
  readonly max: number
}

/** `value` = median of row `of` / median of row `to`, measured in one run, interleaved. */
export interface BenchRatio {
  readonly name: string
  readonly value: number
  readonly of: string
  readonly to: string
}

export interface BenchResult {
  readonly rows: readonly BenchRow[]
  readonly ratios: readonly BenchRatio[]
  /** One sentence for each limit that was not kept: the bench then ends with status 1. @default none */
  readonly failures?: readonly string[]
}

export interface BenchOptions {
  /** Measurements a figure, where a bench takes that many. @default the bench's own */
  readonly runs: number | undefined
  /** What stands on the command line after the name, but for `--json` and `--runs`. */
  readonly args: readonly string[]
  /** Progress, for people: goes to standard error. */
  log(text: string): void
}

/** What a file `bench/<name>.ts` exports. */
export interface Bench {
  readonly title: string
  run(options: BenchOptions): Promise<BenchResult>
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${arch()}`,
    node: process.version
  }
}

/** The middle value; of an even number of them, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1]
  if (upper === undefined || lower === undefined) {
    throw new RangeError('A median needs one value or more.')
  }
  return (lower + upper) / 2
}

export function row(name: string, unit: string, values: readonly number[]): BenchRow {
  const middle = median(values)
  return {
    name,
    unit,
    runs: values.length,
    min: Math.min(...values),
    median: middle,
    max: Math.max(...values)
  }
}

export function ratio(name: string, of: BenchRow, to: BenchRow): BenchRatio {
  return { name, value: of.median / to.median, of: of.name, to: to.name }
}

/**
 * Runs rivals in turn, in the opposite order every other round, so that warming up and throttling hit all of
 * them alike. Each function measures once and returns its figure.
 *
 * @param warmups rounds whose figures are thrown away. @default 1
 */
export async function interleave<Name extends string>(
  rounds: number,
  rivals: Readonly<Record<Name, () => Promise<number> | number>>,
  warmups = 1
): Promise<Record<Name, number[]>> {
  const names = Object.keys(rivals) as Name[] // a record has the keys of its type
  // as the line above: one list a key
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = -warmups; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await rivals[name]()
      if (round >= 0) {
        figures[name].push(figure)
      }
    }
  }
  return figures
}

export function formatTable({ rows, ratios }: BenchResult): string {
  const figures = rows.map(({ name, unit, runs, min, median, max }) => [
    name,
    unit,
    `${runs}`,
    ...[min, median, max].map(formatFigure)
  ])
  const lines = alignColumns([['', 'unit', 'runs', 'min', 'median', 'max'], ...figures])
  return [
    ...lines,
    ...ratios.map(({ name, value, of, to }) => `${name} = ${formatFigure(value)}  (${of} / ${to})`)
  ].join('\n')
}

function formatFigure(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toPrecision(4)
}

function alignColumns(cells: readonly (readonly string[])[]): string[] {
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0))
  )
  return cells.map((line) =>
    line
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
  )
}
