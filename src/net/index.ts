export { closestPeers } from './closest-peers.ts'

import { platform } from '#net-platform'

export { type BaseInit, type BaseServices, baseOptions } from './base-options.ts'
export { connect } from './connect.ts'
export { connectDirect } from './connect-direct.ts'
export { isDirect, isTo, standingConnection, transportOf } from './connections.ts'
export { asError, NetError, type NetErrorCode } from './errors.ts'
export { type ExchangeOptions, request, respond } from './exchange.ts'
export { type Charge, FloodGate } from './flood-gate.ts'
export { framedStream, WINDOW } from './framed-stream.ts'
export { isPrivateAddress, parseAddress } from './gater.ts'
export { type IdentityStore, loadIdentity } from './identity.ts'
export { createNode } from './node.ts'
export { openStream } from './open-stream.ts'
export { type RelayWatchdogOptions, watchRelays } from './relay-watchdog.ts'
export { CLOSEST, distanceOf, estimateSwarmSize } from './swarm-size.ts'
export { DhtTender, dhtTender, selfQueryInterval } from './tend-dht.ts'
export type * from './types.ts'

/** The runtime's ticks: of a worker in a page, of a timer in Node. */
export const ticker = platform.ticker
