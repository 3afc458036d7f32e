import { webSockets } from '@libp2p/websockets'
import { circuitTransport } from './circuits.ts'
import { installDialRaceShim } from './dial-race-shim.ts'
import { installHangUpShim } from './hang-up-shim.ts'
import { readableIceServers } from './ice-servers.ts'
import { ownNames } from './own-names.ts'
import type { NetPlatform, TransportInit } from './platform.ts'
import { timerTicker } from './ticker.ts'

/** Node: reachable by WebSocket where it listens, by a relay otherwise, and by WebRTC where that is asked for. */
export const platform: NetPlatform = {
  ticker: timerTicker(),
  transports: async (init) => [
    webSockets(),
    circuitTransport(),
    ...(init.webrtc && init.relayed ? [await webRtc(init)] : [])
  ],
  listen: ({ relayed, webrtc }) => (relayed ? ['/p2p-circuit', ...(webrtc ? ['/webrtc'] : [])] : []),
  resolvers: (relays) => ({ dnsaddr: ownNames(relays) }),
  onLeave: () => () => {} // a process that ends closes its sockets
}

/** Loaded on demand: it brings a native library. */
async function webRtc({ iceServers }: TransportInit) {
  const polyfill = await import('node-datachannel/polyfill')
  // the class that libp2p gets too; it lacks what of the DOM's the shims do not touch
  const target = polyfill as unknown as { RTCPeerConnection?: typeof RTCPeerConnection }
  installDialRaceShim(target)
  installHangUpShim(target)
  const { webRTC } = await import('@libp2p/webrtc')
  return webRTC({ rtcConfiguration: { iceServers: readableIceServers(iceServers) } })
}
