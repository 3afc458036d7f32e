import type { SkillInfo } from '../api.ts'
import { type ArraySource, type Draft, draftFrom } from './form-model.ts'
import { arrayFrom, isJson, notJson, readArrayFile, readJsonFile } from './input-file.ts'
import type { TypedArray } from './random-array.ts'
import { texts } from './texts/index.ts'

/** What a file puts into the form, or what is wrong with it, and where that is said. */
export type Taken = { readonly change: Draft } | { readonly field: string; readonly problem: string }

export const hasFile = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') === true

/** What is dropped first is no file, though the browser says so. */
export const isFolder = ({ dataTransfer }: DragEvent) =>
  dataTransfer?.items[0]?.webkitGetAsEntry()?.isDirectory === true

/**
 * A file for one field, or a JSON file for all of them. Sizes are looked at before a byte is read.
 *
 * @param name of the field; undefined: the whole form
 */
export async function takeFile(
  skill: SkillInfo,
  file: File,
  name: string | undefined,
  folder = false
): Promise<Taken> {
  const field = skill.fields.find((each) => each.name === name)
  if (folder) return { field: field?.name ?? '', problem: texts.hire.file.folder(file.name.slice(0, 80)) }
  if (field?.kind === 'array') {
    const read = await readArrayFile(file, field.element ?? '')
    return 'problem' in read
      ? { field: field.name, problem: read.problem }
      : { change: { texts: {}, arrays: { [field.name]: fileSource(file, read.value) } } }
  }
  const read = isJson(file) ? await readJsonFile(file) : { problem: texts.hire.file.wantJson }
  if ('problem' in read) return { field: field?.name ?? '', problem: read.problem }
  try {
    if (field !== undefined) return { change: draftFrom(skill, { [field.name]: read.value }) }
    return takeAll(skill, file, read.value)
  } catch (error) {
    return { field: field?.name ?? '', ...notJson(error) } // lists in lists without end: no text is made of them
  }
}

function takeAll(skill: SkillInfo, file: File, input: unknown): Taken {
  const arrays: Record<string, ArraySource> = {}
  for (const { name, kind, element = '' } of skill.fields) {
    const given: unknown = kind === 'array' ? Object(input)[name] : undefined
    if (given === undefined) continue
    const read = arrayFrom(given, element)
    if ('problem' in read) return { field: name, problem: read.problem }
    arrays[name] = fileSource(file, read.value)
  }
  return { change: { texts: draftFrom(skill, input).texts, arrays } }
}

const fileSource = (file: File, values: TypedArray): ArraySource => ({
  kind: 'file',
  name: file.name,
  values
})
