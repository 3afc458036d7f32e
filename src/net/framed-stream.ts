import type { Connection, Stream } from '@libp2p/interface'
import type * as z from 'zod/mini'
import {
  type ControlFrame,
  decode,
  JOB_FRAME_MAX,
  name as namePattern,
  type PeerIdString,
  WireError
} from '../wire/index.ts'
import { asError, NetError } from './errors.ts'
import { encodeFrame, encodeFrames, FrameDecoder } from './frame-codec.ts'
import { Outbox } from './outbox.ts'
import type { FramedStream, FramedStreamInit } from './types.ts'

/** Bytes that may be sent and not yet consumed by the other side: four of the largest job frames, about 1 MiB. */
export const WINDOW = 4 * (JOB_FRAME_MAX + 4)
const HEARTBEAT_MS = 500
const HEARTBEATS_MISSED = 4
/** How long a close may wait for the other side before the stream is reset. */
const CLOSE_TIMEOUT_MS = 5_000
/** The reason of the `bye` that `close()` sends: the reader ends without an error. */
const END = 'end'

const CONTROL_MAX = 256
const BEAT = encodeFrame({ t: 'beat' }, CONTROL_MAX)

/**
 * Frames over one libp2p stream. Both sides must use the same `window` and `maxFrame`. Attach it before the
 * stream's first await: frames that arrive earlier are kept by the stream, up to 4 MiB.
 *
 * An end without a `bye` counts as loss: over WebRTC a broken connection looks like a closed stream.
 */
export function framedStream<S extends z.ZodMiniType, Out>(
  init: FramedStreamInit<S, Out>
): FramedStream<z.output<S>, Out> {
  return new LibP2PFramedStream<S, Out>(init)
}

interface Received<In> {
  readonly frame: In
  readonly size: number
}

class LibP2PFramedStream<S extends z.ZodMiniType, Out> implements FramedStream<z.output<S>, Out> {
  readonly peer: PeerIdString
  readonly connection: Connection | undefined
  readonly closed: AbortSignal

  readonly #stream: Stream
  readonly #schema: S
  readonly #maxFrame: number
  readonly #window: number
  readonly #ackEvery: number
  readonly #heartbeatsMissed: number
  readonly #decoder: FrameDecoder
  readonly #over = new AbortController()
  readonly #stopTicks: () => void

  #inbox: Array<Received<Exclude<z.output<S>, ControlFrame>>> = []
  #reader: PromiseWithResolvers<IteratorResult<Exclude<z.output<S>, ControlFrame>, undefined>> | undefined
  /** Set when nothing more will arrive: with the error that the reader gets after the last frame. */
  #end: { error: Error | undefined } | undefined
  #received = 0
  #consumed = 0
  #ackSent = 0
  #ackDue = false

  readonly #outbox: Outbox
  #closing = false

  #heard = true
  #spoke = true
  #missed = 0

  constructor(init: FramedStreamInit<S, Out>) {
    this.peer = init.peer
    this.connection = init.connection
    this.#stream = init.stream
    this.#schema = init.schema
    this.#maxFrame = init.maxFrame
    this.#window = init.window ?? WINDOW
    // Never so late that a frame of the largest size could wait for an ack that is not due.
    this.#ackEvery = Math.min(this.#window / 4, Math.max(1, this.#window - this.#maxFrame - 4))
    this.#heartbeatsMissed = init.heartbeatsMissed ?? HEARTBEATS_MISSED
    this.#decoder = new FrameDecoder(this.#maxFrame)
    this.closed = this.#over.signal
    this.#outbox = new Outbox({
      window: this.#window,
      blocked: () => this.#stream.writableNeedsDrain,
      write: (bytes) => {
        this.#write(bytes)
        this.closed.throwIfAborted()
      }
    })

    this.#stream.addEventListener('message', this.#onMessage)
    this.#stream.addEventListener('drain', this.#onDrain)
    this.#stream.addEventListener('remoteCloseWrite', this.#onRemoteEnd)
    this.#stream.addEventListener('close', this.#onClose)
    this.#stopTicks = init.ticker.every(init.heartbeatMs ?? HEARTBEAT_MS, this.#onTick)
    // The other side may have ended before anyone listened.
    if (this.#stream.remoteWriteStatus === 'closed' || this.#stream.status !== 'open') {
      this.#onRemoteEnd()
    }
  }

  async send(frame: Out | readonly Out[], options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.closed.throwIfAborted()
    if (this.#closing) {
      throw closedHere()
    }
    for (const bytes of encodeFrames(Array.isArray(frame) ? frame : [frame], this.#maxFrame)) {
      await this.#outbox.send(bytes, options.signal)
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Exclude<z.output<S>, ControlFrame>, undefined> {
    return { next: () => this.#next() }
  }

  bye(reason: string): void {
    if (this.closed.aborted) {
      return
    }
    this.#leave(namePattern.safeParse(reason).success ? reason : 'left')
  }

  async close(): Promise<void> {
    if (this.closed.aborted) {
      return
    }
    this.#closing = true
    await this.#outbox.idle()
    await this.#leave(END)
  }

  abort(error: Error): void {
    this.#inbox = []
    this.#finish(error, error)
    this.#stream.abort(error)
  }

  // --- sending

  #write(bytes: Uint8Array): void {
    this.#spoke = true
    try {
      this.#stream.send(bytes)
    } catch (cause) {
      this.#lose('The stream to the peer broke.', cause)
    }
  }

  #acknowledge(): void {
    if (this.closed.aborted || this.#consumed - this.#ackSent < this.#ackEvery) {
      return
    }
    if (this.#stream.writableNeedsDrain) {
      this.#ackDue = true
      return
    }
    this.#ackDue = false
    this.#ackSent = this.#consumed
    this.#write(encodeFrame({ t: 'ack', bytes: this.#consumed }, CONTROL_MAX))
  }

  // --- receiving

  readonly #onMessage = (event: { data: Uint8Array | Iterable<Uint8Array> }): void => {
    this.#heard = true
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data
    try {
      for (const chunk of chunks) {
        this.#decoder.push(chunk, this.#onFrame)
      }
    } catch (thrown) {
      const error = asError(thrown)
      this.#finish(error, error)
      this.#stream.abort(error)
    }
  }

  /** False when the stream is over: what follows is not looked at. */
  readonly #onFrame = (body: Uint8Array, size: number): boolean => {
    if (this.closed.aborted) {
      return false
    }
    const frame = decode(body, this.#schema, this.#maxFrame)
    if (isControl(frame)) {
      this.#onControl(frame)
      return !this.closed.aborted
    }
    this.#received += size
    if (this.#received - this.#consumed > this.#window + this.#maxFrame) {
      throw new WireError('TOO_LARGE', `The peer sent more than the window of ${this.#window} bytes.`)
    }
    // isControl has taken the control frames out; TypeScript cannot see that through a generic schema
    const item = { frame: frame as Exclude<z.output<S>, ControlFrame>, size }
    if (this.#reader === undefined) {
      this.#inbox.push(item)
    } else {
      const reader = this.#reader
      this.#reader = undefined
      reader.resolve(this.#deliver(item))
    }
    return true
  }

  #onControl(frame: ControlFrame): void {
    if (frame.t === 'ack') {
      if (!this.#outbox.acknowledge(frame.bytes)) {
        throw new WireError('MALFORMED', 'The peer acknowledged bytes that were never sent.')
      }
    } else if (frame.t === 'bye') {
      this.#onBye(frame.reason)
    }
  }

  #onBye(reason: string): void {
    if (reason === END) {
      this.#finish(new NetError('CLOSED', 'The peer has closed the stream: open a new one.'), undefined)
    } else {
      const left = new NetError('PEER_LEFT', `The peer left (${reason}): ask another one.`, {
        retryable: true,
        details: { reason }
      })
      this.#finish(left, left)
    }
    void closeStream(this.#stream)
  }

  #next(): Promise<IteratorResult<Exclude<z.output<S>, ControlFrame>, undefined>> {
    const item = this.#inbox.shift()
    if (item !== undefined) {
      return Promise.resolve(this.#deliver(item))
    }
    if (this.#end !== undefined) {
      return this.#takeEnd()
    }
    this.#reader ??= Promise.withResolvers()
    return this.#reader.promise
  }

  #deliver(item: Received<Exclude<z.output<S>, ControlFrame>>) {
    this.#consumed += item.size
    this.#acknowledge()
    return { done: false as const, value: item.frame }
  }

  #takeEnd(): Promise<IteratorReturnResult<undefined>> {
    const error = this.#end?.error
    this.#end = { error: undefined }
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
  }

  // --- life

  readonly #onTick = (): void => {
    this.#missed = this.#heard ? 0 : this.#missed + 1
    this.#heard = false
    if (this.#missed >= this.#heartbeatsMissed) {
      const error = this.#lose(`No sign of life from the peer for ${this.#missed} heartbeats.`)
      this.#stream.abort(error)
      return
    }
    if (!this.#spoke && !this.#stream.writableNeedsDrain) {
      this.#write(BEAT)
    }
    this.#spoke = false
  }

  readonly #onDrain = (): void => {
    if (this.#ackDue) {
      this.#acknowledge()
    }
    this.#outbox.pump()
  }

  readonly #onRemoteEnd = (): void => {
    // Bytes that came before the end are handed over in a microtask of their own.
    queueMicrotask(() => {
      if (this.closed.aborted) {
        return
      }
      if (this.#stream.readBufferLength > 0) {
        this.#onRemoteEnd()
        return
      }
      const error = this.#lose(
        this.#decoder.partial
          ? 'The stream ended in the middle of a frame.'
          : 'The stream ended without a goodbye.'
      )
      this.#stream.abort(error)
    })
  }

  readonly #onClose = (event: { error?: Error }): void => {
    if (event.error === undefined) {
      this.#onRemoteEnd()
    } else {
      this.#lose('The stream to the peer was reset.', event.error)
    }
  }

  #lose(message: string, cause?: unknown): NetError {
    const error = new NetError('PEER_LOST', `${message} Ask another peer.`, { retryable: true, cause })
    this.#finish(error, error)
    return error
  }

  #leave(reason: string): Promise<void> {
    this.#write(encodeFrame({ t: 'bye', reason }, CONTROL_MAX))
    this.#inbox = []
    this.#finish(closedHere(), undefined)
    return closeStream(this.#stream)
  }

  #finish(reason: Error, readError: Error | undefined): void {
    if (this.closed.aborted) {
      return
    }
    this.#stopTicks()
    this.#stream.removeEventListener('message', this.#onMessage)
    this.#stream.removeEventListener('drain', this.#onDrain)
    this.#stream.removeEventListener('remoteCloseWrite', this.#onRemoteEnd)
    this.#stream.removeEventListener('close', this.#onClose)
    this.#end = { error: readError }
    this.#over.abort(reason)
    this.#outbox.end(reason)
    const reader = this.#reader
    this.#reader = undefined
    if (reader !== undefined) {
      this.#takeEnd().then(reader.resolve, reader.reject)
    }
  }
}

function isControl(frame: unknown): frame is ControlFrame {
  if (typeof frame !== 'object' || frame === null || !('t' in frame)) {
    return false
  }
  return frame.t === 'ack' || frame.t === 'beat' || frame.t === 'bye'
}

function closedHere(): NetError {
  return new NetError('CLOSED', 'The stream was closed here: open a new one.')
}

async function closeStream(stream: Stream): Promise<void> {
  try {
    await stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  } catch (thrown) {
    stream.abort(asError(thrown))
  }
}
