import { afterEach, describe, expect, test, vi } from 'vitest'
import { auditExports } from '../../../src/credit/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** Peers that sit as each other's witnesses; strict rules, as on `main`, where a test does not say otherwise. */
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

let swarm: LedgerSwarm
const open = async (count: number, rules = {}) => {
  swarm = await LedgerSwarm.create({ seats: true, rules })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return peers as [TestPeer, TestPeer, TestPeer, ...TestPeer[]]
}
afterEach(() => swarm.stop())

const audited = async (...peers: TestPeer[]) =>
  auditExports(await Promise.all(peers.map(({ ledger }) => ledger.exportLedger())), swarm.network, swarm.now)
const settled = async (peer: TestPeer) => (await peer.ledger.balance()).settled
const one = (weight: bigint) => [{ weight, payees: [0], quorum: 1 }]

/** A receipt given and taken. */
async function receipted(
  requester: TestPeer,
  payee: TestPeer,
  escrow: Awaited<ReturnType<TestPeer['escrow']>>['escrow'],
  amount: bigint
) {
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, amount), requester.peer)
}

describe('a job in a swarm of', () => {
  test.each([2, 3, 4, 5, 8])('%i peers is certified by a quorum of witnesses', async (count) => {
    const [requester, payee, ...others] = await open(count, STRICT)
    for (let job = 0; job < 3; job++) {
      const { escrow, certifiedBy } = await requester.escrow([[payee, 1_000n]])
      expect(certifiedBy).toEqual([payee.peer])
      await receipted(requester, payee, escrow, 600n)
      const releases = new Map([[payee.peer, await payee.ledger.release(escrow)]])
      const settlement = await requester.ledger.settle(escrow, one(600n), { seed: SEED, releases })
      expect(settlement).toMatchObject({ certainty: 'witnessed', refund: 400n })
    }
    expect(await settled(payee)).toBe(10_001_800n)
    expect(await audited(requester, payee, ...others)).toMatchObject({
      balanced: true,
      openEscrows: 0n,
      certifiedUnclaimed: 0n
    })
  })
})

describe('a requester that falls silent', () => {
  test.each([3, 5])('does not rob its provider, in a swarm of %i', async (count) => {
    const [requester, payee, ...others] = await open(count, STRICT)
    const { escrow, tClose } = await requester.escrow([[payee, 1_000n]])
    await receipted(requester, payee, escrow, 700n)
    swarm.away.add(requester.peer)
    await payee.ledger.maintain() // it lodges
    expect(await settled(payee)).toBe(10_000_000n)
    swarm.now = tClose - 1
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_000n)
    swarm.now = tClose
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_700n)
    expect(await audited(requester, payee, ...others)).toMatchObject({ balanced: true, openEscrows: 300n })

    // and when it comes back it can settle for no less, and nobody is paid twice
    swarm.away.clear()
    await requester.restart()
    await eventually(async () => {
      await requester.ledger.maintain()
      expect(await requester.ledger.balance()).toMatchObject({ escrowed: 0n, settled: 9_999_300n })
    })
    await swarm.back(requester.peer)
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_700n)
    expect(await audited(requester, payee, ...others)).toMatchObject({ balanced: true, openEscrows: 0n })
  })

  test('cannot be paid round by a settle below a lodged receipt', async () => {
    const [requester, payee] = await open(5, { ...STRICT, seatPatienceMs: 100 })
    const { escrow, tClose } = await requester.escrow([[payee, 1_000n]])
    await receipted(requester, payee, escrow, 700n)
    swarm.away.add(requester.peer)
    await payee.ledger.maintain()
    swarm.away.clear()
    // it forgets what it receipted
    for (const [key] of await requester.store.table('contracts').entries()) {
      await requester.store.table('contracts').delete(key)
    }
    swarm.now = tClose
    await requester.restart()
    await eventually(async () => expect((await requester.ledger.balance()).escrowed).toBe(0n))
    await eventually(() => expect(swarm.logs.join()).toContain('UNDERPAID'))
    await payee.ledger.maintain()
    swarm.now += 60_000
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_700n)
    await requester.ledger.maintain()
    await expect(requester.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'NO_VOTES' })
  })
})

describe('a provider that falls silent', () => {
  test('does not freeze its requester beyond tClose, nor anything else before', async () => {
    const [requester, payee, other, ...others] = await open(5, STRICT)
    const { escrow, tClose } = await requester.escrow([
      [payee, 1_000n],
      [other, 1_000n]
    ])
    await receipted(requester, payee, escrow, 300n)
    await receipted(requester, other, escrow, 500n)
    swarm.away.add(payee.peer)
    const releases = new Map([[other.peer, await other.ledger.release(escrow)]])
    const groups = [...one(300n), { weight: 500n, payees: [1], quorum: 1 }]
    const pending = await requester.ledger.settle(escrow, groups, { seed: SEED, releases })
    expect(pending).toMatchObject({ certainty: 'pending', settle: undefined, refund: 1_200n })
    expect(await requester.ledger.balance()).toMatchObject({ escrowed: 2_000n, settled: 9_998_000n })
    await requester.escrow([[other, 100n]]) // the rest is free to spend

    swarm.now = tClose
    await requester.ledger.maintain()
    await eventually(async () => expect(await settled(other)).toBe(10_000_500n))
    expect(await settled(requester)).toBe(9_999_100n)
    await swarm.back(payee.peer)
    await eventually(async () => expect(await settled(payee)).toBe(10_000_300n))
    expect((await audited(requester, payee, other, ...others)).balanced).toBe(true)
  })

  test('is paid at once what was receipted where nobody waits', async () => {
    const [requester, payee, ...others] = await open(3)
    const { escrow } = await requester.escrow([[payee, 1_000n]])
    await receipted(requester, payee, escrow, 300n)
    const [third] = others
    swarm.away.add(payee.peer)
    const settlement = await requester.ledger.settle(escrow, one(300n), { seed: SEED })
    expect(settlement.certainty).toBe('pending') // one of the two witnesses is the payee
    expect(await settled(requester)).toBe(9_999_700n)
    await swarm.back(payee.peer)
    await eventually(async () => expect(await settled(payee)).toBe(10_000_300n))
    expect(await audited(requester, payee, third)).toMatchObject({ balanced: true, openEscrows: 0n })
  })
})

describe('witnesses that vanish', () => {
  test('freeze nobody: others take their place, and the next job goes on', async () => {
    const [requester, payee, a, b, c] = await open(5, { seatPatienceMs: 4_000 })
    await requester.escrow([[payee, 10n]])
    if (!b || !c) {
      throw new Error('five peers')
    }
    for (const gone of [a, b]) {
      swarm.away.add(gone.peer)
    }
    const waiting = requester.escrow([[payee, 20n]])
    await eventually(() => {
      swarm.now += 1_000 // four witnesses, two are gone: time passes until they are given up
      expect(swarm.now).toBeGreaterThan(1_800_000_010_000)
    })
    expect((await waiting).certifiedBy).toEqual([payee.peer])
    const { records } = await requester.ledger.exportLedger()
    expect((await audited(requester, payee, a, b, c)).balanced).toBe(true)
    expect(records).toHaveLength(5) // genesis, seat, escrow, seat, escrow
  })

  test('one after the other are replaced with the votes of those who are there', async () => {
    const [requester, payee, a, b, c, d] = await open(6, { seatPatienceMs: 4_000 })
    await requester.escrow([[payee, 10n]])
    for (const gone of [a, b, c]) {
      swarm.away.clear()
      if (!gone || !d) {
        throw new Error('six peers')
      }
      swarm.away.add(gone.peer)
      await requester.ledger.maintain()
      swarm.now += 5_000
      await requester.ledger.maintain()
    }
    await requester.escrow([[payee, 20n]])
    const seats = (await decoded(requester)).filter(({ kind }) => kind === 'seat')
    expect(seats.length).toBeGreaterThan(2)
    expect(seats.slice(1).every(({ body }) => body.unsure === false && body.votes.length >= 3)).toBe(true)
    expect((await audited(requester)).balanced).toBe(true)
  })

  test('and seem to be there still, while a larger seat could be filled: the next job goes on', async () => {
    const [requester, payee, witness] = await open(3, { seatPatienceMs: 4_000 })
    await requester.escrow([[payee, 10n]])
    const deliver = swarm.deliver.bind(swarm)
    const dead = vi.spyOn(swarm, 'deliver').mockImplementation((from, to, request, signal) => {
      if (to !== payee.peer) {
        return deliver(from, to, request, signal)
      }
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    })
    const newcomer = await swarm.add(9)
    await requester.ledger.maintain() // the seat of three gets one vote of two
    const waiting = requester.escrow([[newcomer, 20n]])
    const clock = setInterval(() => {
      swarm.now += 500
    }, 50)
    expect((await waiting).certifiedBy).toEqual([newcomer.peer])
    clearInterval(clock)
    dead.mockRestore()
    expect((await audited(requester, payee, witness, newcomer)).balanced).toBe(true)
  })

  test('with an escrow open: its author has the rest back a day after tClose, under a new seat', async () => {
    const [requester, payee, a, b] = await open(4, STRICT)
    const { escrow, tClose } = await requester.escrow([[payee, 1_000n]])
    await receipted(requester, payee, escrow, 400n)
    const releases = new Map([[payee.peer, await payee.ledger.release(escrow)]])
    if (!b) {
      throw new Error('four peers')
    }
    swarm.away.add(a.peer).add(b.peer)
    const settlement = await requester.ledger.settle(escrow, one(400n), { seed: SEED, releases })
    expect(settlement.certainty).toBe('pending')
    expect(await settled(payee)).toBe(10_000_000n)
    swarm.now = tClose + 24 * HOUR
    const next = requester.escrow([[payee, 1n]])
    await next
    await requester.ledger.maintain()
    await eventually(async () => expect(await settled(payee)).toBeGreaterThan(10_000_000n - 100_000n + 400n))
    expect(await audited(requester, payee)).toMatchObject({ balanced: true, openEscrows: 1n })
  })

  test('all of them: two peers go on with their own signatures', async () => {
    const [requester, payee, a] = await open(3, { seatPatienceMs: 4_000 })
    await requester.escrow([[payee, 10n]])
    swarm.seats = false
    swarm.away.add(a.peer)
    const waiting = requester.escrow([[payee, 20n]])
    await eventually(() => {
      swarm.now += 1_000
      expect(swarm.now).toBeGreaterThan(1_800_000_010_000)
    })
    const { escrow } = await waiting
    await receipted(requester, payee, escrow, 5n)
    const settlement = await requester.ledger.settle(escrow, one(5n), { seed: SEED })
    expect(settlement.certainty).toBe('detection-only')
    expect(await settled(payee)).toBe(10_000_005n)
  })
})

test('everybody gone, and back two days later: all are paid, the rest is refunded, the books balance', async () => {
  const [requester, payee, ...others] = await open(5, STRICT)
  const { escrow } = await requester.escrow([[payee, 1_000n]])
  await receipted(requester, payee, escrow, 600n)
  const everybody = [requester, payee, ...others]
  await Promise.all(everybody.map(({ ledger }) => ledger.stop()))
  swarm.now += 48 * HOUR
  for (const peer of everybody) {
    await peer.restart()
  }
  for (const { peer } of everybody) {
    await swarm.back(peer)
  }
  await eventually(async () => {
    await requester.ledger.maintain()
    await payee.ledger.maintain()
    expect(await audited(...everybody)).toMatchObject({
      balanced: true,
      openEscrows: 0n,
      certifiedUnclaimed: 0n
    })
  })
  const [claim] = (await decoded(payee)).filter(({ kind }) => kind === 'claim')
  expect(claim).toBeDefined()
})

/** Records of a peer, as they were signed. */
async function decoded(peer: TestPeer) {
  const { decode } = await import('@ipld/dag-cbor')
  const { records } = await peer.ledger.exportLedger()
  return records.map(({ payload }) =>
    decode<{ kind: string; body: { unsure?: boolean; votes: unknown[] } }>(payload)
  )
}
