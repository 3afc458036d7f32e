import { JobError } from './errors.ts'

interface Kept {
  readonly bytes: Uint8Array
  holders: number
}

/**
 * Shared inputs that a provider keeps across jobs, so that a matrix, a shard or a scene travels once. Of each payer
 * apart: nobody learns from it what others have sent, nor computes on what he only knows the hash of. What no
 * running job holds makes room, least recently used first.
 */
export class PartStore {
  /** In order of use. Keys: payer and hash. */
  readonly #kept = new Map<string, Kept>()
  readonly #limit: number
  #total = 0

  /** @param limit bytes of all parts, kept and on their way */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * What one job stream of `payer` uses.
   *
   * @param makeRoom ends another stream that holds some, where none is left. False: there is none. @default it waits
   */
  shelf(payer: string, makeRoom: () => boolean = () => false): PartShelf {
    return new PartShelf(this, payer, makeRoom)
  }

  get bytes(): number {
    return this.#total
  }

  /** Forgets what no running job holds. */
  clear(): void {
    this.#evict(0)
  }

  /** @throws JobError `BUSY` if running jobs hold too much */
  reserve(size: number, makeRoom: () => boolean): void {
    do {
      this.#evict(this.#limit - size)
    } while (this.#total + size > this.#limit && size <= this.#limit && makeRoom())
    if (this.#total + size > this.#limit) {
      throw new JobError('BUSY', 'This node holds as many inputs as it has room for: try again later.', {
        retryable: true
      })
    }
    this.#total += size
  }

  unreserve(size: number): void {
    this.#total -= size
  }

  /** Takes what was reserved, or drops it for the same part that another stream brought meanwhile. */
  keep(key: string, bytes: Uint8Array): Uint8Array {
    const present = this.hold(key)
    if (present !== undefined) {
      this.#total -= bytes.byteLength
      return present
    }
    this.#kept.set(key, { bytes, holders: 1 })
    return bytes
  }

  hold(key: string): Uint8Array | undefined {
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key) // set anew: last in order is used last
      this.#kept.set(key, kept)
      kept.holders += 1
    }
    return kept?.bytes
  }

  release(key: string): void {
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      kept.holders -= 1
    }
  }

  #evict(until: number): void {
    for (const [key, { bytes, holders }] of this.#kept) {
      if (this.#total <= until) {
        return
      }
      if (holders === 0) {
        this.#kept.delete(key)
        this.#total -= bytes.byteLength
      }
    }
  }
}

/** The parts of one job stream: held until it closes. */
export class PartShelf {
  readonly #store: PartStore
  readonly #payer: string
  readonly #held = new Map<string, Uint8Array>()
  readonly #arriving = new Map<string, number>()

  readonly #makeRoom: () => boolean

  constructor(store: PartStore, payer: string, makeRoom: () => boolean) {
    this.#store = store
    this.#payer = payer
    this.#makeRoom = makeRoom
  }

  /** Whether there would be more room without this stream. */
  get isHolding(): boolean {
    return this.#held.size + this.#arriving.size > 0
  }

  /** A part that is here, by its hash. */
  get(hash: string): Uint8Array | undefined {
    return this.#held.get(hash)
  }

  /** Whether the part is kept from an earlier job of the same payer: it stays for this one then. */
  recall(hash: string): boolean {
    if (!this.#held.has(hash)) {
      const bytes = this.#store.hold(this.#key(hash))
      if (bytes === undefined) {
        return false
      }
      this.#held.set(hash, bytes)
    }
    return true
  }

  /**
   * Makes room for a part that begins to arrive.
   *
   * @throws JobError `BUSY`
   */
  expect(hash: string, size: number): void {
    this.#store.reserve(size, this.#makeRoom)
    this.#arriving.set(hash, size)
  }

  /** Keeps an expected part that has arrived and matches its hash. */
  keep(hash: string, bytes: Uint8Array): void {
    this.#arriving.delete(hash)
    const kept = this.#store.keep(this.#key(hash), bytes)
    if (this.#held.has(hash)) {
      this.#store.release(this.#key(hash)) // sent twice: held once
    }
    this.#held.set(hash, kept)
  }

  /** What was expected does not come. */
  unexpect(hash: string): void {
    this.#store.unreserve(this.#arriving.get(hash) ?? 0)
    this.#arriving.delete(hash)
  }

  /**
   * Keeps what was made here, until its place is needed.
   *
   * @throws JobError `BUSY`
   */
  add(hash: string, bytes: Uint8Array): void {
    this.expect(hash, bytes.byteLength)
    this.keep(hash, bytes)
    this.letGo(hash)
  }

  /** This stream needs it no more: it stays until its place is needed. */
  letGo(hash: string): void {
    if (this.#held.delete(hash)) {
      this.#store.release(this.#key(hash))
    }
  }

  close(): void {
    for (const size of this.#arriving.values()) {
      this.#store.unreserve(size)
    }
    for (const hash of this.#held.keys()) {
      this.#store.release(this.#key(hash))
    }
    this.#arriving.clear()
    this.#held.clear()
  }

  #key(hash: string): string {
    return `${this.#payer}/${hash}`
  }
}
