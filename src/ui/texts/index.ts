import { en, type Texts } from './en.ts'

export type { Texts } from './en.ts'

const LANGUAGES: Readonly<Record<string, Texts>> = { en }

/** The first of the user's languages that the page speaks, else English. */
export function pickLanguage(wanted: readonly string[]): { language: string; texts: Texts } {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0] ?? ''
    const texts = Object.hasOwn(LANGUAGES, language) ? LANGUAGES[language] : undefined
    if (texts !== undefined) return { language, texts }
  }
  return { language: 'en', texts: en }
}

export const { language, texts } = pickLanguage(navigator.languages)
