import type { BenchOptions } from '../report.ts'

export interface SimOptions {
  readonly seed: number
  readonly nodes: number
  readonly units: number
  readonly days: number
  /** Nothing but the seed's default and sizes' defaults: the docs are written anew. */
  readonly isStandard: boolean
}

/**
 * `--seed N`, `--nodes N`, `--units N` and `--days N`, whole numbers above 0.
 *
 * @throws RangeError for anything else
 */
const NAMES = ['--seed', '--nodes', '--units', '--days']

export function simOptions({ args, runs }: BenchOptions, nodes: number, units: number, days = 0): SimOptions {
  const given = new Map<string, number>()
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i] ?? ''
    const value = Number(args[i + 1])
    if (!NAMES.includes(name) || !Number.isInteger(value) || value < 1) {
      throw new RangeError(`${name} ${args[i + 1] ?? ''}: give ${NAMES.join(', ')} a whole number.`)
    }
    given.set(name, value)
  }
  return {
    seed: given.get('--seed') ?? 1,
    nodes: given.get('--nodes') ?? nodes,
    units: given.get('--units') ?? units,
    days: given.get('--days') ?? days,
    isStandard: given.size === 0 && runs === undefined
  }
}
