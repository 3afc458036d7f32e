import { formatBytes, formatInteger } from './format.ts'
import { type TypedArray, typedArrayOf } from './random-array.ts'
import { texts } from './texts/index.ts'

/** Bytes of a file for a typed array, and of one with JSON: larger ones are not even read. */
export const ARRAY_FILE_MAX = 128 * 1024 * 1024
export const JSON_FILE_MAX = 4 * 1024 * 1024

export type Read<T> = { readonly value: T } | { readonly problem: string }

/** Little-endian elements, or a JSON list of numbers (`.json`). */
export async function readArrayFile(file: File, element: string): Promise<Read<TypedArray>> {
  const Kind = typedArrayOf(element)
  if (Kind === undefined) return { problem: texts.hire.file.kind(element) }
  if (isJson(file)) {
    const read = await readJsonFile(file)
    return 'problem' in read ? read : arrayFrom(read.value, element)
  }
  if (file.size > ARRAY_FILE_MAX) return tooLarge(file, ARRAY_FILE_MAX)
  if (file.size === 0 || file.size % Kind.BYTES_PER_ELEMENT !== 0) {
    return {
      problem: texts.hire.file.notWhole(formatInteger(file.size), element, String(Kind.BYTES_PER_ELEMENT))
    }
  }
  return readable(file, async () => new Kind(await file.arrayBuffer()))
}

export async function readJsonFile(file: File): Promise<Read<unknown>> {
  if (file.size > JSON_FILE_MAX) return tooLarge(file, JSON_FILE_MAX)
  const text = await readable(file, () => file.text())
  return 'problem' in text ? text : parseJson(text.value)
}

export function parseJson(text: string): Read<unknown> {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return notJson(error)
  }
}

/** A list of numbers that all fit: integers must not wrap, floats are rounded. */
export function arrayFrom(given: unknown, element: string): Read<TypedArray> {
  const Kind = typedArrayOf(element)
  if (Kind === undefined || !Array.isArray(given)) return { problem: texts.hire.file.notList(element) }
  const array = new Kind(given.length)
  const wrong = given.findIndex((value: unknown, i) => {
    if (typeof value !== 'number') return true // whatever it is, it is not asked for its number
    array[i] = value
    return array instanceof Float32Array ? !Number.isFinite(array[i]) : array[i] !== value
  })
  if (wrong < 0) return { value: array }
  return { problem: texts.hire.file.wrongElement(formatInteger(wrong), element) }
}

/** What JSON.parse() or JSON.stringify() has thrown, such as at lists in lists in lists. */
export const notJson = (error: unknown) => ({
  problem: texts.hire.file.notJson(error instanceof Error ? error.message.slice(0, 200) : '')
})

export const isJson = (file: File) => file.name.toLowerCase().endsWith('.json')

const tooLarge = (file: File, most: number) => ({
  problem: texts.hire.file.tooLarge(formatBytes(file.size), formatBytes(most))
})

/** A file that was moved, or may not be read, since it was picked. */
async function readable<T>(file: File, read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { value: await read() }
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    return { problem: texts.hire.file.unreadable(file.name.slice(0, 80), why.slice(0, 200)) }
  }
}
