import { formatInteger, type MicroCredits } from './format.ts'
import { texts } from './texts/index.ts'

/** The skill that the form submits. A form for every skill, made from its schema, comes with more skills. */
export const MATRIX_SKILL = 'matmul-i8'
/** The skill's own limit of each side; the skill checks again. */
export const SIDE_MOST = 4096
const SEED_MOST = 2 ** 32 - 1

export interface MatrixFields {
  readonly m: string
  readonly k: string
  readonly n: string
  readonly seed: string
  readonly budget: string
}
export type MatrixField = keyof MatrixFields
export const MATRIX_FIELDS: readonly MatrixField[] = ['m', 'k', 'n', 'seed', 'budget']

export interface MatrixJob {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly seed: number
  /** undefined: the API's default. */
  readonly budget: MicroCredits | undefined
}

export const SAMPLE: MatrixJob = { m: 256, k: 256, n: 256, seed: 1, budget: undefined }

export type MatrixErrors = Partial<Record<MatrixField, string>>

/** @param settled what the node can spend */
export function checkMatrixJob(
  fields: MatrixFields,
  settled: MicroCredits
): { job: MatrixJob } | { errors: MatrixErrors } {
  const errors: MatrixErrors = {}
  const read = (field: MatrixField, least: bigint, most: bigint): bigint => {
    const value = parseWhole(fields[field], least, most)
    if (typeof value === 'bigint') return value
    errors[field] = value
    return 0n
  }
  const side = (field: MatrixField) => Number(read(field, 1n, BigInt(SIDE_MOST)))
  const m = side('m')
  const k = side('k')
  const n = side('n')
  const seed = Number(read('seed', 0n, BigInt(SEED_MOST)))
  const budget = fields.budget.trim() === '' ? undefined : read('budget', 1n, BigInt(Number.MAX_SAFE_INTEGER))
  if (budget !== undefined && errors.budget === undefined && budget > settled) {
    errors.budget = texts.hire.invalid.overBalance(formatInteger(settled))
  }
  return Object.keys(errors).length === 0 ? { job: { m, k, n, seed, budget } } : { errors }
}

function parseWhole(text: string, least: bigint, most: bigint): bigint | string {
  const { invalid } = texts.hire
  const trimmed = text.trim()
  if (trimmed === '') return invalid.empty
  if (!/^-?\d+$/.test(trimmed)) return invalid.notInteger
  // More digits than any limit: said without parsing a megabyte of them.
  if (trimmed.length > 40)
    return trimmed.startsWith('-')
      ? invalid.tooSmall(formatInteger(least))
      : invalid.tooLarge(formatInteger(most))
  const value = BigInt(trimmed)
  if (value < least) return invalid.tooSmall(formatInteger(least))
  if (value > most) return invalid.tooLarge(formatInteger(most))
  return value
}

/** 2·m·k·n operations at 10^6 a µcr (design.md, "credit"); each unit rounds up, so the price is a little higher. */
export function estimatePrice(job: Pick<MatrixJob, 'm' | 'k' | 'n'>): MicroCredits {
  return (2n * BigInt(job.m) * BigInt(job.k) * BigInt(job.n) + 999_999n) / 1_000_000n
}

export function matrixInput(job: MatrixJob): { a: Int8Array; b: Int8Array; m: number; k: number; n: number } {
  const { m, k, n, seed } = job
  return { a: randomInt8(m * k, seed), b: randomInt8(k * n, seed ^ 0x9e3779b9), m, k, n }
}

/** Four bytes a step of mulberry32: the same seed gives the same matrix in every browser. */
export function randomInt8(length: number, seed: number): Int8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed >>> 0
  for (let i = 0; i < words.length; i++) {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    words[i] = (word ^ (word >>> 14)) >>> 0
  }
  return new Int8Array(words.buffer, 0, length)
}

export interface MatrixResult {
  readonly c: Int32Array
  readonly m: number
  readonly n: number
}

export function isMatrixResult(value: unknown): value is MatrixResult {
  if (typeof value !== 'object' || value === null) return false
  const { c, m, n } = value as Record<string, unknown> // checked here
  return c instanceof Int32Array && typeof m === 'number' && typeof n === 'number' && c.length === m * n
}

/** SHA-256 of the elements as little-endian int32, lower-case hex. */
export async function checksum(result: MatrixResult): Promise<string> {
  const { buffer, byteOffset, byteLength } = result.c
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(buffer, byteOffset, byteLength).slice())
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
