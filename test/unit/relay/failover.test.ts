import { generateKeyPair } from '@libp2p/crypto/keys'
import { describe, expect, test } from 'vitest'
import { connectDirect, createNode, type SwarmNode, watchRelays } from '../../../src/net/index.ts'
import { type SwarmRegistry, swarmRegistry } from '../../../src/registry/index.ts'
import { type PeerIdString, protocolId } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { offerOf } from '../../fixtures/memory-swarm.ts'
import { cleanups, network, startRelay } from '../../fixtures/started-relay.ts'

type Node = SwarmNode<{ registry: SwarmRegistry }>

const SKILL = 'matmul-i8'
const JOB = protocolId(network.parameters, 'job')

/** A node with its registry, reserved at all of these relays. @param listen where it can be reached without a relay */
async function join(relays: readonly string[], listen: readonly string[] = []): Promise<Node> {
  const node = await createNode({
    privateKey: await generateKeyPair('Ed25519'),
    network,
    relays,
    listen,
    services: { registry: swarmRegistry({ network }) }
  })
  cleanups.push(() => node.stop())
  const watchdog = watchRelays(node, relays)
  await eventually(() => expect(watchdog.reserved).toBe(relays.length))
  return node
}

// our own keys are Ed25519: their text is what the brand stands for
const idOf = (node: Node) => node.peerId.toString() as PeerIdString

/** Looks until everybody who is wanted has been found. */
const finds = (seeker: Node, wanted: readonly Node[]) =>
  eventually(async () => {
    const found = new Set<string>()
    for await (const { advert } of seeker.services.registry.find(SKILL)) {
      found.add(advert.peer)
    }
    expect([...found].sort()).toEqual(wanted.map(idOf).sort())
  })

// each waits for several things in turn
describe('of two relays one is killed:', { timeout: 90_000 }, () => {
  test('who has met goes on, and a newcomer that knows only the other one finds and hires them', async () => {
    const [doomed, other] = [await startRelay(), await startRelay()]
    const both = [...doomed.multiaddrs, ...other.multiaddrs]
    const reachable = await join(both, ['/ip4/127.0.0.1/tcp/0/ws'])
    const hidden = await join(both)
    const requester = await join(both)
    for (const provider of [reachable, hidden]) {
      await provider.handle(JOB, (stream) => void stream.send(new Uint8Array([1])))
      provider.services.registry.offer(() => offerOf(SKILL))
    }
    await finds(requester, [reachable, hidden])
    const standing = await connectDirect(requester, idOf(reachable))
    await doomed.stop()

    await standing.newStream(JOB)
    await finds(requester, [reachable, hidden])
    const newcomer = await join(other.multiaddrs)
    await finds(newcomer, [reachable, hidden])
    const hired = await connectDirect(newcomer, idOf(reachable))
    await hired.newStream(JOB)
  })

  test('who knew only that one is found through those who knew both, as long as it stays connected', async () => {
    const [doomed, other] = [await startRelay(), await startRelay()]
    const bridge = await join([...doomed.multiaddrs, ...other.multiaddrs], ['/ip4/127.0.0.1/tcp/0/ws'])
    const orphan = await join(doomed.multiaddrs, ['/ip4/127.0.0.1/tcp/0/ws'])
    orphan.services.registry.offer(() => offerOf(SKILL))
    await finds(bridge, [orphan])
    await connectDirect(bridge, idOf(orphan))
    await doomed.stop()

    const newcomer = await join(other.multiaddrs)
    await finds(newcomer, [orphan])
  })
})
