import type { InputField, SkillInfo } from '../api.ts'
import { formatBytes, formatInteger, type MicroCredits } from './format.ts'
import { ARRAY_FILE_MAX, parseJson } from './input-file.ts'
import { randomArray, type TypedArray, typedArrayOf } from './random-array.ts'
import { texts } from './texts/index.ts'

/** Where the numbers of an array come from. */
export type ArraySource =
  | { readonly kind: 'random' | 'example' }
  | { readonly kind: 'file'; readonly name: string; readonly values: TypedArray }

/** What stands in the form: text as it was typed, by the name of the field. */
export interface Draft {
  readonly texts: Readonly<Record<string, string>>
  readonly arrays: Readonly<Record<string, ArraySource>>
}

export type Problems = Readonly<Record<string, string>>

export const SEED = 'seed'
export const BUDGET = 'budget'
/** How many rows a random array gets, where that does not follow from other fields. */
export const rowsField = (array: string) => `${array}-rows`

const SEED_MOST = 2n ** 32n - 1n
const ROWS_MOST = 2n ** 20n
/** Bytes of random arrays up to which a job is priced without being asked. */
const PRICE_BY_ITSELF = 9_000_000
const JSON_TEXT_MOST = 1_000_000
const NO_DRAFT: Draft = { texts: {}, arrays: {} }

type Lengths = Readonly<Record<string, readonly string[]>>

/** The fields whose product is the length of an array. What the skill itself checks is not repeated here. */
const PRODUCT: Lengths = { a: ['m', 'k'], b: ['k', 'n'] }
const LENGTHS: Readonly<Record<string, Lengths>> = {
  'matmul-i8': PRODUCT,
  'matmul-f32': PRODUCT,
  'knn-i8': { database: [rowsField('database'), 'dims'], queries: [rowsField('queries'), 'dims'] }
}

const SIDES = { m: '512', k: '512', n: '512' }
/** What the form begins with, where the skill's example is too small to be worth hiring for. */
const FIRST: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'matmul-i8': SIDES,
  'matmul-f32': SIDES,
  'knn-i8': { 'database-rows': '65536', 'queries-rows': '64', dims: '128', top: '10' },
  mandelbrot: { x: '-0.65', y: '0', span: '3.2', width: '640', height: '400', iterations: '1000' },
  'render-tile': { width: '480', height: '300', samples: '16' }
}

const arraysOf = (skill: SkillInfo) => skill.fields.filter(({ kind }) => kind === 'array')

/** The factors of an array's length; of a skill that this page knows nothing of: a number of its own. */
const factorsOf = (skill: SkillInfo, array: string) => LENGTHS[skill.name]?.[array] ?? [rowsField(array)]

export function firstDraft(skill: SkillInfo): Draft {
  const { texts: example } = exampleDraft(skill)
  const arrays = arraysOf(skill)
  const rows = arrays.flatMap(({ name }) =>
    factorsOf(skill, name).filter((field) => field === rowsField(name))
  )
  return {
    texts: {
      ...(arrays.length > 0 ? { [SEED]: '1' } : {}),
      ...Object.fromEntries(rows.map((field) => [field, '256'])),
      ...example,
      ...FIRST[skill.name]
    },
    arrays: Object.fromEntries(arrays.map(({ name }) => [name, { kind: 'random' }]))
  }
}

export function exampleDraft(skill: SkillInfo): Draft {
  const filled = draftFrom(skill, skill.example())
  const arrays = Object.fromEntries(arraysOf(skill).map(({ name }) => [name, { kind: 'example' } as const]))
  return { texts: { ...filled.texts, [BUDGET]: '' }, arrays }
}

/** What a given input, such as one out of a file, puts into the fields; arrays are left out. */
export function draftFrom(skill: SkillInfo, input: unknown): Draft {
  if (typeof input !== 'object' || input === null) return NO_DRAFT
  const entries = skill.fields.flatMap(({ name, kind }) => {
    const value: unknown = Reflect.get(input, name)
    if (kind === 'array' || value === undefined) return []
    if (kind === 'data') return [[name, JSON.stringify(value, null, 1)] as const]
    // String() would ask an object for its own toString()
    return [[name, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const]
  })
  return { texts: Object.fromEntries(entries), arrays: {} }
}

/** The fields of numbers that only random arrays need: rows, and the seed. */
export function randomFields(skill: SkillInfo, draft: Draft): string[] {
  const random = arraysOf(skill).filter(({ name }) => draft.arrays[name]?.kind === 'random')
  const rows = random.flatMap(({ name }) =>
    factorsOf(skill, name).filter((field) => field === rowsField(name))
  )
  return random.length === 0 ? [] : [...rows, SEED]
}

/** Elements of all random arrays: how much work it is to make the input. NaN while a field is wrong. */
export function randomLength(skill: SkillInfo, draft: Draft): number {
  const lengths = arraysOf(skill)
    .filter(({ name }) => draft.arrays[name]?.kind === 'random')
    .map(({ name }) => lengthOf(skill, name, draft))
  return lengths.reduce((sum, length) => sum + length, 0)
}

/** What is wrong with single fields. Cheap: makes no array. */
export function fieldProblems(skill: SkillInfo, draft: Draft): Problems {
  const problems: Record<string, string> = {}
  const note = (field: string, problem: string | undefined) => {
    if (problem !== undefined) problems[field] = problem
  }
  for (const field of skill.fields) note(field.name, problemOf(field, draft.texts[field.name] ?? ''))
  for (const field of randomFields(skill, draft)) {
    const [least, most] = field === SEED ? [0n, SEED_MOST] : [1n, ROWS_MOST]
    note(field, wholeProblem(draft.texts[field] ?? '', least, most))
  }
  if (Object.keys(problems).length > 0) return problems
  for (const { name, element = '' } of arraysOf(skill)) {
    if (draft.arrays[name]?.kind !== 'random') continue
    const bytes = lengthOf(skill, name, draft) * (typedArrayOf(element)?.BYTES_PER_ELEMENT ?? 1)
    if (bytes > ARRAY_FILE_MAX)
      note(name, texts.hire.file.tooLarge(formatBytes(bytes), formatBytes(ARRAY_FILE_MAX)))
  }
  return problems
}

/**
 * What the job costs if every unit is done once: of its shape alone, so zeros stand for random numbers.
 *
 * @returns undefined while something is wrong; 'unknown' for so large a job that working it out would stop the page
 */
export function draftPrice(skill: SkillInfo, draft: Draft): MicroCredits | 'unknown' | undefined {
  if (randomBytes(skill, draft) > PRICE_BY_ITSELF) return 'unknown'
  const made = draftInput(skill, draft, (element, length) => {
    const Kind = typedArrayOf(element)
    return Kind && new Kind(length)
  })
  return 'input' in made ? skill.price(made.input) : undefined
}

function randomBytes(skill: SkillInfo, draft: Draft): number {
  return arraysOf(skill)
    .filter(({ name }) => draft.arrays[name]?.kind === 'random')
    .map(
      ({ name, element = '' }) =>
        lengthOf(skill, name, draft) * (typedArrayOf(element)?.BYTES_PER_ELEMENT ?? 1)
    )
    .reduce((sum, bytes) => sum + bytes, 0)
}

/**
 * The input that the form describes, checked by the skill.
 *
 * @param random makes the random arrays
 */
export function draftInput(
  skill: SkillInfo,
  draft: Draft,
  random: typeof randomArray = randomArray
): { input: unknown } | { problems: Problems } {
  const problems = fieldProblems(skill, draft)
  if (Object.keys(problems).length > 0) return { problems }
  const example = Object(skill.example())
  const seed = Number(draft.texts[SEED] ?? '0')
  const names = arraysOf(skill).map(({ name }) => name)
  const entries = skill.fields.map((field) => {
    const { name, kind, element = '' } = field
    const source = draft.arrays[name] ?? { kind: 'example' }
    if (kind !== 'array') return [name, valueFrom(field, draft.texts[name] ?? '')]
    if (source.kind === 'file') return [name, source.values]
    if (source.kind === 'example') return [name, example[name]]
    const salt = Math.imul(0x9e3779b9, names.indexOf(name))
    return [name, random(element, lengthOf(skill, name, draft), seed ^ salt)]
  })
  const input: unknown = Object.fromEntries(entries)
  const issues = skill.check(input)
  if (issues.length === 0) return { input }
  return {
    problems: Object.fromEntries(
      issues.map(({ field, message }) => [field, texts.hire.invalid.issue(message.slice(0, 300))])
    )
  }
}

/** @returns undefined for an empty budget: the API's default */
export function parseBudget(
  text: string,
  settled: MicroCredits
): { budget: MicroCredits | undefined } | { problem: string } {
  if (text.trim() === '') return { budget: undefined }
  const problem = wholeProblem(text, 1n, BigInt(Number.MAX_SAFE_INTEGER))
  if (problem !== undefined) return { problem }
  const budget = BigInt(text.trim())
  if (budget > settled) return { problem: texts.hire.invalid.overBalance(formatInteger(settled)) }
  return { budget }
}

function lengthOf(skill: SkillInfo, array: string, { texts: typed }: Draft): number {
  return factorsOf(skill, array).reduce((product, field) => product * Number(typed[field]), 1)
}

function problemOf({ kind, least, most, options }: InputField, text: string): string | undefined {
  const { invalid } = texts.hire
  switch (kind) {
    case 'integer':
      return wholeProblem(
        text,
        BigInt(least ?? Number.MIN_SAFE_INTEGER),
        BigInt(most ?? Number.MAX_SAFE_INTEGER)
      )
    case 'number':
      return text.trim() === '' || !Number.isFinite(Number(text)) ? invalid.notNumber : undefined
    case 'choice':
      return options?.includes(text) ? undefined : invalid.emptyText
    case 'text':
      return text.trim() === '' ? invalid.emptyText : undefined
    case 'data': {
      if (text.length > JSON_TEXT_MOST) return invalid.longText(formatInteger(JSON_TEXT_MOST))
      const parsed = parseJson(text)
      return 'problem' in parsed ? parsed.problem : undefined
    }
    case 'array':
      return undefined
  }
}

function valueFrom({ kind }: InputField, text: string): unknown {
  if (kind === 'integer' || kind === 'number') return Number(text)
  return kind === 'data' ? JSON.parse(text) : text.trim()
}

function wholeProblem(text: string, least: bigint, most: bigint): string | undefined {
  const { invalid } = texts.hire
  const trimmed = text.trim()
  if (trimmed === '') return invalid.empty
  if (!/^-?\d+$/.test(trimmed)) return invalid.notInteger
  // More digits than any limit: said without parsing a megabyte of them.
  const value = trimmed.length > 40 ? (trimmed.startsWith('-') ? least - 1n : most + 1n) : BigInt(trimmed)
  if (value < least) return invalid.tooSmall(formatInteger(least))
  return value > most ? invalid.tooLarge(formatInteger(most)) : undefined
}
