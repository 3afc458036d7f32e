import type { Connection, Stream } from '@libp2p/interface'
import {
  connectDirect,
  framedStream,
  isDirect,
  openStream,
  type SwarmNode,
  type Ticker
} from '../net/index.ts'
import {
  isPeerIdString,
  JOB_FRAME_MAX,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type PullResponseFrame,
  protocolId,
  pullRequestFrame,
  pullResponseFrame,
  type Signed,
  SwarmError
} from '../wire/index.ts'
import { ArrivingPart, chunkHashes, chunksOf } from './chunks.ts'
import { OPEN_TIMEOUT, PULL_GIVEN_MAX, PULL_TIMEOUT, PULLS_MAX } from './constants.ts'
import { JobError } from './errors.ts'
import { GiveLimit } from './give-limit.ts'
import type { PartStore } from './part-store.ts'
import { fromHex, hex } from './plan.ts'
import { checkTicket } from './ticket.ts'

export interface PullInit {
  readonly node: SwarmNode
  readonly network: Network
  readonly ticker: Ticker
}

/** Where parts go that are pulled: a shelf, for one. */
export interface PullSink {
  /** One begins to arrive. @throws what ends the pull */
  expect(hash: string, size: number): void
  keep(hash: string, bytes: Uint8Array): void
  /** It does not come after all. */
  unexpect(hash: string): void
}

/**
 * Fetches parts (hex hashes) from who has them, by a requester's leave. Every chunk is checked as it comes.
 *
 * @throws JobError `INPUT_GONE` whatever goes wrong there, the signal's reason, what the sink throws
 */
export async function pullParts(
  { node, network, ticker }: PullInit,
  from: { readonly holder: PeerIdString; readonly ticket: Signed; readonly parts: readonly string[] },
  sink: PullSink,
  signal: AbortSignal
): Promise<void> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(PULL_TIMEOUT)])
  const refusals: unknown[] = []
  try {
    const connection = await connectDirect(node, from.holder, { signal: timed })
    const stream = await openStream(connection, protocolId(network.parameters, 'pull'), { signal: timed })
    const framed = framedStream({
      stream,
      peer: from.holder,
      connection,
      schema: pullResponseFrame,
      maxFrame: JOB_FRAME_MAX,
      ticker
    })
    const abort = () => framed.abort(new JobError('INPUT_GONE', 'The parts took too long.'))
    timed.addEventListener('abort', abort, { once: true })
    const arriving = new Arrivals(from.parts, sink, (refusal) => refusals.push(refusal))
    try {
      timed.throwIfAborted()
      await framed.send({ t: 'pull', ticket: from.ticket, parts: from.parts.map(fromHex) })
      for await (const frame of framed) {
        await arriving.take(frame)
        if (arriving.isDone) {
          break
        }
      }
      if (!arriving.isDone) {
        throw new JobError('INPUT_GONE', 'The stream ended before all parts had come.')
      }
      void framed.close()
    } catch (error) {
      framed.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    } finally {
      timed.removeEventListener('abort', abort)
      arriving.end()
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (refusals.includes(cause)) {
      throw cause
    }
    const message = `What ${from.holder} had is not to be had there any more.`
    throw new JobError('INPUT_GONE', message, { retryable: true, cause, details: { holder: from.holder } })
  }
}

/** The parts that were asked for, in their order. */
class Arrivals {
  private readonly wanted: string[]
  private readonly sink: PullSink
  private readonly onRefused: (reason: unknown) => void
  private current: { readonly hash: string; readonly part: ArrivingPart } | undefined

  constructor(wanted: readonly string[], sink: PullSink, onRefused: (reason: unknown) => void) {
    this.wanted = [...wanted]
    this.sink = sink
    this.onRefused = onRefused
  }

  get isDone(): boolean {
    return this.wanted.length === 0
  }

  async take(frame: Exclude<PullResponseFrame, { t: 'ack' | 'beat' | 'bye' }>): Promise<void> {
    const { current } = this
    switch (frame.t) {
      case 'part': {
        const hash = hex(frame.hash)
        if (current !== undefined || hash !== this.wanted[0]) {
          throw new JobError('PROTOCOL', 'A part came that was not its turn.')
        }
        const part = await ArrivingPart.announced(frame.hash, frame.size, frame.chunks)
        this.expect(hash, frame.size)
        this.current = { hash, part }
        return
      }
      case 'chunk':
        if (current === undefined || hex(frame.hash) !== current.hash) {
          throw new JobError('PROTOCOL', 'A chunk came of a part that was not announced.')
        }
        await current.part.add(frame.offset, frame.bytes)
        if (current.part.isComplete) {
          this.current = undefined
          this.wanted.shift()
          this.sink.keep(current.hash, current.part.bytes)
        }
        return
      case 'gone':
        throw new JobError('INPUT_GONE', 'It does not have that part any more.')
      case 'refused':
        throw new JobError('INPUT_GONE', `It refused: ${frame.message}`)
    }
  }

  end(): void {
    if (this.current !== undefined) {
      this.sink.unexpect(this.current.hash)
    }
  }

  private expect(hash: string, size: number): void {
    try {
      this.sink.expect(hash, size)
    } catch (reason) {
      this.onRefused(reason) // no room here: not the holder's fault
      throw reason
    }
  }
}

export interface PullServerInit extends PullInit {
  readonly self: PeerIdString
  readonly parts: PartStore
  /** Nothing is given while this node does not contribute. */
  readonly isOpen: () => boolean
  readonly now: () => Milliseconds
}

/** Gives other providers what they may have: parts of a requester that has signed so. */
export class PullServer {
  private readonly init: PullServerInit
  private readonly protocol: string
  private readonly limit = new GiveLimit(PULL_GIVEN_MAX)

  constructor(init: PullServerInit) {
    this.init = init
    this.protocol = protocolId(init.network.parameters, 'pull')
  }

  async start(): Promise<void> {
    await this.init.node.handle(this.protocol, (stream, connection) => this.serve(stream, connection), {
      maxInboundStreams: PULLS_MAX
    })
  }

  async stop(): Promise<void> {
    await this.init.node.unhandle(this.protocol)
  }

  private async serve(stream: Stream, connection: Connection): Promise<void> {
    const taker = connection.remotePeer.toString()
    if (!isDirect(connection) || !isPeerIdString(taker)) {
      stream.abort(new JobError('PROTOCOL', 'Parts need a direct connection.'))
      return
    }
    const framed = framedStream({
      stream,
      peer: taker,
      connection,
      schema: pullRequestFrame,
      maxFrame: JOB_FRAME_MAX,
      ticker: this.init.ticker,
      outgoing: undefined as PullResponseFrame | undefined // names the type of what goes out
    })
    const timer = setTimeout(
      () => framed.abort(new JobError('PROTOCOL', 'Nothing was asked for in time.')),
      OPEN_TIMEOUT
    )
    try {
      const { value: asked, done } = await framed[Symbol.asyncIterator]().next()
      clearTimeout(timer)
      if (done !== true) {
        await this.give(asked, taker, async (frame) => framed.send(frame))
      }
      await framed.close()
    } catch (error) {
      framed.abort(error instanceof Error ? error : new Error(String(error)))
      this.init.node.logger.forComponent('swarmharness:pull')('parts for %s - %e', taker, error)
    } finally {
      clearTimeout(timer)
    }
  }

  private async give(
    { ticket, parts }: { readonly ticket: Signed; readonly parts: readonly Uint8Array[] },
    taker: PeerIdString,
    send: (frame: PullResponseFrame) => Promise<void>
  ): Promise<void> {
    const { network, self, now, isOpen } = this.init
    let author: PeerIdString
    try {
      const checked = await checkTicket(ticket, { network, now: now(), holder: self, taker })
      const named = new Set(checked.parts.map(hex))
      if (!isOpen() || !parts.every((hash) => named.has(hex(hash)))) {
        throw new JobError('PROTOCOL', 'That ticket does not name all of these parts, or nothing is served.')
      }
      author = checked.author
    } catch (error) {
      const { code, message } = error instanceof SwarmError ? error : new JobError('PROTOCOL', 'No.')
      await send({ t: 'refused', code, message: message.slice(0, 512) })
      return
    }
    const shelf = this.init.parts.shelf(author)
    try {
      for (const hash of parts) {
        const bytes = shelf.recall(hex(hash)) ? shelf.get(hex(hash)) : undefined
        if (bytes === undefined) {
          await send({ t: 'gone', hash })
          return
        }
        if (!this.limit.take(author, bytes.byteLength, this.init.now())) {
          await send({
            t: 'refused',
            code: 'BUSY',
            message: 'Enough was fetched on the word of that requester.'
          })
          return
        }
        await send({ t: 'part', hash, size: bytes.byteLength, chunks: await chunkHashes(bytes) })
        for (const chunk of chunksOf(bytes)) {
          await send({ t: 'chunk', hash, ...chunk })
        }
      }
    } finally {
      shelf.close()
    }
  }
}
