/**
 * The registry in a js-libp2p application of its own: three nodes that know nothing else of this package. One offers
 * translation, one joins later and finds it, without having met it before.
 *
 * Run it: `npx node examples/registry-alone/run.ts`
 */

import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { NETWORKS, networkOf, swarmRegistry } from '../../src/registry/index.ts' // for you: 'swarmharness/registry'

// A network of your own: the name stands in protocol ids and DHT keys, and its hash in every advert.
const network = await networkOf({ ...NETWORKS.local, name: 'translators' })

const startNode = (name: string) =>
  createLibp2p({
    addresses: { listen: [`/memory/${name}`] },
    transports: [memory()], // in this process; TCP, WebSockets or WebRTC elsewhere
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      identify: identify(),
      identifyPush: identifyPush(), // or the others never learn that a node speaks the DHT
      ping: ping(),
      dht: kadDHT({ clientMode: false, peerInfoMapper: passthroughMapper, initialQuerySelfInterval: 100 }),
      registry: swarmRegistry({ network })
    }
  })

/** @returns the peers that were found to translate */
export async function run(log: (line: string) => void): Promise<string[]> {
  const [meeting, translator] = await Promise.all(['meeting-point', 'translator'].map(startNode))
  if (meeting === undefined || translator === undefined) {
    throw new Error('Two nodes were started.')
  }
  await translator.dial(meeting.getMultiaddrs())

  const begun = Date.now()
  translator.services.registry.offer(() => ({
    // `kernel` says which program it is: 32 bytes, such as the SHA-256 of its code
    skills: [{ name: 'translate', version: '2.1.0', kernel: new Uint8Array(32).fill(1), rate: 1_000 }],
    device: { backend: 'cpu', class: 'cpu-8', memory: 2 ** 30 },
    load: 0,
    uptime: Math.floor((Date.now() - begun) / 1_000)
  }))

  const visitor = await startNode('visitor')
  await visitor.dial(meeting.getMultiaddrs())
  const constraints = { version: '2.1.0', priceMax: 1_500, memoryMin: 2 ** 28 }
  const found = new Set<string>()
  const deadline = AbortSignal.timeout(10_000)
  while (found.size === 0 && !deadline.aborted) {
    for await (const { advert, latencyMs } of visitor.services.registry.find('translate', {
      constraints,
      signal: deadline
    })) {
      log(`${advert.peer} translates for ${advert.skills[0]?.rate}, and answered in ${latencyMs} ms`)
      found.add(advert.peer)
    }
  }
  await Promise.all([meeting, translator, visitor].map((node) => node.stop()))
  return [...found]
}

if (import.meta.main) {
  await run(console.log)
}
