import { afterEach, beforeEach, expect, test } from 'vitest'
import { auditExports, createLedger, createVoter, type LedgerService } from '../../../src/credit/index.ts'
import { createNode, type SwarmNode } from '../../../src/net/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { NETWORKS, type Network, networkOf, protocolId } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, SEED, testKey } from '../../fixtures/ledger-swarm.ts'

/** A requester, a payee and two that only vote, as real libp2p nodes on the loopback interface. */
let network: Network
let now: number
let requester: LedgerService
let payee: LedgerService
const nodes: SwarmNode[] = []
const stops: Array<() => Promise<void>> = []

beforeEach(async () => {
  network = await networkOf(NETWORKS.main)
  now = Date.now()
  const start = async (seed: number) => {
    const privateKey = await testKey(seed)
    const node = await createNode({ privateKey, network, relays: [], listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    for (const other of nodes) {
      await node.dial(other.getMultiaddrs())
    }
    nodes.push(node)
    return { store: memoryStore(), key: privateKey, network, node, now: () => now }
  }
  for (const seed of [3, 4]) {
    const voter = createVoter(await start(seed))
    await voter.start()
    stops.push(voter.stop)
  }
  const ledgers = [createLedger(await start(2)), createLedger(await start(1))]
  for (const ledger of ledgers) {
    await ledger.start()
    stops.push(() => ledger.stop())
  }
  const [first, second] = ledgers
  if (!first || !second) {
    throw new Error('two ledgers')
  }
  ;[payee, requester] = [first, second]
})
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
})

const open = () =>
  requester.openEscrow({
    jobId: new Uint8Array(16),
    channels: [{ peer: payee.peer, max: 500n }],
    inputRoot: new Uint8Array(32),
    tClose: now + HOUR
  })

test('a contract is certified by a quorum over libp2p', async () => {
  await eventually(async () => {
    const { escrow, certifiedBy } = await open()
    expect(certifiedBy).toEqual([payee.peer])
    const releases = new Map([[payee.peer, await payee.release(escrow)]])
    const settlement = await requester.settle(escrow, [], { seed: SEED, releases })
    expect(settlement.certainty).toBe('witnessed') // once those who vote are known as such
  }, 5_000)
  const { escrow } = await open()
  await payee.acceptReceipt(await requester.receipt(escrow, payee.peer, 300n), requester.peer)
  const releases = new Map([[payee.peer, await payee.release(escrow)]])
  const groups = [{ weight: 300n, payees: [0], quorum: 1 }]
  expect(await requester.settle(escrow, groups, { seed: SEED, releases })).toMatchObject({
    certainty: 'witnessed',
    votes: 2
  })
  expect((await payee.balance()).settled).toBe(10_000_300n)
  const exports = await Promise.all([requester, payee].map((ledger) => ledger.exportLedger()))
  expect((await auditExports(exports, network)).balanced).toBe(true)
})

test.each([3, 2])('a payee whose requester is gone is paid by its seat of %i after tClose', async (size) => {
  if (size === 2) {
    await nodes[1]?.stop() // one that only votes is left, and the payee itself
  }
  await eventually(async () => {
    const present = new Set(nodes[3]?.getPeers().map(String))
    const known = (await nodes[3]?.peerStore.all()) ?? []
    const voters = known.filter(
      ({ id, protocols }) =>
        present.has(id.toString()) && protocols.includes(protocolId(network.parameters, 'ledger'))
    )
    expect(voters).toHaveLength(size)
    expect(voters.map(({ id }) => id.toString())).toContain(payee.peer)
  }, 5_000)
  const { escrow, tClose } = await open()
  await payee.acceptReceipt(await requester.receipt(escrow, payee.peer, 200n), requester.peer)
  const node = nodes.pop()
  await requester.stop()
  await node?.stop()
  await eventually(async () => {
    await payee.maintain()
    now = tClose
    await payee.maintain()
    expect((await payee.balance()).settled).toBe(10_000_200n)
  }, 10_000)
})
