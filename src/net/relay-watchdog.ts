import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { platform } from '#net-platform'
import { isTo } from './connections.ts'
import { NetError } from './errors.ts'
import { parseAddress } from './gater.ts'
import type { RelayWatchdog, SwarmNode, Ticker } from './types.ts'

const TICK_MS = 500
const DIAL_TIMEOUT_MS = 10_000
/** The longest wait between two dials, in ticks: 30 s. */
const BACKOFF_MAX_TICKS = 60
/** A relay that is connected but gives no reservation for so many ticks (10 s) is dialled afresh. */
const RESERVE_TICKS = 20

export interface RelayWatchdogOptions {
  /** @default the platform's */
  readonly ticker?: Ticker
  /** In [0, 1). @default Math.random */
  readonly random?: () => number
}

interface Watched {
  readonly address: Multiaddr
  readonly peer: PeerId | undefined
  dialing: boolean
  failures: number
  /** Ticks until the next dial. */
  wait: number
  /** Ticks connected without a reservation. */
  unreserved: number
}

/**
 * Dials the relays and keeps them: one that is lost, restarted, or full for now is dialled again with jittered
 * backoff, for ever. (libp2p gives up on a lost relay; js-libp2p #3601.)
 *
 * @throws NetError `BAD_ADDRESS`
 */
export function watchRelays(
  node: SwarmNode,
  relays: readonly string[],
  { ticker = platform.ticker, random = Math.random }: RelayWatchdogOptions = {}
): RelayWatchdog {
  const watched = relays.map((relay) => watch(parseAddress(relay)))
  const over = new AbortController()

  const dial = async (relay: Watched): Promise<void> => {
    relay.dialing = true
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      await node.dial(relay.address, { signal })
      relay.unreserved = 0
    } catch (error) {
      relay.failures++
      node.logger.forComponent('swarmharness:relays')('could not dial %a - %e', relay.address, error)
    } finally {
      relay.dialing = false
      relay.wait = backoffTicks(relay.failures, random())
    }
  }

  const check = (relay: Watched): void => {
    if (relay.dialing) {
      return
    }
    if (isReserved(node, relay)) {
      relay.failures = 0
      relay.unreserved = 0
      relay.wait = backoffTicks(0, random())
    } else if (isConnected(node, relay)) {
      relay.unreserved++
      if (relay.unreserved >= RESERVE_TICKS) {
        relay.failures++
        relay.unreserved = 0
        relay.wait = backoffTicks(relay.failures, random())
        void hangUp(node, relay)
      }
    } else if (relay.wait <= 0) {
      void dial(relay)
    } else {
      relay.wait--
    }
  }

  const stopTicks = ticker.every(TICK_MS, () => watched.forEach(check))
  watched.forEach(check)
  const stop = () => {
    stopTicks()
    over.abort(new NetError('CLOSED', 'The relays are no longer watched.'))
  }
  node.addEventListener('stop', stop, { once: true })
  return {
    get reserved() {
      return watched.filter((relay) => isReserved(node, relay)).length
    },
    stop
  }
}

/** Doubling from one tick, then spread over its upper half, so that a relay that comes back is not stormed. */
export function backoffTicks(failures: number, random: number): number {
  const most = Math.min(BACKOFF_MAX_TICKS, 2 ** Math.min(failures, 16))
  return Math.ceil(most * (0.5 + random / 2))
}

function watch(address: Multiaddr): Watched {
  const peer = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return {
    address,
    peer: peer === undefined ? undefined : peerIdFromString(peer),
    dialing: false,
    failures: 0,
    wait: 0,
    unreserved: 0
  }
}

function isConnected(node: SwarmNode, { peer, address }: Watched): boolean {
  return peer === undefined
    ? node.getConnections().some((connection) => isTo(address.toString(), connection))
    : node.getConnections(peer).some(({ status }) => status === 'open')
}

/** An address through the relay is announced as long as the reservation stands. */
function isReserved(node: SwarmNode, relay: Watched): boolean {
  if (!isConnected(node, relay)) {
    return false
  }
  const through = relay.peer === undefined ? '/p2p-circuit' : `/p2p/${relay.peer}/p2p-circuit`
  return node.getMultiaddrs().some((address) => address.toString().includes(through))
}

async function hangUp(node: SwarmNode, { peer }: Watched): Promise<void> {
  if (peer !== undefined) {
    await Promise.allSettled(node.getConnections(peer).map((connection) => connection.close()))
  }
}
