/** What one worker holds, least recently used first: the engine's mirror, so that only news travel. */
export class PartsMirror {
  readonly #sizes = new Map<string, number>()
  readonly #limit: number
  #total = 0

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  has(hash: string): boolean {
    return this.#sizes.has(hash)
  }

  /** Notes that the worker has, or is about to get, this part. */
  use(hash: string, size: number): void {
    const known = this.#sizes.get(hash)
    this.#sizes.delete(hash) // set anew below: last in order is used last
    this.#sizes.set(hash, known ?? size)
    this.#total += known === undefined ? size : 0
  }

  /** Forgets parts beyond the limit, oldest first, but none of `pinned`. Returns them. */
  trim(pinned: ReadonlySet<string>): string[] {
    const dropped: string[] = []
    for (const [hash, size] of this.#sizes) {
      if (this.#total <= this.#limit) {
        break
      }
      if (!pinned.has(hash)) {
        this.#sizes.delete(hash)
        this.#total -= size
        dropped.push(hash)
      }
    }
    return dropped
  }
}
