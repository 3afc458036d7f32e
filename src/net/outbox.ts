export interface OutboxInit {
  /** Bytes that may be sent and not yet acknowledged. */
  readonly window: number
  /** True while the stream below takes no more. */
  readonly blocked: () => boolean
  readonly write: (bytes: Uint8Array) => void
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** What is on its way to the other side: sends in order, as window and stream allow. */
export class Outbox {
  readonly #init: OutboxInit
  #waiting: Waiting[] = []
  #sent = 0
  #acknowledged = 0
  #empty: PromiseWithResolvers<void> | undefined

  constructor(init: OutboxInit) {
    this.#init = init
  }

  /** Writes at once if there is room, else when it is this message's turn. A message may always go alone. */
  async send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes.byteLength)) {
      this.#write(bytes)
      return
    }
    const turn = Promise.withResolvers<void>()
    const waiting: Waiting = { bytes, resolve: turn.resolve, reject: turn.reject }
    this.#waiting.push(waiting)
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      turn.reject(signal?.reason)
      // A smaller message behind this one may fit now.
      this.pump()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await turn.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** @returns false if the other side claims what cannot be */
  acknowledge(bytes: number): boolean {
    if (bytes < this.#acknowledged || bytes > this.#sent) {
      return false
    }
    this.#acknowledged = bytes
    this.pump()
    return true
  }

  /** Sends what has room now. */
  pump(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#hasRoom(next.bytes.byteLength)) {
        return
      }
      this.#waiting.shift()
      try {
        this.#write(next.bytes)
        next.resolve()
      } catch (error) {
        next.reject(error)
      }
    }
    this.#empty?.resolve()
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#waiting.length > 0) {
      this.#empty ??= Promise.withResolvers<void>()
      await this.#empty.promise
    }
  }

  /** Rejects all that waits. */
  end(reason: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) {
      reject(reason)
    }
    this.#empty?.resolve()
  }

  #hasRoom(size: number): boolean {
    const inFlight = this.#sent - this.#acknowledged
    return !this.#init.blocked() && (inFlight === 0 || inFlight + size <= this.#init.window)
  }

  #write(bytes: Uint8Array): void {
    this.#sent += bytes.byteLength
    this.#init.write(bytes)
  }
}
