import { en, type Texts } from './en.ts'
import { zh } from './zh.ts'

export type { Texts } from './en.ts'

const LANGUAGES = { en, zh } satisfies Readonly<Record<string, Texts>>

export type Language = keyof typeof LANGUAGES

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', zh: '中文' }

export const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag)

/** The first of the user's languages that the page speaks, else English. */
export function pickLanguage(wanted: readonly string[]): Language {
  return wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find(isLanguage) ?? 'en'
}

/** Both follow `setLanguage`: read them where they are shown, not once. */
export let language: Language = pickLanguage(navigator.languages)
export let texts: Texts = LANGUAGES[language]

const listeners = new Set<() => void>()

export function setLanguage(next: Language): void {
  language = next
  texts = LANGUAGES[next]
  for (const listener of listeners) listener()
}

/** @returns what ends it */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
