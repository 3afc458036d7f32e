import type { MultiaddrResolver } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Ticker, Transports } from './types.ts'

export interface TransportInit {
  readonly iceServers: readonly RTCIceServer[]
  /** Whether relays are known, at which to be reachable. */
  readonly relayed: boolean
  /** Node only: WebRTC too. */
  readonly webrtc: boolean
}

/** What a tab and Node do differently. */
export interface NetPlatform {
  readonly ticker: Ticker
  transports(init: TransportInit): Transports | Promise<Transports>
  /** Addresses to listen on besides those that were asked for. */
  listen(init: TransportInit): string[]
  /** How addresses are resolved that are looked up in the DNS; `relays` are the node's own. */
  resolvers(relays: readonly Multiaddr[]): Record<string, MultiaddrResolver>
  /** Calls back when there is no time left for anything but a word. Returns what ends that. */
  onLeave(leave: () => void): () => void
}
