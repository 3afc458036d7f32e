/** First come, first served, a few at a time. */
export class Turns {
  readonly #waiting: Array<{ readonly limit: () => number; readonly go: () => void }> = []
  #taken = 0

  /** Waits until fewer than `limit()` turns are taken, and takes one. The limit is asked anew at every change. */
  take(limit: () => number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ limit, go })
      this.#next()
    })
  }

  leave(): void {
    this.#taken--
    this.#next()
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#taken >= first.limit()) {
        return
      }
      this.#waiting.shift()
      this.#taken++
      first.go()
    }
  }
}
