import { connectDirect } from '../../src/net/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import * as bare from './bare.ts'
import * as courier from './courier.ts'
import { gpuLoop } from './gpu-loop.ts'
import * as raw from './raw-channel.ts'
import { type JobTimes, SwarmPeer } from './swarm-peer.ts'

/**
 * One tab of the benches `overhead` and `transfer`: a node with the parts of a job around it, and bare streams
 * on the same connection to compare with. `bench/tabs.ts` calls it as `window.peer`.
 */

let swarm: SwarmPeer
let remote: PeerIdString

function node() {
  return swarm.node
}

const direct = () => connectDirect(node(), remote)

const peer = {
  async start(relays: string[]): Promise<string> {
    swarm = await SwarmPeer.start(relays)
    await bare.serve(node())
    return swarm.peer
  },
  serve: (backend: 'cpu' | 'webgpu') => swarm.serve(backend),
  /** Connects directly; all that follows goes over this one connection. */
  async connect(to: string): Promise<void> {
    remote = to as PeerIdString // the driver passes what `start` gave in the other tab
    await courier.serve(node(), swarm.key, remote)
    await direct()
  },
  roundTrips: async (count: number, bytes: number) => bare.roundTrips(await direct(), count, bytes),
  echoRate: async (count: number, bytes: number, window: number) =>
    bare.echoRate(await direct(), count, bytes, window),
  runJob: (units: number): Promise<JobTimes> => swarm.runJob(remote, units),
  gpuLoop,
  sendBare: async (bytes: number) => bare.send(await direct(), bytes),
  receiveBare: async (bytes: number) => bare.receive(await direct(), bytes),
  sendJob: async (bytes: number) => courier.send(await direct(), bytes),
  receiveJob: async (bytes: number) => courier.receive(await direct(), bytes),
  raw
}

export type BenchPeer = typeof peer

declare global {
  interface Window {
    peer?: BenchPeer
  }
}
window.peer = peer
