import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { memory } from '@libp2p/memory'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import { createInlineEngine } from '../../../src/compute/index.ts'
import { auditExports } from '../../../src/credit/index.ts'
import { matmulI8, type Swarm } from '../../../src/index.ts'
import type { SwarmNode } from '../../../src/net/index.ts'
import { kernelHash, SKILLS } from '../../../src/skills/index.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { decodeStrict, NETWORKS, networkOf, record, SIGNED_PAYLOAD_MAX } from '../../../src/wire/index.ts'
import { copyStore } from '../../fixtures/copy-store.ts'
import { isProduct, product } from '../../fixtures/node-house.ts'

interface House {
  readonly swarm: Swarm
  readonly address: string
  dial(address: string): Promise<unknown>
}

const open: Swarm[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((swarm) => swarm.stop()))
})

let opened = 0

/** A whole node over libp2p's memory transport. */
async function node(seed: number, dials: readonly House[], store: Store = memoryStore()): Promise<House> {
  const address = `/memory/heal-${++opened}`
  let up: SwarmNode | undefined
  const swarm = await openSwarm(
    { network: 'local', relays: [], listen: [address], workers: 1, backend: 'cpu' },
    {
      store,
      key: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)),
      transports: [memory()],
      createEngine: () => createInlineEngine(SKILLS, kernelHash),
      onNode: async (made) => {
        up = made
      }
    }
  )
  open.push(swarm)
  const house = { swarm, address, dial: async (to: string) => up?.dial(multiaddr(to)) }
  for (const other of dials) {
    await house.dial(other.address)
  }
  return house
}

const input = product(64)

async function hire(requester: Swarm, provider: Swarm): Promise<bigint> {
  const job = requester.submit(matmulI8, input, { providers: [provider.peer], units: 2 })
  const { value, receipt } = await job.result
  expect(isProduct(value, input)).toBe(true)
  return receipt.paid
}

const kindsOf = async (swarm: Swarm) =>
  (await swarm.exportLedger()).records.map(
    ({ payload }) => decodeStrict(payload, record, SIGNED_PAYLOAD_MAX).kind
  )

test('a copied profile that has hired on its own finds what the other one did, and both are paid for', async () => {
  const [first] = [await node(101, [])]
  const others = [first]
  for (const seed of [102, 103, 104]) {
    others.push(await node(seed, others))
  }
  await first.swarm.contribute()
  const store = memoryStore()
  const original = await node(100, others, store)
  let paid = await hire(original.swarm, first.swarm)
  const copied = await copyStore(store)
  paid += await hire(original.swarm, first.swarm)
  await original.swarm.stop()

  const outsider = await node(105, [])
  await outsider.swarm.contribute()
  const copy = await node(100, [outsider], copied)
  paid += await hire(copy.swarm, outsider.swarm)
  expect(await kindsOf(copy.swarm)).not.toContain('heal')

  for (const other of others) {
    await copy.dial(other.address)
  }
  await expect.poll(() => kindsOf(copy.swarm), { timeout: 30_000 }).toContain('heal')
  paid += await hire(copy.swarm, first.swarm)
  await expect.poll(() => copy.swarm.status.balance.settled, { timeout: 10_000 }).toBe(10_000_000n - paid)
  const ledgers = await Promise.all([copy, outsider, ...others].map(({ swarm }) => swarm.exportLedger()))
  const books = await auditExports(ledgers, await networkOf(NETWORKS.local))
  expect(books).toMatchObject({ balanced: true, debt: 0n, openEscrows: 0n })
}, 60_000)
