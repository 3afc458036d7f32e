import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Engine, EngineUnit } from '../../../src/compute/index.ts'
import { Priorities } from '../../../src/credit/index.ts'
import { StrangersShare } from '../../../src/jobs/strangers-share.ts'
import { WorkQueue } from '../../../src/jobs/work-queue.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  decodeStrict,
  NETWORKS,
  networkOf,
  type PeerIdString,
  record,
  SIGNED_PAYLOAD_MAX
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, NOW, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

const unit = (cost: bigint) => ({ cost, inputBy: 'self', verdict: 'verified' }) as const
const NAMES = 4

/** What names of one owner may try at a node that owes some of them, in any order. */
type Step =
  | { kind: 'promise'; who: number; job: number; max: number; named: Array<[number, number]> }
  | { kind: 'unit'; job: number; price: number; isCancelled: boolean }
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
    kind: fc.constant('unit' as const),
    job: fc.nat(5),
    price: fc.integer({ min: 1, max: 800 }),
    isCancelled: fc.boolean()
  }),
  fc.record({ kind: fc.constant('settle' as const), job: fc.nat(5) })
)

/** A node's queue, and what its engine has computed, in full or in part, for the share of no stranger (µcr). */
function busyNode(priorities: Priorities) {
  const node = { served: 0n }
  const engine = {
    concurrency: 1,
    async run(unit: EngineUnit) {
      node.served += BigInt(unit.params[0] ?? 0)
      await Promise.resolve()
      return new Uint8Array()
    }
  }
  const strangers = new StrangersShare({ network: NETWORKS.main, now: () => NOW })
  strangers.share = 0
  const queue = new WorkQueue({
    engine: engine as unknown as Engine, // a queue only runs units
    weightOf: (payer, escrow) => priorities.weightOf(payer, escrow),
    reserve: (escrow, price) => priorities.reserve(escrow, price),
    strangers
  })
  const work = (payer: PeerIdString, escrow: string, price: number, signal?: AbortSignal) =>
    queue.run(
      payer,
      price,
      { skill: 'any', params: [price], parts: [], data: new Uint8Array() },
      { escrow, price: BigInt(price), ...(signal && { signal }) }
    )
  return { node, work }
}

test('whatever escrows name, however large units are and however they end, all names together are served at most what their work left', async () => {
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
        const { node, work } = busyNode(priorities)
        const jobs = new Map<string, PeerIdString>()
        const running: Promise<unknown>[] = []
        for (const each of steps) {
          const job = `${each.job}`
          const who = jobs.get(job)
          if (each.kind === 'promise' && who === undefined) {
            const payer = others[each.who] ?? v
            const named = each.named.map(([name, amount]) => ({
              payer: chains[name]?.peer ?? v,
              amount: BigInt(amount)
            }))
            const terms = { payer, max: BigInt(each.max), tClose: NOW + 1, on: named }
            const on = await priorities.promise(job, terms)
            expect(on.reduce((sum, { amount }) => sum + amount, 0n)).toBeLessThanOrEqual(terms.max)
            for (const { payer: name, amount } of on) {
              expect(named.some((share) => share.payer === name && amount <= share.amount)).toBe(true)
            }
            jobs.set(job, payer)
          } else if (each.kind === 'unit' && who !== undefined) {
            const cancel = new AbortController()
            running.push(work(who, job, each.price, cancel.signal).catch(() => {})) // cancelled, or a stranger's
            if (each.isCancelled) {
              cancel.abort(new Error('not wanted any more'))
            }
          } else if (each.kind === 'settle' && who !== undefined) {
            await Promise.all(running)
            await priorities.settled(job)
            jobs.delete(job)
            expect(priorities.weightOf(who, job)).toBe(0)
          }
          expect(node.served).toBeLessThanOrEqual(limit / 2n)
        }
        await Promise.all(running)
        expect(node.served).toBeLessThanOrEqual(limit / 2n)
      }
    )
  )
})

test('a microcredit of recognition on each of many escrows buys no unit that costs more', async () => {
  const network = await networkOf(NETWORKS.main)
  const [v, a] = await Promise.all([1, 2].map((seed) => TestChain.create(network, seed, NOW)))
  if (v === undefined || a === undefined) {
    throw new Error('two peers')
  }
  const priorities = new Priorities({ store: memoryStore(), network, self: v.peer, now: () => NOW })
  await priorities.learnEdge(a.peer, unit(540n)) // one canary
  const { node, work } = busyNode(priorities)
  for (let i = 0; i < 20; i++) {
    const on = [{ payer: a.peer, amount: 1n }]
    expect(
      await priorities.promise(`${i}`, { payer: a.peer, max: 10_000_000n, tClose: NOW + 1, on })
    ).toEqual(on)
    await expect(work(a.peer, `${i}`, 10_000_000)).rejects.toMatchObject({ code: 'BUSY' })
    await priorities.settled(`${i}`)
  }
  expect(node.served).toBe(0n)
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

  test('names no payer for more than its chain shows of it, whatever providers say, all of them together', async () => {
    const [requester, one, two, payer] = await open()
    const elsewhere = [{ payer: payer.peer, amount: 400n }]
    swarm.terms.set(one.peer, () => elsewhere)
    swarm.terms.set(two.peer, () => [{ payer: requester.peer, amount: 50n }, ...elsewhere])
    const named = async (): Promise<unknown> => {
      await requester.escrow([
        [one, 500n],
        [two, 500n]
      ])
      return (await escrowsOf(requester)).at(-1)?.payees.map(({ on }) => on)
    }
    const own = { payer: requester.peer, amount: 50n }
    expect(await named()).toEqual([[], [own]])
    const { escrow } = await payer.escrow([[requester, 1_000n]])
    const receipt = await payer.ledger.receipt(escrow, requester.peer, 1_000n)
    await requester.ledger.acceptReceipt(receipt, payer.peer)
    const releases = new Map([[requester.peer, await requester.ledger.release(escrow)]])
    await payer.ledger.settle(escrow, [], { seed: SEED, releases })
    await eventually(async () => expect((await requester.ledger.balance()).verified).toBe(0n))
    expect(await named()).toEqual([[...elsewhere], [own, { payer: payer.peer, amount: 100n }]])
    expect(await named()).toEqual([[], [own]])
    await requester.restart()
    expect(await named()).toEqual([[], [own]])
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
