import { createEngine } from '../../src/compute/index.ts'
import { connectDirect } from '../../src/net/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import * as bare from './bare.ts'
import * as courier from './courier.ts'
import { gpuLoop } from './gpu-loop.ts'
import * as raw from './raw-channel.ts'
import { type JobTimes, products, SwarmPeer, type Told } from './swarm-peer.ts'
import { WaitingEngine, waiting } from './waiting.ts'

/**
 * One tab of the benches `overhead`, `transfer` and `swarm`: a node with the parts of a job around it, and bare streams
 * on the same connection to compare with. `bench/pages/tabs.ts` calls it as `window.peer`.
 */

let swarm: SwarmPeer
let remote: PeerIdString
let waitingEngine: WaitingEngine

function node() {
  return swarm.node
}

const direct = () => connectDirect(node(), remote)

const peer = {
  /** @param trade what it serves and hires for */
  async start(relays: string[], trade: 'products' | 'waiting' = 'products'): Promise<string> {
    swarm = await SwarmPeer.start(relays, trade === 'products' ? products : waiting)
    await bare.serve(node())
    return swarm.peer
  },
  serve: async (backend: 'cpu' | 'webgpu') => swarm.serve(await createEngine({ backend })),
  /** Serves units that take this long, one after the other. */
  serveWaiting(unitMs: number): Promise<void> {
    waitingEngine = new WaitingEngine(unitMs)
    return swarm.serve(waitingEngine)
  },
  abortedAt: () => waitingEngine.abortedAt,
  rest: () => swarm.rest(),
  /** @returns ms from `submit` to the receipt */
  hire: (providers: string[], units: number) => swarm.hire(providers as PeerIdString[], units, units),
  hireAndCancel: (providers: string[], afterMs: number): Promise<number> =>
    swarm.hireAndCancel(providers as PeerIdString[], afterMs),
  hireAndTell: (providers: string[], units: number): Promise<Told[]> =>
    swarm.hireAndTell(providers as PeerIdString[], units),
  hasVerified: (provider: string) =>
    swarm.told.some((told) => told.type === 'verified' && told.provider === provider),
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
