import { rmSync } from 'node:fs'
import { access, chmod, constants, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Skill } from '../skills/index.ts'
import { type TypedArray, typedArrayName } from '../wire/index.ts'
import { absent, reasonOf, UsageError } from './terminal.ts'

/** Outputs of skills as files and as text. */

/** Elements of an array that are turned into text at a time. */
const SLICE = 65_536

/**
 * Where an output goes: opened before anybody is hired, so that a path which cannot be written costs nothing; the file
 * appears whole, or not at all. What is no file (a pipe, a device) is written to as it is.
 */
export class OutputFile {
  private readonly path: string
  private readonly to: Draft | FileHandle
  private readonly dropDraft = () => rmSync((this.to as Draft).draft, { force: true }) // only where there is one

  private constructor(path: string, to: Draft | FileHandle) {
    this.path = path
    this.to = to
    if ('draft' in to) {
      process.once('exit', this.dropDraft) // a second Ctrl-C ends the process at once
    }
  }

  /** @throws UsageError */
  static async open(path: string): Promise<OutputFile> {
    if (path === '' || /[/\\]$/.test(path) || ['.', '..'].includes(basename(path))) {
      throw new UsageError(`${path === '' ? '--out' : path} is a folder: name a file.`)
    }
    try {
      return new OutputFile(path, await opened(path))
    } catch (cause) {
      throw cause instanceof UsageError
        ? cause
        : new UsageError(`${path} cannot be written (${reasonOf(cause)}): name another file.`)
    }
  }

  /**
   * `.bin`: the bytes of the output's one typed array. Else JSON, with typed arrays as lists.
   *
   * @throws Error of the file system
   */
  async write(value: unknown): Promise<void> {
    await this.save(this.path.endsWith('.bin') ? rawBytes(value) : jsonLines(value))
  }

  /** @throws Error of the file system */
  async save(content: Uint8Array | Iterable<string>): Promise<void> {
    if ('draft' in this.to) {
      await writeWhole(this.to, content)
    } else {
      await this.to.writeFile(content)
    }
  }

  /** Leaves nothing behind but what was written whole. */
  async close(): Promise<void> {
    if ('draft' in this.to) {
      process.off('exit', this.dropDraft)
      await rm(this.to.draft, { force: true })
    } else {
      await this.to.close()
    }
  }
}

interface Draft {
  readonly draft: string
  readonly target: string
}

async function opened(path: string): Promise<Draft | FileHandle> {
  const found = await stat(path).catch(absent)
  if (found?.isDirectory()) {
    throw new UsageError(`${path} is a folder: name a file.`)
  }
  if (found !== undefined && !found.isFile()) {
    return open(path, 'a')
  }
  if (found !== undefined) {
    await access(path, constants.W_OK)
  }
  const target = found === undefined ? path : await realpath(path) // a link stays one
  const draft = join(dirname(target), `.${process.pid}-${Date.now()}.part`)
  await (await open(draft, 'wx')).close()
  if (found !== undefined) {
    await chmod(draft, found.mode & 0o777)
  }
  return { draft, target }
}

async function writeWhole({ draft, target }: Draft, content: Uint8Array | Iterable<string>): Promise<void> {
  const file = await open(draft, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, target)
}

/** Whether a skill's output is one array, so that it can be written as it is. */
export function givesOneArray(skill: Skill): boolean {
  const plan = skill.plan(skill.example())
  const assembler = plan.assembler()
  if (assembler.soFar !== undefined) {
    return arraysOf(assembler.soFar()).length === 1
  }
  for (const [index, { params, data, parts }] of plan.units.entries()) {
    const unit = { params, data, parts: parts.map((part) => plan.parts[part] ?? new Uint8Array()) }
    assembler.accept(index, last(skill.cpu(unit)))
  }
  return arraysOf(assembler.finish()).length === 1
}

function last(work: Generator<number, Uint8Array>): Uint8Array {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}

function rawBytes(value: unknown): Uint8Array {
  const [array, ...others] = arraysOf(value)
  if (array === undefined || others.length > 0) {
    throw new TypeError('the output is not one array')
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

const arraysOf = (value: unknown): ArrayBufferView[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).filter((part) => ArrayBuffer.isView(part))
    : []

/** An output as JSON: arrays as lists, what JSON does not have as text. */
export const outputText = (value: unknown): string => [...json(value)].join('')

function* jsonLines(value: unknown): Generator<string> {
  yield* json(value)
  yield '\n'
}

/** In pieces: the whole may be longer than a string can be. */
function* json(value: unknown): Generator<string> {
  if (isTypedArray(value)) {
    yield '['
    for (let from = 0; from < value.length; from += SLICE) {
      yield (from > 0 ? ',' : '') + [...value.subarray(from, from + SLICE)].map(scalar).join(',')
    }
    yield ']'
  } else if (Array.isArray(value)) {
    yield* enclosed('[', value.map(json), ']')
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, part]) => part !== undefined)
    yield* enclosed('{', members.map(member), '}')
  } else {
    yield scalar(value)
  }
}

function* member([name, value]: [string, unknown]): Generator<string> {
  yield `${JSON.stringify(name)}:`
  yield* json(value)
}

function* enclosed(begin: string, parts: ReadonlyArray<Iterable<string>>, end: string): Generator<string> {
  yield begin
  for (const [index, part] of parts.entries()) {
    yield index > 0 ? ',' : ''
    yield* part
  }
  yield end
}

const isTypedArray = (value: unknown): value is TypedArray => typedArrayName(value) !== undefined

const scalar = (value: unknown): string =>
  typeof value === 'bigint' ? `"${value}"` : (JSON.stringify(value) ?? 'null')
