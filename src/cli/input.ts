import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from './terminal.ts'

/**
 * Inputs and outputs of skills as files. A file is JSON; where a skill takes a typed array it may be a list of numbers,
 * `{ "file": "a.bin" }` (little-endian, beside the JSON file) or `{ "base64": "…" }`.
 */

const INPUT_MAX = 256 * 1024 * 1024

const TYPED = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array
}
type Typed = InstanceType<(typeof TYPED)[keyof typeof TYPED]>

/**
 * Reads an input for a skill.
 *
 * @param path of the file; `-` is standard input
 * @param example an input that the skill takes: says which members are typed arrays
 * @throws UsageError
 */
export async function readInput(path: string, example: unknown): Promise<unknown> {
  const text = path === '-' ? await readStandardInput() : (await read(path)).toString('utf8')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${path} is no JSON: ${messageOf(cause)}.`)
  }
  return shape(json, example, { folder: path === '-' ? '.' : dirname(path), name: 'input' })
}

async function read(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > INPUT_MAX) {
      throw new UsageError(`${path} has ${size} bytes; ${INPUT_MAX} are the most. Split the job.`)
    }
    return await readFile(path)
  } catch (cause) {
    throw cause instanceof UsageError ? cause : new UsageError(`${path} cannot be read: ${messageOf(cause)}.`)
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += chunk.length
    if (size > INPUT_MAX) {
      throw new UsageError(`Standard input has more than ${INPUT_MAX} bytes. Split the job.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

interface Place {
  readonly folder: string
  readonly name: string
}

async function shape(given: unknown, like: unknown, place: Place): Promise<unknown> {
  const kind = typedKind(like)
  if (kind !== undefined) {
    return typed(given, kind, place)
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

async function typed(given: unknown, kind: keyof typeof TYPED, { folder, name }: Place): Promise<unknown> {
  const Kind = TYPED[kind]
  if (Array.isArray(given)) {
    const array = Kind.from(given)
    const wrong = given.findIndex((value, i) => typeof value !== 'number' || !holds(array, i, value))
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
      ? await read(resolve(folder, given.file))
      : typeof given.base64 === 'string'
        ? Buffer.from(given.base64, 'base64')
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

/** Floats are rounded, that is what they are; integers must not wrap. */
function holds(array: Typed, index: number, value: number): boolean {
  const isFloat = array instanceof Float32Array || array instanceof Float64Array
  return isFloat ? Number.isFinite(value) : array[index] === value
}

/**
 * Where an output goes: opened before anybody is hired, so that a path which cannot be written costs nothing; the file
 * appears whole, or not at all.
 */
export class OutputFile {
  private readonly path: string
  private readonly draft: string

  private constructor(path: string, draft: string) {
    this.path = path
    this.draft = draft
  }

  /** @throws UsageError */
  static async open(path: string): Promise<OutputFile> {
    const draft = join(dirname(path), `.${process.pid}-${Date.now()}.part`)
    try {
      const found = await stat(path).catch(() => undefined) // not there: that is how it should be
      if (found?.isDirectory()) {
        throw new UsageError(`${path} is a folder: name a file.`)
      }
      await (await open(draft, 'wx')).close()
    } catch (cause) {
      throw cause instanceof UsageError
        ? cause
        : new UsageError(`${path} cannot be written: ${messageOf(cause)}.`)
    }
    return new OutputFile(path, draft)
  }

  /** `.bin`: the bytes of the output's one typed array. Else JSON, with typed arrays as lists. */
  async write(value: unknown): Promise<void> {
    const file = await open(this.draft, 'w')
    try {
      await file.writeFile(this.path.endsWith('.bin') ? rawBytes(value) : `${outputText(value)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(this.draft, this.path)
  }

  /** Nothing came: leaves nothing behind. */
  async discard(): Promise<void> {
    await rm(this.draft, { force: true })
  }
}

export function outputText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') {
      return `${part}`
    }
    return ArrayBuffer.isView(part) && typedKind(part) !== undefined ? [...(part as Typed)] : part // its kind was looked up
  })
}

function rawBytes(value: unknown): Uint8Array {
  const arrays = isRecord(value) ? Object.values(value).filter((part) => ArrayBuffer.isView(part)) : []
  const [array] = arrays
  if (array === undefined || arrays.length > 1) {
    throw new UsageError('The output is not one array: write it as .json.')
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function typedKind(value: unknown): keyof typeof TYPED | undefined {
  const name = ArrayBuffer.isView(value) ? value.constructor.name : ''
  return Object.hasOwn(TYPED, name) ? (name as keyof typeof TYPED) : undefined // it was looked up
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
