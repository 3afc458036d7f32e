import { type PeerIdString, publicKeyOf, type VerifySignature, verifyEd25519 } from '../wire/index.ts'

/** Of libraries it has none: a batch is key, signature and message, of one signature after the other. */
const WORKER_SOURCE = `
const keys = new Map()
const keyOf = (raw) => {
  const name = String(raw)
  if (!keys.has(name)) {
    if (keys.size === 1024) keys.clear()
    keys.set(name, crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']))
  }
  return keys.get(name)
}
onmessage = async ({ data: [id, bytes, sizes] }) => {
  let at = 0
  const take = (size) => bytes.subarray(at, at += size)
  const check = async (size) => {
    const [key, signature, message] = [take(32), take(64), take(size)]
    return crypto.subtle.verify('Ed25519', await keyOf(key), signature, message)
  }
  postMessage([id, await Promise.all(sizes.map((size) => check(size).catch(() => false)))])
}
postMessage([0, []])`

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** As many keys as the worker remembers. */
const KEYS_MAX = 1_024
/** A worker is kept for so long after its last answer; one that owes an answer for so long is dead. */
const QUIET_MS = 10_000

/** What a worker of the page is to this one. */
export type CheckingWorker = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>

type Answer = readonly [batch: number, right: readonly boolean[]]

interface Check {
  readonly key: Uint8Array
  readonly peer: PeerIdString
  readonly message: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array
  readonly resolve: (isRight: boolean | Promise<boolean>) => void
}

/**
 * Checks signatures beside the page's thread, on which Chromium's WebCrypto would do it: for long tails of records, as
 * the `verify` of `LedgerInit` and `replayChain`. Its worker starts when something is asked for the first time; until
 * it is there, where there is none (Node, a site's policy), and once it has failed, this thread does it. A worker's word
 * is good for a yes alone: whatever it does not find right is checked here.
 */
export class SignatureWorker {
  private readonly spawn: (() => CheckingWorker) | undefined
  private worker: CheckingWorker | undefined
  private isReady = false
  /** It failed, or was closed: no other one is started. */
  private isOver = false
  /** Asked in this turn of the event loop: one batch. */
  private asked: Check[] = []
  private readonly batches = new Map<number, readonly Check[]>()
  private lastId = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly keys = new Map<PeerIdString, Uint8Array>()

  /** @param spawn @default a worker of this page; none where there are no web workers */
  constructor(spawn: (() => CheckingWorker) | undefined = typeof Worker === 'function' ? inPage : undefined) {
    this.spawn = spawn
  }

  readonly verify: VerifySignature = (peer, message, signature) => {
    this.start()
    if (!this.isReady || signature.byteLength !== SIGNATURE_BYTES) {
      return verifyEd25519(peer, message, signature)
    }
    const key = this.keyOf(peer)
    return new Promise((resolve) => {
      if (this.asked.push({ key, peer, message, signature, resolve }) === 1) {
        queueMicrotask(() => this.send())
      }
    })
  }

  /** Ends the worker, at once; what is under way is checked here, and whatever is asked from now on. */
  close(): void {
    this.isOver = true
    this.end()
  }

  private start(): void {
    if (this.worker || this.isOver || !this.spawn) {
      return
    }
    try {
      this.worker = this.spawn()
      this.worker.onmessage = ({ data }: MessageEvent<Answer>) => this.answered(data)
      this.worker.onerror = () => this.close()
      this.wait()
    } catch {
      this.isOver = true // a policy forbids it: this thread does it
    }
  }

  private send(): void {
    const checks = this.asked
    if (checks.length === 0) {
      return // the worker has ended since
    }
    this.asked = []
    const size = checks.reduce(
      (sum, { message }) => sum + KEY_BYTES + SIGNATURE_BYTES + message.byteLength,
      0
    )
    const bytes = new Uint8Array(size)
    let at = 0
    for (const { key, signature, message } of checks) {
      for (const part of [key, signature, message]) {
        bytes.set(part, at)
        at += part.byteLength
      }
    }
    this.lastId += 1
    this.batches.set(this.lastId, checks)
    this.worker?.postMessage(
      [this.lastId, bytes, checks.map(({ message }) => message.byteLength)],
      [bytes.buffer]
    )
    this.wait()
  }

  private answered([id, right]: Answer): void {
    this.isReady = true
    const checks = this.batches.get(id) ?? []
    this.batches.delete(id)
    for (const [i, check] of checks.entries()) {
      check.resolve(right[i] === true || checkHere(check))
    }
    this.wait()
  }

  private wait(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.isOver = !this.isReady || this.batches.size > 0
      this.end()
    }, QUIET_MS)
  }

  private end(): void {
    clearTimeout(this.timer)
    if (this.worker) {
      this.worker.onmessage = null // it may have answered already
      this.worker.terminate()
    }
    this.worker = undefined
    this.isReady = false
    const left = [...this.batches.values(), this.asked].flat()
    this.batches.clear()
    this.asked = []
    for (const check of left) {
      check.resolve(checkHere(check))
    }
  }

  private keyOf(peer: PeerIdString): Uint8Array {
    const known = this.keys.get(peer)
    if (known) {
      return known
    }
    if (this.keys.size >= KEYS_MAX) {
      this.keys.clear()
    }
    const { raw } = publicKeyOf(peer)
    this.keys.set(peer, raw)
    return raw
  }
}

const checkHere = ({ peer, message, signature }: Check) => verifyEd25519(peer, message, signature)

function inPage(): CheckingWorker {
  const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'signatures' })
  URL.revokeObjectURL(url)
  return worker
}
