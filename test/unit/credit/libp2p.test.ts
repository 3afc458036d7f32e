import { lpStream } from '@libp2p/utils'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { auditExports, createLedger, type LedgerService } from '../../../src/credit/index.ts'
import { libp2pTransport } from '../../../src/credit/transport.ts'
import { createNode, FloodGate, type SwarmNode } from '../../../src/net/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { NETWORKS, type Network, networkOf, protocolId } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, SEED, testKey } from '../../fixtures/ledger-swarm.ts'

/** Two real libp2p nodes over WebSocket on the loopback interface. */
let network: Network
const nodes: SwarmNode[] = []
const ledgers: LedgerService[] = []

beforeEach(async () => {
  network = await networkOf(NETWORKS.local)
  for (const seed of [1, 2]) {
    const privateKey = await testKey(seed)
    const node = await createNode({ privateKey, network, relays: [], listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    nodes.push(node)
    const ledger = createLedger({ store: memoryStore(), key: privateKey, network, node })
    ledgers.push(ledger)
    await ledger.start()
  }
})
afterEach(async () => {
  await Promise.all(ledgers.splice(0).map((ledger) => ledger.stop()))
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
})

const pair = () => {
  const [requester, provider] = ledgers
  const [a, b] = nodes
  if (!requester || !provider || !a || !b) {
    throw new Error('two nodes')
  }
  return { requester, provider, a, b }
}

const open = (requester: LedgerService, provider: LedgerService) =>
  requester.openEscrow({
    jobId: new Uint8Array(16),
    channels: [{ peer: provider.peer, max: 500n }],
    inputRoot: new Uint8Array(32),
    tClose: Date.now() + HOUR
  })

test('a contract from escrow to claim over libp2p', async () => {
  const { requester, provider, a, b } = pair()
  await a.dial(b.getMultiaddrs())
  const { escrow, certifiedBy } = await open(requester, provider)
  expect(certifiedBy).toEqual([provider.peer])
  await provider.acceptReceipt(await requester.receipt(escrow, provider.peer, 300n), requester.peer)
  await requester.settle(escrow, [{ weight: 300n, payees: [0], quorum: 1 }], { seed: SEED })
  expect((await provider.balance()).settled).toBe(10_000_300n)
  const exports = await Promise.all([requester, provider].map((ledger) => ledger.exportLedger()))
  expect((await auditExports(exports, network)).balanced).toBe(true)
})

test('a payee that was disconnected is paid when the connection is back', async () => {
  const { requester, provider, a, b } = pair()
  await a.dial(b.getMultiaddrs())
  const { escrow } = await open(requester, provider)
  await provider.acceptReceipt(await requester.receipt(escrow, provider.peer, 200n), requester.peer)
  await a.hangUp(b.peerId)
  await eventually(() => expect(a.getPeers()).toEqual([]))
  const { votes } = await requester.settle(escrow, [{ weight: 200n, payees: [0], quorum: 1 }], { seed: SEED })
  expect(votes).toBe(0)
  await a.dial(b.getMultiaddrs())
  await eventually(async () => expect((await provider.balance()).settled).toBe(10_000_200n), 5_000)
})

test.each([
  ['garbage', Uint8Array.of(0xff, 0xff, 0xff)],
  ['an unknown message', Uint8Array.of(0xa1, 0x61, 0x74, 0x61, 0x78)]
])('%s ends its stream and nothing else', async (_, bytes) => {
  const { requester, provider, a, b } = pair()
  const connection = await a.dial(b.getMultiaddrs())
  const stream = await connection.newStream(protocolId(network.parameters, 'ledger'))
  const channel = lpStream(stream)
  await channel.write(bytes)
  await expect(channel.read({ signal: AbortSignal.timeout(5_000) })).rejects.toThrow()
  expect(stream.status).not.toBe('open')
  expect((await open(requester, provider)).certifiedBy).toHaveLength(1)
})

test('a peer that asks for too much at once is told so, and has nothing more checked', async () => {
  const { requester, provider, a, b } = pair()
  await provider.stop()
  const rate = { burst: 12, perSecond: 0 }
  const guarded = libp2pTransport(b, network, () => {}, new FloodGate(rate, rate))
  const asked: number[] = []
  await guarded.start({
    answer: async (_, message) => {
      asked.push(message.t === 'certify' ? message.tail.length : -1)
      return { t: 'ok' }
    },
    connected: () => {}
  })
  await a.dial(b.getMultiaddrs())
  const [record] = (await requester.exportLedger()).records
  if (record === undefined) {
    throw new Error('a genesis')
  }
  const ask = async (records: number) => {
    const tail = Array.from({ length: records }, () => record)
    const message = { t: 'certify' as const, record, tail, evidence: [] }
    const answer = await libp2pTransport(a, network, () => {}).call(
      provider.peer,
      message,
      AbortSignal.timeout(10_000)
    )
    return answer.t === 'refused' ? answer.code : answer.t
  }
  const answers = [await ask(0), await ask(1_000), await ask(0), await ask(1_000)]
  expect(answers).toEqual(['ok', 'BUSY', 'ok', 'BUSY'])
  expect(asked).toEqual([0, 0])
  await guarded.stop()
})

test('an answer is charged as well: a short question for much is not free', async () => {
  const { requester, provider, a, b } = pair()
  await provider.stop()
  const [record] = (await requester.exportLedger()).records
  if (record === undefined) {
    throw new Error('a genesis')
  }
  const rate = { burst: 12, perSecond: 0 }
  const guarded = libp2pTransport(b, network, () => {}, new FloodGate(rate, rate))
  await guarded.start({
    answer: async () => ({ t: 'records', tail: Array.from({ length: 200 }, () => record) }),
    connected: () => {}
  })
  await a.dial(b.getMultiaddrs())
  const asking = libp2pTransport(a, network, () => {})
  const ask = () =>
    asking.call(
      provider.peer,
      { t: 'records', author: requester.peer, after: -1 },
      AbortSignal.timeout(10_000)
    )
  expect(await ask()).toMatchObject({ t: 'records' })
  expect(await ask()).toMatchObject({ t: 'refused', code: 'BUSY' })
  await guarded.stop()
})
