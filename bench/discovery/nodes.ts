import { performance } from 'node:perf_hooks'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { memory } from '@libp2p/memory'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { baseOptions, type SwarmNode } from '../../src/net/index.ts'
import { type Offer, type SwarmRegistry, swarmRegistry } from '../../src/registry/index.ts'
import { NETWORKS, type Network, networkOf } from '../../src/wire/index.ts'

type Node = SwarmNode<{ registry: SwarmRegistry }>

/** What a node dials when it joins: the rest it learns from the DHT. */
const FIRST_PEERS = 3
/** How long the thread is watched to see whether the nodes are still busy with looking around. */
const WATCH_MS = 6_000
const SETTLE_MOST_MS = 240_000
/** Share of the time that the thread works, below which it has time for what is measured. */
const IDLE_ENOUGH = 0.7
/** For one provide or find: what takes longer counts as this. */
const LIMIT_MS = 20_000
/** Nodes in this process, over `@libp2p/memory`, with the DHT and the registry of the product. */
export class NodeSwarm {
  private readonly network: Network
  private readonly nodes: Node[] = []

  private constructor(network: Network) {
    this.network = network
  }

  static async open(): Promise<NodeSwarm> {
    return new NodeSwarm(await networkOf(NETWORKS.local))
  }

  /**
   * Adds nodes until there are so many, and waits until they have found each other and leave the thread some time.
   *
   * @param limitMs for adding them: all nodes share this thread, and each makes dozens of connections
   * @returns how many there are
   */
  async grow(count: number, limitMs: number, log: (text: string) => void): Promise<number> {
    const begun = performance.now()
    const until = begun + limitMs
    while (this.nodes.length < count && performance.now() < until) {
      const node = await startNode(this.network, this.nodes.length)
      const known = Array.from({ length: Math.min(FIRST_PEERS, this.nodes.length) }, () => this.any())
      // the thread may be too busy to answer in time
      const dialled = await Promise.allSettled(known.map((peer) => node.dial(peer.getMultiaddrs())))
      if (known.length > 0 && dialled.every(({ status }) => status === 'rejected')) {
        await node.stop()
        continue
      }
      this.nodes.push(node)
    }
    log(`${this.nodes.length} nodes have joined within ${elapsed(begun)} s`)
    const isSettled = await this.settle()
    log(
      isSettled
        ? `they have settled after ${elapsed(begun)} s`
        : `they are still busy after ${elapsed(begun)} s`
    )
    log(`${this.nodes.length} nodes with ${this.connections() / 2} connections`)
    return this.nodes.length
  }

  /** How many connections each node holds. */
  connectionsEach(): number[] {
    return this.nodes.map((node) => node.getConnections().length)
  }

  /** Milliseconds to put a provider record for a random key into the DHT. */
  async provide(): Promise<number> {
    const key = CID.createV1(0x55, Digest.create(0x12, crypto.getRandomValues(new Uint8Array(32))))
    const begun = performance.now()
    // over the limit it is cut off
    await this.any()
      .contentRouting.provide(key, { signal: AbortSignal.timeout(LIMIT_MS) })
      .catch(() => {})
    return performance.now() - begun
  }

  /** Milliseconds from the offer of a new skill at one node until another, random one has found it. */
  async find(skill: string): Promise<number> {
    const provider = this.any()
    const peer = provider.peerId.toString()
    const finder = this.any(provider)
    const begun = performance.now()
    provider.services.registry.offer(() => offerOf(skill))
    const signal = AbortSignal.timeout(LIMIT_MS)
    while (!signal.aborted) {
      for await (const { advert } of finder.services.registry.find(skill, { signal })) {
        if (advert.peer === peer) {
          const took = performance.now() - begun
          provider.services.registry.withdraw()
          return took
        }
      }
    }
    provider.services.registry.withdraw()
    return performance.now() - begun
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  private any(but?: Node): Node {
    const others = this.nodes.filter((node) => node !== but)
    const node = others[Math.floor(Math.random() * others.length)]
    if (node === undefined) {
      throw new Error('The swarm has no such node.')
    }
    return node
  }

  private async settle(): Promise<boolean> {
    const until = performance.now() + SETTLE_MOST_MS
    for (let isBusy = true; isBusy; ) {
      if (performance.now() > until) {
        return false
      }
      const before = performance.eventLoopUtilization()
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS))
      isBusy = performance.eventLoopUtilization(before).utilization > IDLE_ENOUGH
    }
    return true
  }

  private connections(): number {
    return this.connectionsEach().reduce((sum, count) => sum + count, 0)
  }
}

const elapsed = (begun: number) => Math.round((performance.now() - begun) / 1_000)

async function startNode(network: Network, index: number): Promise<Node> {
  const base = baseOptions({ privateKey: await generateKeyPair('Ed25519'), network, allowPrivate: true })
  return createLibp2p({
    ...base,
    start: true,
    addresses: { listen: [`/memory/discovery-${index}`] },
    transports: [memory()],
    connectionMonitor: { enabled: false }, // there are no proxies here to be kept awake
    connectionManager: {
      inboundConnectionThreshold: 10_000,
      maxIncomingPendingConnections: 10_000
    },
    services: { ...base.services, registry: swarmRegistry({ network }) }
  })
}

const offerOf = (skill: string): Offer => ({
  skills: [{ name: skill, version: '1.0.0', kernel: new Uint8Array(32), rate: 1_000 }],
  device: { backend: 'cpu', class: 'none' },
  load: 0,
  uptime: 0
})
