import * as z from 'zod/mini'
import type { Skill } from './skill.ts'

/** One member of a skill's input, as a form needs it. */
export interface InputField {
  readonly name: string
  /** `array`: a typed array. `data`: anything else, as JSON. */
  readonly kind: 'integer' | 'number' | 'text' | 'choice' | 'array' | 'data'
  /** Of a number. */
  readonly least?: number | undefined
  readonly most?: number | undefined
  /** Of a choice. */
  readonly options?: readonly string[] | undefined
  /** Of an array, such as `Int8Array`. */
  readonly element?: string | undefined
}

export interface InputIssue {
  /** The member that is wrong; empty: the input as a whole. */
  readonly field: string
  readonly message: string
}

/** The members of the input in the order of the schema: kinds and limits from it, the types of arrays from the example. */
export function inputFields({ input, example }: Pick<Skill, 'input' | 'example'>): InputField[] {
  if (!(input instanceof z.ZodMiniObject)) {
    return []
  }
  const sample = Object(example())
  return Object.entries<z.core.$ZodType>(input.shape).map(([name, member]) => ({
    name,
    ...kindOf(member, sample[name])
  }))
}

/** What the schema says against an input; each member once. */
export function inputIssues({ input }: Pick<Skill, 'input'>, given: unknown): InputIssue[] {
  const parsed = input.safeParse(given)
  const found = new Map<string, string>()
  for (const { path, message } of parsed.error?.issues ?? []) {
    const [member, ...rest] = path.map(String)
    const field = member ?? ''
    const text = rest.length === 0 ? message : `${rest.join('.')}: ${message}`
    found.set(field, found.get(field) ?? text)
  }
  return [...found].map(([field, message]) => ({ field, message }))
}

function kindOf(member: z.core.$ZodType, example: unknown): Omit<InputField, 'name'> {
  if (member instanceof z.ZodMiniNumber) {
    const limit = (check: 'greater_than' | 'less_than') =>
      member._zod.def.checks
        ?.map(({ _zod: { def } }) => def)
        .find(
          (def): def is z.core.$ZodCheckGreaterThanDef | z.core.$ZodCheckLessThanDef => def.check === check
        )?.value
    return {
      kind: member instanceof z.ZodMiniNumberFormat ? 'integer' : 'number',
      least: Number(limit('greater_than') ?? Number.MIN_SAFE_INTEGER),
      most: Number(limit('less_than') ?? Number.MAX_SAFE_INTEGER)
    }
  }
  if (member instanceof z.ZodMiniEnum) {
    return { kind: 'choice', options: member.options.map(String) }
  }
  if (ArrayBuffer.isView(example)) {
    return { kind: 'array', element: example.constructor.name }
  }
  return { kind: member instanceof z.ZodMiniString ? 'text' : 'data' }
}
