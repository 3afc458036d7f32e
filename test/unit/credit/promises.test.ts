import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Priorities } from '../../../src/credit/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  decodeStrict,
  type MicroCredits,
  NETWORKS,
  networkOf,
  type PeerIdString,
  record,
  SIGNED_PAYLOAD_MAX
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { LedgerSwarm, NOW, type TestPeer } from '../../fixtures/ledger-swarm.ts'

const unit = (cost: bigint) => ({ cost, inputBy: 'self', verdict: 'verified' }) as const
const min = (a: bigint, b: bigint) => [a, b].reduce((least, each) => (each < least ? each : least))
const NAMES = 4

/** What names of one owner may try at a node that owes some of them, in any order. */
type Step =
  | { kind: 'promise'; who: number; job: number; max: number; named: Array<[number, number]> }
  | { kind: 'deliver'; job: number; amount: number }
  | { kind: 'settle'; job: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('promise' as const),
    who: fc.nat(NAMES - 1),
    job: fc.nat(5),
    max: fc.integer({ min: 1, max: 2_000 }),
    named: fc.array(fc.tuple(fc.nat(NAMES), fc.integer({ min: 0, max: 5_000 })), { maxLength: 4 })
  }),
  fc.record({
    kind: fc.constant('deliver' as const),
    job: fc.nat(5),
    amount: fc.integer({ min: 1, max: 800 })
  }),
  fc.record({ kind: fc.constant('settle' as const), job: fc.nat(5) })
)

test('whatever escrows name and however they end, all names together get at most what their work left', async () => {
  const network = await networkOf(NETWORKS.main)
  const chains = await Promise.all(
    Array.from({ length: NAMES + 1 }, (_, i) => TestChain.create(network, 10 + i, NOW))
  )
  const [v, ...others] = chains.map(({ peer }) => peer) as [PeerIdString, ...PeerIdString[]]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: NAMES, maxLength: NAMES }),
      fc.array(step, { maxLength: 30 }),
      async (works, steps) => {
        const priorities = new Priorities({ store: memoryStore(), network, self: v, now: () => NOW })
        for (const [i, work] of works.entries()) {
          await priorities.learnEdge(others[i] ?? v, unit(BigInt(work)))
        }
        const limit = works.reduce((sum, work) => sum + BigInt(work), 0n)
        const jobs = new Map<string, { who: PeerIdString; promised: MicroCredits; sent: MicroCredits }>()
        let got = 0n
        for (const each of steps) {
          const job = `${each.job}`
          const before = jobs.get(job)
          if (each.kind === 'promise' && before === undefined) {
            const who = others[each.who] ?? v
            const named = each.named.map(([name, amount]) => ({
              payer: chains[name]?.peer ?? v,
              amount: BigInt(amount)
            }))
            const on = await priorities.promise(job, who, BigInt(each.max), named)
            const promised = on.reduce((sum, { amount }) => sum + amount, 0n)
            expect(promised).toBeLessThanOrEqual(BigInt(each.max))
            for (const { payer, amount } of on) {
              expect(named.some((share) => share.payer === payer && amount <= share.amount)).toBe(true)
            }
            jobs.set(job, { who, promised, sent: 0n })
          } else if (each.kind === 'deliver' && before !== undefined) {
            const weighs = priorities.weightOf(before.who, job) > 0
            expect(weighs).toBe(before.sent < before.promised)
            priorities.deliver(job, BigInt(each.amount))
            before.sent += BigInt(each.amount)
          } else if (each.kind === 'settle' && before !== undefined) {
            await priorities.settled(job)
            got += min(before.sent, before.promised)
            jobs.delete(job)
            expect(priorities.weightOf(before.who, job)).toBe(0)
          }
          const open = [...jobs.values()].reduce((sum, { promised }) => sum + promised, 0n)
          expect(got + open).toBeLessThanOrEqual(limit / 2n)
        }
      }
    )
  )
})

describe('an escrow', () => {
  let swarm: LedgerSwarm
  afterEach(() => swarm.stop())

  async function open() {
    swarm = await LedgerSwarm.create({ seats: true })
    return (await Promise.all([1, 2, 3, 4].map((seed) => swarm.add(seed)))) as [
      TestPeer,
      TestPeer,
      TestPeer,
      TestPeer
    ]
  }

  const escrowsOf = async ({ ledger }: TestPeer) =>
    (await ledger.exportLedger()).records.flatMap(({ payload }) => {
      const { kind, body } = decodeStrict(payload, record, SIGNED_PAYLOAD_MAX)
      return kind === 'escrow' ? [body] : []
    })

  test('names on whose account each provider says that it serves; a provider gets to see that', async () => {
    const [requester, one, two] = await open()
    const on = [{ payer: requester.peer, amount: 30n }]
    swarm.terms.set(one.peer, (payer, max) => {
      expect([payer, max]).toEqual([requester.peer, 100n])
      return on
    })
    const { escrow } = await requester.escrow([
      [one, 100n],
      [two, 50n]
    ])
    expect((await escrowsOf(requester)).map(({ payees }) => payees.map((payee) => payee.on))).toEqual([
      [on, []]
    ])
    expect((await one.ledger.earning(escrow))?.on).toEqual(on)
    expect((await two.ledger.earning(escrow))?.on).toEqual([])
    await one.restart()
    expect((await one.ledger.earning(escrow))?.on).toEqual(on)
  })

  test('names nobody where a provider says more than it is asked for, or nothing', async () => {
    const [requester, one, two] = await open()
    swarm.terms.set(one.peer, () => [{ payer: two.peer, amount: 101n }])
    swarm.terms.set(two.peer, () => {
      throw new Error('no answer')
    })
    await requester.escrow([
      [one, 100n],
      [two, 50n]
    ])
    expect((await escrowsOf(requester)).map(({ payees }) => payees.map(({ on }) => on))).toEqual([[[], []]])
  })

  test('is released for no less than the work that was delivered on it', async () => {
    const [requester, one] = await open()
    const { escrow } = await requester.escrow([[one, 100n]])
    const release = () => one.ledger.release(escrow, 60n)
    await expect(release()).rejects.toMatchObject({ code: 'UNDERPAID' })
    const receipt = (amount: bigint) => requester.ledger.receipt(escrow, one.peer, amount)
    await one.ledger.acceptReceipt(await receipt(59n), requester.peer)
    await expect(release()).rejects.toMatchObject({ code: 'UNDERPAID' })
    await one.ledger.acceptReceipt(await receipt(60n), requester.peer)
    await release()
  })

  test('leaves nothing in the store when it is over, without a restart', async () => {
    const [requester, one] = await open()
    const rows = async ({ store }: TestPeer) => (await store.table('contracts').entries()).map(([key]) => key)
    const { escrow } = await requester.escrow([[one, 100n]])
    await one.ledger.acceptReceipt(await requester.ledger.receipt(escrow, one.peer, 60n), requester.peer)
    const releases = new Map([[one.peer, await one.ledger.release(escrow)]])
    await requester.ledger.settle(escrow, [], { seed: new Uint8Array(32), releases })
    const certificates = async () => (await requester.store.table('certificates').entries()).length
    expect(await certificates()).toBe(1)
    expect([await rows(requester), await rows(one)]).not.toContainEqual([])
    swarm.now += 6 * 24 * 3_600_000
    await requester.ledger.maintain()
    expect(await certificates()).toBe(1)
    swarm.now += 3 * 24 * 3_600_000
    for (const peer of [requester, one]) {
      await peer.ledger.maintain()
      expect(await rows(peer)).toEqual([])
    }
    expect(await certificates()).toBe(0)
  })
})
