import { isPageNetwork, isPower, type PageNetwork } from './consent.ts'
import { isLanguage, LANGUAGE_NAMES, type Language } from './texts/index.ts'

/**
 * What an address may ask for, of who has agreed to nothing yet: a stored consent wins over its power and network. `?backend=webgpu|cpu|auto&network=local|main&power=5…100&lang=en|zh`. */
export interface QueryOptions {
  readonly backend?: 'webgpu' | 'cpu' | 'auto'
  readonly network?: PageNetwork
  /** Percent. */
  readonly power?: number
  readonly lang?: Language
}

export interface Query {
  readonly options: QueryOptions
  /** Options that were there but not understood, with what would have been. The value itself is not repeated. */
  readonly ignored: ReadonlyArray<{ readonly name: string; readonly allowed: string }>
}

/** Reads `location.search`. Other parameters are not ours and pass in silence. */
export function parseQuery(search: string): Query {
  const query = new URLSearchParams(search)
  const ignored: Array<{ name: string; allowed: string }> = []

  function pick<T>(name: string, allowed: string, parse: (text: string) => T | undefined): T | undefined {
    const values = query.getAll(name)
    if (values.length === 0) return undefined
    const value = values.length === 1 ? parse(values[0] ?? '') : undefined
    if (value === undefined) ignored.push({ name, allowed })
    return value
  }

  const backend = pick('backend', 'webgpu, cpu, auto', (text) =>
    text === 'webgpu' || text === 'cpu' || text === 'auto' ? text : undefined
  )
  const network = pick('network', 'local, main', (text) => (isPageNetwork(text) ? text : undefined))
  const power = pick('power', '5–100', (text) => {
    const value = /^\d{1,3}$/.test(text) ? Number(text) : undefined
    return isPower(value) ? value : undefined
  })
  const lang = pick('lang', Object.keys(LANGUAGE_NAMES).join(', '), (text) =>
    isLanguage(text) ? text : undefined
  )
  return {
    options: {
      ...(backend === undefined ? {} : { backend }),
      ...(network === undefined ? {} : { network }),
      ...(power === undefined ? {} : { power }),
      ...(lang === undefined ? {} : { lang })
    },
    ignored
  }
}
