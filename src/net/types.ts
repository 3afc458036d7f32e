import type { Connection, Libp2p, PrivateKey, ServiceMap, Stream } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import type * as z from 'zod/mini'
import type { ControlFrame, Milliseconds, Network, PeerIdString } from '../wire/index.ts'

export type SwarmNode<Services extends ServiceMap = ServiceMap> = Libp2p<Services & { dht: KadDHT }>

export type Transports = NonNullable<Libp2pOptions['transports']>

export interface NodeInit<Services extends ServiceMap = ServiceMap> {
  /** Further libp2p services, such as the registry: started and stopped with the node. */
  readonly services?: ServiceFactoryMap<Services>
  readonly privateKey: PrivateKey
  readonly network: Network
  /** Relays to dial and to stay reserved at. Empty for a Node provider that is itself reachable by WebSocket. */
  readonly relays: readonly string[]
  /** @default [] : no STUN, right for localhost and a LAN */
  readonly iceServers?: readonly RTCIceServer[]
  /** Node: WebRTC beside WebSocket, by which tabs are reached. A tab always has it. @default false */
  readonly webrtc?: boolean
  /** In the place of all others; the node then listens where `listen` says and nowhere else. */
  readonly transports?: Transports | undefined
  /** More addresses to listen on (Node): `/ip4/127.0.0.1/tcp/0/ws`. */
  readonly listen?: readonly string[]
  /** Allow private addresses and plain ws. @default true for localhost and private relays */
  readonly allowPrivate?: boolean
}

/** Keeps the relays: redials with jittered backoff, for ever, without a reload. */
export interface RelayWatchdog {
  /** Relays connected and reserved at now. */
  readonly reserved: number
  stop(): void
}

/** Ticks that a hidden tab does not slow down (a worker's timer in a page). */
export interface Ticker {
  every(ms: Milliseconds, tick: () => void): () => void
}

export interface FramedStreamInit<In extends z.ZodMiniType, Out> {
  readonly stream: Stream
  /** Who is on the other side, and the connection that carries the stream (for the UI). */
  readonly peer: PeerIdString
  readonly connection?: Connection | undefined
  /** Schema of what comes in, control frames included. */
  readonly schema: In
  /** Largest frame in bytes, both ways. */
  readonly maxFrame: number
  /** Unacknowledged bytes in flight, the same on both sides. @default WINDOW: about 1 MiB */
  readonly window?: number
  readonly ticker: Ticker
  /** @default 500 */
  readonly heartbeatMs?: Milliseconds
  /** Beats missed before the peer counts as lost. @default 4 */
  readonly heartbeatsMissed?: number
  readonly outgoing?: Out
}

/**
 * One libp2p stream as typed frames: length-prefixed DAG-CBOR, a window of unconsumed bytes (acks), heartbeats,
 * goodbye. `ack` and `beat` never reach the reader; `bye` ends the iteration with NetError `PEER_LEFT`.
 */
export interface FramedStream<In, Out> {
  readonly peer: PeerIdString
  readonly connection: Connection | undefined
  /**
   * Resolves when the frame is handed to the stream: waits for window and drain. In order. Small frames given
   * together leave together, which saves the other side a message.
   */
  send(frame: Out | readonly Out[], options?: { signal?: AbortSignal }): Promise<void>
  /**
   * One reader. Ends when this side or the other called `close()`. Frames that came before an end are still
   * delivered, but for an `abort` or `close` of this side.
   *
   * @throws NetError `PEER_LOST` (heartbeats missed, stream reset or ended without goodbye), `PEER_LEFT` (bye), or WireError for garbage (the stream is then aborted)
   */
  [Symbol.asyncIterator](): AsyncIterator<Exclude<In, ControlFrame>>
  /** Says goodbye, without waiting. */
  bye(reason: string): void
  /** Ends the stream for both sides, after the frames that wait to be sent. */
  close(): Promise<void>
  abort(error: Error): void
  /** Aborted when the stream is over, with the reason. */
  readonly closed: AbortSignal
}
