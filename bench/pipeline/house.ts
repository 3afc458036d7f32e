import { generateKeyPair } from '@libp2p/crypto/keys'
import { memory } from '@libp2p/memory'
import { multiaddr } from '@multiformats/multiaddr'
import { createInlineEngine } from '../../src/compute/index.ts'
import type { Swarm } from '../../src/index.ts'
import { kernelHash, SKILLS } from '../../src/skills/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import { openSwarm } from '../../src/swarm/sdk/index.ts'
import { Counter } from './counted.ts'

export interface PipelineHouse extends AsyncDisposable {
  readonly requester: Swarm
  /** What went through the requester. */
  readonly counter: Counter
}

/** A requester whose bytes are counted, and providers, in this process. */
export async function openHouse(providers: number): Promise<PipelineHouse> {
  const counter = new Counter()
  const addresses: string[] = []
  const start = async () => {
    const before = [...addresses]
    const address = `/memory/bench-${before.length}`
    addresses.push(address)
    return openSwarm(
      { network: 'local', relays: [], listen: [address], workers: 1 },
      {
        store: memoryStore(),
        key: await generateKeyPair('Ed25519'),
        transports: [before.length === 0 ? counter.count(memory()) : memory()],
        createEngine: () => createInlineEngine(SKILLS, kernelHash),
        onNode: async (node) => {
          await Promise.all(before.map((other) => node.dial(multiaddr(other))))
        }
      }
    )
  }
  const requester = await start()
  const others: Swarm[] = []
  for (let i = 0; i < providers; i++) {
    others.push(await start())
  }
  await Promise.all(others.map((other) => other.contribute()))
  await known(requester, providers)
  return {
    requester,
    counter,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([requester, ...others].map((peer) => peer.stop()))
    }
  }
}

function known(requester: Swarm, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (requester.status.peers.filter(({ skills }) => skills.length > 0).length >= count) {
        end()
        resolve()
      }
    }
    const end = requester.on('change', look)
    look()
  })
}
