import type { Libp2pOptions } from 'libp2p'
import type { Ticker } from './types.ts'

export interface TransportInit {
  readonly iceServers: readonly RTCIceServer[]
  /** Whether relays are known, at which to be reachable. */
  readonly relayed: boolean
}

/** What a tab and Node do differently. */
export interface NetPlatform {
  readonly ticker: Ticker
  transports(init: TransportInit): NonNullable<Libp2pOptions['transports']>
  /** Addresses to listen on besides those that were asked for. */
  listen(init: TransportInit): string[]
  /** Calls back when there is no time left for anything but a word. Returns what ends that. */
  onLeave(leave: () => void): () => void
}
