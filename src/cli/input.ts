import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { TYPED_ARRAYS, type TypedArrayName, typedArrayName } from '../wire/index.ts'
import { reasonOf, UsageError } from './terminal.ts'

/**
 * Inputs of skills as files. A file is JSON; where a skill takes a typed array it may be a list of numbers,
 * `{ "file": "a.bin" }` (little-endian, beside the JSON file) or `{ "base64": "…" }`.
 */

/** Bytes of JSON: each of its numbers takes eight in memory, and two of text. */
const JSON_MAX = 64 * 1024 * 1024
/** Bytes of an array in a file of its own. */
const ARRAY_MAX = 256 * 1024 * 1024

/** What JSON lists hold numbers for: no skill takes 64-bit integers. */
type NumberKind = Exclude<TypedArrayName, 'BigInt64Array' | 'BigUint64Array'>

/**
 * Reads an input for a skill.
 *
 * @param path of the file; `-` is standard input
 * @param example an input that the skill takes: says which members are typed arrays
 * @throws UsageError
 */
export async function readInput(path: string, example: unknown): Promise<unknown> {
  const name = path === '-' ? 'Standard input' : path
  const limit = { most: JSON_MAX, advice: 'put its arrays into files of their own, {"file": "a.bin"}' }
  const bytes = await (path === '-' ? collect(process.stdin, name, limit) : readUpTo(path, limit))
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, '')) // some editors put a mark before it
  } catch (cause) {
    throw new UsageError(`${name} is no JSON: ${messageOf(cause)}.`)
  }
  return shape(json, example, { folder: path === '-' ? '.' : dirname(path), name: 'input' })
}

interface Limit {
  /** Bytes. */
  readonly most: number
  readonly advice: string
}

/** @throws UsageError for what cannot be read, or is longer: a pipe or a device does not say so beforehand */
export async function readUpTo(path: string, limit: Limit): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > limit.most) {
      throw tooLarge(path, limit)
    }
    return await collect(createReadStream(path), path, limit)
  } catch (cause) {
    throw cause instanceof UsageError ? cause : new UsageError(`${path} cannot be read (${reasonOf(cause)}).`)
  }
}

async function collect(stream: AsyncIterable<Buffer>, name: string, limit: Limit): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limit.most) {
      throw tooLarge(name, limit)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const tooLarge = (name: string, { most, advice }: Limit) =>
  new UsageError(`${name} has more than ${most} bytes: ${advice}.`)

interface Place {
  readonly folder: string
  readonly name: string
}

async function shape(given: unknown, like: unknown, place: Place): Promise<unknown> {
  const kind = numberKind(like)
  if (kind !== undefined) {
    return typed(given, kind, place)
  }
  if (Array.isArray(given) && Array.isArray(like)) {
    const at = (index: number) => ({ ...place, name: `${place.name}[${index}]` })
    return Promise.all(given.map((part, index) => shape(part, like[0], at(index))))
  }
  if (!isRecord(given) || !isRecord(like)) {
    return given // the skill's own schema says what is wrong with it
  }
  const entries = Object.entries(given).map(async ([name, value]) => {
    const at = { ...place, name: `${place.name}.${name}` }
    return [name, await shape(value, like[name], at)] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function typed(given: unknown, kind: NumberKind, { folder, name }: Place): Promise<unknown> {
  const Kind = TYPED_ARRAYS[kind]
  if (Array.isArray(given)) {
    const array = Kind.from(given)
    const wrong = given.findIndex((value, i) => typeof value !== 'number' || !holds(array[i], value, kind))
    if (wrong >= 0) {
      throw new UsageError(
        `${name}[${wrong}] is ${JSON.stringify(given[wrong])}: no number that fits an ${kind}.`
      )
    }
    return array
  }
  if (!isRecord(given)) {
    return given
  }
  const bytes =
    typeof given.file === 'string'
      ? await readUpTo(resolve(folder, given.file), { most: ARRAY_MAX, advice: 'split the job' })
      : typeof given.base64 === 'string'
        ? fromBase64(given.base64, name)
        : undefined
  if (bytes === undefined) {
    return given
  }
  if (bytes.byteLength % Kind.BYTES_PER_ELEMENT !== 0) {
    throw new UsageError(
      `${name} has ${bytes.byteLength} bytes: not a whole number of elements of an ${kind} (${Kind.BYTES_PER_ELEMENT} bytes each).`
    )
  }
  return new Kind(new Uint8Array(bytes).buffer)
}

/** Node leaves out what is no base64 instead of saying so. */
function fromBase64(text: string, name: string): Buffer {
  const digits = text.replace(/\s+/g, '').replace(/={1,2}$/, '')
  const bytes = Buffer.from(digits, 'base64')
  if (digits.length % 4 === 1 || bytes.byteLength !== Math.floor((digits.length * 3) / 4)) {
    throw new UsageError(`${name}.base64 is no base64.`)
  }
  return bytes
}

/** Floats are rounded, that is what they are; integers must not wrap. */
const holds = (kept: number | undefined, value: number, kind: NumberKind): boolean =>
  kind.startsWith('Float') ? Number.isFinite(kept) : kept === value

function numberKind(value: unknown): NumberKind | undefined {
  const name = typedArrayName(value)
  return name === 'BigInt64Array' || name === 'BigUint64Array' ? undefined : name
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
