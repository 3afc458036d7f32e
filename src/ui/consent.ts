/** The one record that the page reads before consent. */
export const CONSENT_KEY = 'swarmharness.consent'

/** contribute: compute for others, and hire; hire: the network part only. */
export type ConsentMode = 'contribute' | 'hire'

export interface Consent {
  readonly mode: ConsentMode
  /** Share of the device's time in percent, 5 to 100. */
  readonly power: number
  /** Start by itself on the next visit; pausing takes it back. */
  readonly auto: boolean
  /** @default the page's */
  readonly network?: PageNetwork | undefined
}

/** The networks that an address may name. */
export type PageNetwork = 'local' | 'main'
export const isPageNetwork = (value: unknown): value is PageNetwork => value === 'local' || value === 'main'

export const POWER_LEAST = 5
export const POWER_MOST = 100

export function isPower(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= POWER_LEAST && Number(value) <= POWER_MOST
}

/** Anything but a record of this version counts as no consent. */
export function parseConsent(text: string | null): Consent | undefined {
  if (text === null) return undefined
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    return undefined // Not JSON is not a consent: the page asks again.
  }
  if (typeof record !== 'object' || record === null) return undefined
  const { v, mode, power, auto, network } = record as Record<string, unknown> // fields are checked below
  if (v !== 1 || (mode !== 'contribute' && mode !== 'hire') || !isPower(power) || typeof auto !== 'boolean') {
    return undefined
  }
  if (network === undefined) return { mode, power, auto }
  return isPageNetwork(network) ? { mode, power, auto, network } : undefined
}

/** The consent record in `localStorage`, which may be denied. */
export class ConsentStore {
  readonly #storage: () => Storage

  /** @param storage reaching for `localStorage` throws where storage is denied, so it is asked for each time */
  constructor(storage: () => Storage) {
    this.#storage = storage
  }

  read(): Consent | undefined {
    try {
      return parseConsent(this.#storage().getItem(CONSENT_KEY))
    } catch {
      return undefined // Denied storage holds no consent.
    }
  }

  /** @returns false if this browser does not keep it */
  write(consent: Consent): boolean {
    try {
      this.#storage().setItem(CONSENT_KEY, JSON.stringify({ v: 1, ...consent }))
      return true
    } catch {
      return false
    }
  }

  forget(): void {
    try {
      this.#storage().removeItem(CONSENT_KEY)
    } catch {
      // Denied storage has nothing to forget.
    }
  }
}
