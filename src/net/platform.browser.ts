import './dial-race-shim.ts'
import './hang-up-shim.ts'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { circuitTransport } from './circuits.ts'
import type { NetPlatform } from './platform.ts'
import { workerTicker } from './ticker.ts'

export const platform: NetPlatform = {
  ticker: workerTicker(),
  transports: ({ iceServers }) => [
    webSockets(),
    circuitTransport(),
    webRTC({ rtcConfiguration: { iceServers: [...iceServers] } })
  ],
  listen: () => ['/p2p-circuit', '/webrtc'],
  resolvers: () => ({}), // a page asks no DNS server
  // Not on `visibilitychange`: a hidden tab goes on.
  onLeave: (leave) => {
    addEventListener('pagehide', leave)
    return () => removeEventListener('pagehide', leave)
  }
}
