import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { auditExports } from '../../../src/credit/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
let requester: TestPeer
let first: TestPeer
let second: TestPeer

beforeEach(async () => {
  swarm = await LedgerSwarm.create()
  ;[requester, first, second] = [await swarm.add(1), await swarm.add(2), await swarm.add(3)]
})
afterEach(() => swarm.stop())

const audited = async (...peers: TestPeer[]) =>
  auditExports(await Promise.all(peers.map(({ ledger }) => ledger.exportLedger())), swarm.network)

const settled = async (peer: TestPeer) => (await peer.ledger.balance()).settled

describe('a contract', () => {
  test('pays what was verified, refunds the rest, and the books balance at every step', async () => {
    const contract = await requester.escrow([
      [first, 3_000n],
      [second, 2_000n]
    ])
    expect([...contract.certifiedBy].sort()).toEqual([first.peer, second.peer].sort())
    expect(await requester.ledger.balance()).toMatchObject({ settled: 9_995_000n, escrowed: 5_000n })
    expect(await first.ledger.earning(contract.escrow)).toMatchObject({
      payer: requester.peer,
      max: 3_000n,
      receipted: 0n
    })
    expect((await audited(requester, first, second)).balanced).toBe(true)

    const receipt = await requester.ledger.receipt(contract.escrow, first.peer, 1_000n)
    expect(await first.ledger.acceptReceipt(receipt, requester.peer)).toBe(1_000n)
    expect((await first.ledger.balance()).verified).toBe(1_000n)

    const settlement = await requester.ledger.settle(
      contract.escrow,
      [
        { weight: 1_000n, payees: [0], quorum: 1 },
        { weight: 301n, payees: [0, 1], quorum: 2 }
      ],
      { seed: SEED }
    )
    const [a = 0n, b = 0n] = settlement.payouts.map(({ amount }) => amount)
    expect(a + b).toBe(1_301n)
    expect([1_150n, 1_151n]).toContain(a)
    expect(settlement.refund).toBe(3_699n)
    expect(settlement.votes).toBe(2)
    expect(await settled(requester)).toBe(10_000_000n - 1_301n)
    expect(await settled(first)).toBe(10_000_000n + a)
    expect(await settled(second)).toBe(10_000_000n + b)
    expect((await first.ledger.balance()).verified).toBe(0n)
    expect(await audited(requester, first, second)).toMatchObject({
      balanced: true,
      minted: 30_000_000n,
      balances: 30_000_000n,
      openEscrows: 0n,
      certifiedUnclaimed: 0n
    })
  })

  test('is refused when the credit does not suffice, and nothing is locked', async () => {
    await expect(requester.escrow([[first, 10_000_001n]])).rejects.toMatchObject({
      code: 'INSUFFICIENT_CREDIT',
      details: { needed: '10000001', available: '10000000' }
    })
    expect(await requester.ledger.balance()).toMatchObject({ settled: 10_000_000n, escrowed: 0n })
  })

  test('with nobody who answers is refunded exactly', async () => {
    swarm.away.add(first.peer)
    await expect(requester.escrow([[first, 500n]])).rejects.toMatchObject({
      code: 'NO_VOTES',
      retryable: true
    })
    expect(await requester.ledger.balance()).toMatchObject({ settled: 10_000_000n, escrowed: 0n })
  })

  test('pays no less than was receipted, whatever the groups say', async () => {
    const { escrow } = await requester.escrow([[first, 3_000n]])
    const receipt = await requester.ledger.receipt(escrow, first.peer, 700n)
    await first.ledger.acceptReceipt(receipt, requester.peer)
    const { payouts, votes } = await requester.ledger.settle(
      escrow,
      [{ weight: 300n, payees: [0], quorum: 1 }],
      { seed: SEED }
    )
    expect(payouts).toEqual([{ peer: first.peer, amount: 700n }])
    expect(votes).toBe(1)
  })

  test('refuses a split above a channel and stays open for a right one', async () => {
    const { escrow } = await requester.escrow([[first, 300n]])
    const settle = (weight: bigint) =>
      requester.ledger.settle(escrow, [{ weight, payees: [0], quorum: 1 }], { seed: SEED })
    await expect(settle(301n)).rejects.toMatchObject({ code: 'BAD_SPLIT' })
    await requester.ledger.receipt(escrow, first.peer, 10n)
    await settle(300n)
    await expect(settle(300n)).rejects.toMatchObject({ code: 'UNKNOWN_ESCROW' })
    await expect(requester.ledger.receipt(escrow, first.peer, 20n)).rejects.toMatchObject({
      code: 'UNKNOWN_ESCROW'
    })
  })

  test('of many payees and kinds of units settles too, within the size of a record', async () => {
    const payees = await Promise.all(Array.from({ length: 12 }, (_, i) => swarm.add(20 + i)))
    const { escrow } = await requester.escrow(payees.map((payee) => [payee, 1_000n] as const))
    const groups = Array.from({ length: 400 }, (_, i) => ({
      weight: BigInt(i % 7),
      payees: payees.map((_, p) => p).filter((p) => (i >> (p % 9)) & 1 || p === i % 12),
      quorum: 1
    }))
    const settlement = await requester.ledger.settle(escrow, groups, { seed: SEED })
    const paid = settlement.payouts.reduce((sum, { amount }) => sum + amount, 0n)
    expect(paid).toBe(groups.reduce((sum, { weight }) => sum + weight, 0n))
    expect((await audited(requester, ...payees)).balanced).toBe(true)
  })

  test('many at a time keep one order with each payee', async () => {
    const contracts = await Promise.all(
      Array.from({ length: 8 }, () =>
        requester.escrow([
          [first, 100n],
          [second, 100n]
        ])
      )
    )
    expect(contracts.map(({ certifiedBy }) => certifiedBy.length)).toEqual(new Array(8).fill(2))
    await Promise.all(
      contracts.map(({ escrow }) =>
        requester.ledger.settle(escrow, [{ weight: 60n, payees: [0, 1], quorum: 1 }], { seed: SEED })
      )
    )
    expect(await settled(first)).toBe(10_000_240n)
    expect((await audited(requester, first, second)).balanced).toBe(true)
  })
})

describe('a payee that was away', () => {
  test('gets its certificate when it comes back', async () => {
    const { escrow } = await requester.escrow([
      [first, 1_000n],
      [second, 1_000n]
    ])
    const receipt = await requester.ledger.receipt(escrow, second.peer, 400n)
    await second.ledger.acceptReceipt(receipt, requester.peer)
    swarm.away.add(second.peer)
    const { votes } = await requester.ledger.settle(
      escrow,
      [
        { weight: 500n, payees: [0], quorum: 1 },
        { weight: 400n, payees: [1], quorum: 1 }
      ],
      { seed: SEED }
    )
    expect(votes).toBe(1)
    expect(await audited(requester, first, second)).toMatchObject({
      balanced: true,
      certifiedUnclaimed: 400n
    })
    const changed = Promise.withResolvers<void>()
    second.ledger.onChange(changed.resolve)
    await swarm.back(second.peer)
    await changed.promise
    expect(await second.ledger.balance()).toMatchObject({ settled: 10_000_400n, verified: 0n })
    expect(await audited(requester, first, second)).toMatchObject({ balanced: true, certifiedUnclaimed: 0n })
  })

  test('loses a payout after the claim window, and the audit says so', async () => {
    const { escrow, tClose } = await requester.escrow([[first, 1_000n]])
    swarm.away.add(first.peer)
    await requester.ledger.settle(escrow, [{ weight: 900n, payees: [0], quorum: 1 }], { seed: SEED })
    swarm.now = tClose + 8 * 24 * HOUR + 1
    await swarm.back(first.peer)
    await eventually(() => expect(swarm.logs.join()).toContain('The payout could be claimed from'))
    const exports = await Promise.all([requester, first].map(({ ledger }) => ledger.exportLedger()))
    expect(await auditExports(exports, swarm.network, swarm.now)).toMatchObject({
      balanced: true,
      forfeited: 900n
    })
  })

  test('is paid after its own restart', async () => {
    const { escrow } = await requester.escrow([[first, 1_000n]])
    await first.ledger.acceptReceipt(await requester.ledger.receipt(escrow, first.peer, 300n), requester.peer)
    await first.ledger.stop()
    await requester.ledger.settle(escrow, [{ weight: 300n, payees: [0], quorum: 1 }], { seed: SEED })
    await first.restart()
    await eventually(async () => expect(await settled(first)).toBe(10_000_300n))
  })
})

describe('a requester that was killed', () => {
  test('settles what it had receipted when it starts again, and the payee asks for it', async () => {
    const { escrow } = await requester.escrow([
      [first, 1_000n],
      [second, 500n]
    ])
    const receipt = await requester.ledger.receipt(escrow, first.peer, 250n)
    await first.ledger.acceptReceipt(receipt, requester.peer)
    await requester.restart()
    expect(await requester.ledger.balance()).toMatchObject({ settled: 9_999_750n, escrowed: 0n })
    await swarm.back(requester.peer)
    await eventually(async () => expect(await settled(first)).toBe(10_000_250n))
    expect((await audited(requester, first, second)).balanced).toBe(true)
  })

  test('goes on counting what it ever receipted to a peer', async () => {
    const { escrow } = await requester.escrow([[first, 1_000n]])
    await requester.ledger.receipt(escrow, first.peer, 250n)
    await requester.restart()
    await requester.restart()
    const next = await requester.escrow([[first, 1_000n]])
    const receipt = await requester.ledger.receipt(next.escrow, first.peer, 100n)
    const { decode } = await import('@ipld/dag-cbor')
    expect(decode<{ pairTotal: number }>(receipt.payload).pairTotal).toBe(350)
  })
})
