import './dial-race-shim.ts'
import './hang-up-shim.ts'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import type { NetPlatform } from './platform.ts'
import { workerTicker } from './ticker.ts'

export const platform: NetPlatform = {
  ticker: workerTicker(),
  transports: ({ iceServers }) => [
    webSockets(),
    circuitRelayTransport(),
    webRTC({ rtcConfiguration: { iceServers: [...iceServers] } })
  ],
  listen: () => ['/p2p-circuit', '/webrtc'],
  // Not on `visibilitychange`: a hidden tab goes on.
  onLeave: (leave) => {
    addEventListener('pagehide', leave)
    return () => removeEventListener('pagehide', leave)
  }
}
