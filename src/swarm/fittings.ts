import type { PrivateKey } from '@libp2p/interface'
import type { Engine, EngineInit } from '../compute/index.ts'
import type { SwarmNode, Transports } from '../net/index.ts'
import type { Store } from '../store/index.ts'

/** What stands in the place of what the runtime would give: for tests in memory, and for the library on top. */
export interface Fittings {
  /** @default by platform: IndexedDB, a data folder, or memory */
  readonly store?: Store
  /** @default the one in the store, or a new one */
  readonly key?: PrivateKey
  /** @default WebSocket, circuits, WebRTC */
  readonly transports?: Transports
  /** @default workers of this device */
  readonly createEngine?: (init: EngineInit) => Promise<Engine>
  /** Of the choice of providers, 0 to 1. @default Math.random */
  readonly random?: () => number
  /** The store is open, nothing has started yet. */
  readonly onStore?: (store: Store) => Promise<void>
  /** The node is up. */
  readonly onNode?: (node: SwarmNode) => Promise<void>
  /** The node stops: no job runs any more, and the store is still open. */
  readonly onQuiet?: () => Promise<void>
}
