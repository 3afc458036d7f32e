import { afterEach, describe, expect, test, vi } from 'vitest'
import { auditExports } from '../../../src/credit/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

async function open(count: number, seats: boolean) {
  swarm = await LedgerSwarm.create({ seats })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return peers as [TestPeer, TestPeer, ...TestPeer[]]
}

const settled = async (peer: TestPeer) => (await peer.ledger.balance()).settled
const booksOf = async (peers: readonly TestPeer[]) =>
  auditExports(await Promise.all(peers.map(({ ledger }) => ledger.exportLedger())), swarm.network, swarm.now)

describe.each([
  ['with witnesses', 5, true],
  ['between two peers', 2, false]
] as const)('a transfer %s', (_, count, seats) => {
  test('is taken once, and no credit is made or lost', async () => {
    const peers = await open(count, seats)
    const [giver, taker] = peers
    expect(await giver.ledger.transfer(taker.peer, 2_000_000n)).toMatchObject({ isTaken: true })
    await giver.ledger.maintain()
    expect(await settled(giver)).toBe(8_000_000n)
    expect(await settled(taker)).toBe(12_000_000n)
    expect(await booksOf(peers)).toMatchObject({ balanced: true, certifiedUnclaimed: 0n })
  })

  test('to a peer that is away is on its way, also over a restart', async () => {
    const peers = await open(count, seats)
    const [giver, taker] = peers
    swarm.away.add(taker.peer)
    expect(await giver.ledger.transfer(taker.peer, 50_000n)).toMatchObject({ isTaken: false })
    expect(await booksOf(peers)).toMatchObject({ balanced: true, certifiedUnclaimed: 50_000n })
    await giver.restart()
    await swarm.back(taker.peer)
    await eventually(async () => expect(await settled(taker)).toBe(10_050_000n))
    expect(await booksOf(peers)).toMatchObject({ balanced: true, certifiedUnclaimed: 0n })
  })

  test('of more than there is, of dust, or to oneself is refused', async () => {
    const [giver, taker] = await open(count, seats)
    const refusal = (to: TestPeer, amount: bigint) =>
      giver.ledger.transfer(to.peer, amount).then(
        () => 'given',
        (error: { code: string }) => error.code
      )
    expect(await refusal(taker, 10_000_001n)).toBe('INSUFFICIENT_CREDIT')
    expect(await refusal(taker, 9_999n)).toBe('BAD_RECORD')
    expect(await refusal(giver, 10_000n)).toBe('BAD_RECORD')
    expect(await settled(giver)).toBe(10_000_000n)
  })
})

test('a transfer that nobody took in time is lost, and the audit says so', async () => {
  const peers = await open(2, false)
  const [giver, taker] = peers
  swarm.away.add(taker.peer)
  await giver.ledger.transfer(taker.peer, 50_000n)
  swarm.now += 7 * 24 * HOUR + 1
  await swarm.back(taker.peer)
  await giver.ledger.maintain()
  expect(
    (await giver.store.table('contracts').entries()).filter(([key]) => key.startsWith('transfer/'))
  ).toEqual([])
  expect((await booksOf(peers)).forfeited).toBe(50_000n)
  expect((await booksOf(peers)).balanced).toBe(true)
})

test('a gift whose witnesses are gone for good is certified by those who sit after them, a day later', async () => {
  swarm = await LedgerSwarm.create({
    seats: true,
    rules: { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }
  })
  const [giver, taker] = [await swarm.add(1), await swarm.add(2)]
  const old: TestPeer[] = [await swarm.add(3), await swarm.add(4)]
  swarm.away.add(taker.peer)
  const deliver = swarm.deliver.bind(swarm)
  const gone = vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
    if (request.t === 'certify') {
      for (const { peer } of old) {
        swarm.away.add(peer)
      }
    }
    return deliver(from, to, request, signal)
  })
  expect(await giver.ledger.transfer(taker.peer, 2_000_000n)).toMatchObject({ isTaken: false })
  gone.mockRestore()
  const others = [await swarm.add(5), await swarm.add(6)] as const
  swarm.now += 60_001
  await giver.escrow([[others[0], 10n]]) // its new seat has followed the chain, and will not vote on the gift yet
  await swarm.back(taker.peer)
  await giver.ledger.maintain()
  expect(await settled(taker)).toBe(10_000_000n)
  const last = swarm.logs.filter((line) => line.includes('is not taken yet')).at(-1)
  expect(last).toContain('witnesses have voted')

  swarm.now += 24 * HOUR
  await giver.ledger.maintain()
  await eventually(async () => expect(await settled(taker)).toBe(12_000_000n))
  const books = await booksOf([giver, taker, ...others])
  expect(books).toMatchObject({ balanced: true, certifiedUnclaimed: 0n })
})
