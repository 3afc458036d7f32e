import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addWork,
  drawOn,
  type Edge,
  giveOn,
  type Merit,
  NO_EDGE,
  NO_MERIT,
  PAYERS_MAX,
  recognise,
  recognised,
  recognition,
  redeemable,
  residual,
  serve,
  unused,
  workOf
} from '../../../src/credit/index.ts'
import { NETWORKS, type NetworkParameters, type PeerIdString } from '../../../src/wire/index.ts'
import { INVARIANT_RUNS } from '../../fixtures/invariant-runs.ts'
import { nameOf } from '../../fixtures/peer-names.ts'

const network = NETWORKS.main
const [v, j, p, q] = [0, 1, 2, 3].map(nameOf) as [PeerIdString, PeerIdString, PeerIdString, PeerIdString]
const edge = (work: bigint, served = 0n, redeemed = 0n): Edge => ({ work, served, redeemed })
const merit = (paid: bigint, spent = 0n): Merit => ({ paid, spent })
const cost = fc.bigInt(1n, 10_000n)

test('only work checked on inputs of one’s own makes an edge', () => {
  const unit = { cost: 7n, inputBy: 'self', verdict: 'verified' } as const
  expect(workOf(unit)).toBe(7n)
  expect(workOf({ ...unit, inputBy: 'other' })).toBe(0n)
  expect(workOf({ ...unit, verdict: 'unchecked' })).toBe(0n)
  expect(workOf({ ...unit, verdict: 'wrong' })).toBe(0n)
})

test('a requester is given its own work, this node’s payments, and what peers owed here have paid it', () => {
  const edges = new Map([
    [j, edge(100n, 10n, 5n)],
    [p, edge(60n)],
    [q, edge(1_000n)]
  ])
  const standing = new Map([
    [v, merit(80n, 3n)],
    [p, merit(1_000n)],
    [q, merit(40n, 6n)],
    [nameOf(9), merit(1_000_000n)]
  ])
  expect(recognise({ self: v, edges }, j, standing, network)).toEqual([
    { payer: j, amount: 40n },
    { payer: v, amount: 37n },
    { payer: p, amount: 30n },
    { payer: q, amount: 14n }
  ])
})

test('is the formula, term by term', () => {
  const amounts = fc.tuple(cost, cost, cost, cost, cost)
  fc.assert(
    fc.property(fc.array(amounts, { maxLength: 6 }), fc.boolean(), (rows, more) => {
      const edges = new Map<PeerIdString, Edge>()
      const standing = new Map<PeerIdString, Merit>()
      rows.forEach(([work, served, redeemed, paid, spent], i) => {
        edges.set(nameOf(i), edge(work, served, redeemed))
        standing.set(nameOf(i), merit(paid, spent))
      })
      for (let i = 50; more && i < 60; i++) {
        standing.set(nameOf(i), merit(10n)) // the other one is the smaller map
      }
      const positive = (x: bigint) => (x > 0n ? x : 0n)
      const least = (a: bigint, b: bigint) => (a < b ? a : b)
      let expected = 0n
      const own = edges.get(j)
      rows.forEach(([work, served, redeemed, paid, spent], i) => {
        const name = nameOf(i)
        const rest = positive(work / 2n - served)
        const token = positive(paid / 2n - spent)
        if (name === j) {
          expected += rest
        } else if (name === v) {
          expected += own ? least(token, positive(own.work / 2n - own.redeemed)) : 0n
        } else {
          expected += least(rest, token)
        }
        expect(redeemed).toBeGreaterThan(0n)
      })
      expect(recognised(recognise({ self: v, edges }, j, standing, network))).toBe(expected)
      expect(recognition({ self: v, edges }, j, standing, network)).toBe(expected)
      const some = recognition({ self: v, edges }, j, standing, network, expected / 2n)
      expect(some >= expected / 2n && some <= expected).toBe(true)
    })
  )
})

test('a channel is drawn on what is recognised, never above it, on few payers, the rest is strangers’ work', () => {
  const shares = fc
    .array(cost, { maxLength: 40 })
    .map((list) => list.map((amount, i) => ({ payer: nameOf(i), amount })))
  fc.assert(
    fc.property(shares, cost, (given, amount) => {
      const on = drawOn(given, amount)
      const sum = recognised(on)
      expect(sum).toBe([amount, recognised(given.slice(0, PAYERS_MAX))].toSorted((a, b) => Number(a - b))[0])
      expect(on.length).toBeLessThanOrEqual(PAYERS_MAX)
      expect(new Set(on.map(({ payer }) => payer)).size).toBe(on.length)
      expect(
        on.every(
          ({ payer, amount }) => amount > 0n && amount <= (given.find((s) => s.payer === payer)?.amount ?? 0n)
        )
      ).toBe(true)
    })
  )
})

test('a payout uses recognition first; what it leaves is owed again, and no more', () => {
  fc.assert(
    fc.property(fc.array(cost, { maxLength: 8 }), cost, (amounts, payout) => {
      const on = amounts.map((amount, i) => ({ payer: nameOf(i + 10), amount }))
      const edges = new Map(on.map(({ payer, amount }) => [payer, edge(amount * 2n)]))
      const state = { self: v, edges }
      const given = giveOn(state, j, on, network)
      expect([...given.values()].every((after) => residual(after, network) === 0n)).toBe(true)
      const back = giveOn({ self: v, edges: given }, j, unused(on, payout), network, -1)
      const total = recognised(on)
      const left = [...new Map([...given, ...back]).values()].reduce(
        (sum, e) => sum + residual(e, network),
        0n
      )
      expect(left).toBe(total > payout ? total - payout : 0n)
    })
  )
  expect(() =>
    giveOn({ self: v, edges: new Map([[p, edge(10n)]]) }, j, [{ payer: p, amount: 6n }], network)
  ).toThrow(/given back/)
  expect(() => serve(NO_EDGE, -1n, network)).toThrow()
})

/** A few honest nodes, and an owner of many names that signs whatever suits it and asks at all of them. */
interface World {
  readonly edges: Map<PeerIdString, Edge>[]
  readonly standings: Map<PeerIdString, Merit>[]
}

type Step = readonly ['work' | 'wash' | 'take', number, number, bigint]

const HONEST = 3
const OWED = 20_000n
const NAMES = 4
const honest = (i: number) => nameOf(100 + i)
const bad = (i: number) => nameOf(200 + i)
const steps = fc.array(
  fc.tuple(
    fc.constantFrom('work' as const, 'wash' as const, 'take' as const, 'take' as const),
    fc.nat(11),
    fc.nat(11),
    cost
  ),
  { maxLength: 60 }
)

/** @returns what the owner's names did for honest nodes, and what these gave back; at each honest node too */
function play(script: readonly Step[], rules: NetworkParameters) {
  const world: World = {
    // honest nodes owe each other too: a payment of one is good at the others
    edges: Array.from({ length: HONEST }, (_, at) => {
      const others = [...Array(HONEST).keys()].filter((i) => i !== at)
      return new Map(others.map((i) => [honest(i), edge(OWED)]))
    }),
    standings: Array.from({ length: NAMES }, () => new Map())
  }
  const worked = new Array<bigint>(HONEST).fill(0n)
  const given = new Array<bigint>(HONEST).fill(0n)
  for (const [kind, a, b, amount] of script) {
    const at = a % HONEST
    const name = b % NAMES
    const edges = world.edges[at] ?? new Map()
    const standing = world.standings[name] ?? new Map()
    if (kind === 'work') {
      // paid and checked: an edge at the node, a payment in the name's chain
      edges.set(bad(name), addWork(edges.get(bad(name)) ?? NO_EDGE, amount))
      add(standing, honest(at), amount, 0n)
      worked[at] = (worked[at] ?? 0n) + amount
    } else if (kind === 'wash') {
      add(standing, bad(a % NAMES), amount, 0n) // one name pays another for nothing
    } else {
      const state = { self: honest(at), edges }
      const on = drawOn(recognise(state, bad(name), standing, rules), amount)
      for (const [peer, edge] of giveOn(state, bad(name), on, rules)) {
        edges.set(peer, edge)
      }
      for (const { payer, amount } of on) {
        add(standing, payer, 0n, amount) // its witnessed escrow says so
      }
      given[at] = (given[at] ?? 0n) + recognised(on)
    }
  }
  return { worked, given }
}

function add(standing: Map<PeerIdString, Merit>, payer: PeerIdString, paid: bigint, spent: bigint): void {
  const before = standing.get(payer) ?? NO_MERIT
  standing.set(payer, { paid: before.paid + paid, spent: before.spent + spent })
}

const total = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n)

test('all names of one owner together get at most what they worked, whatever they sign', {
  timeout: 600_000
}, () => {
  fc.assert(
    fc.property(steps, (script) => {
      const { worked, given } = play(script, network)
      expect(total(given)).toBeLessThanOrEqual(total(worked))
    }),
    { numRuns: INVARIANT_RUNS }
  )
})

test('a node gives at most its edges, whatever the split of edges and payments', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(steps, fc.nat(100), (script, percent) => {
      const rules = { ...network, edgePercent: percent, paymentPercent: 100 - percent }
      const { worked, given } = play(script, rules)
      given.forEach((amount, i) => {
        expect(amount).toBeLessThanOrEqual((worked[i] ?? 0n) + OWED * BigInt(HONEST - 1))
      })
    }),
    { numRuns: INVARIANT_RUNS }
  )
})

test('with edges and payments counted in full, one piece of work is given back twice', () => {
  const full = { ...network, edgePercent: 100, paymentPercent: 100 }
  const [u, alias] = [honest(1), bad(1)]
  // p worked 100 for v; u owes v 100; p pays its alias 100 for nothing
  const atV = { self: v, edges: new Map([[p, edge(100n)]]) }
  const atU = { self: u, edges: new Map([[v, edge(100n)]]) }
  const first = recognise(atV, alias, new Map([[p, merit(100n)]]), full)
  const second = recognise(atU, p, new Map([[v, merit(100n)]]), full)
  expect(recognised(first) + recognised(second)).toBe(200n)
  expect(
    recognised(recognise(atV, alias, new Map([[p, merit(100n)]]), network)) +
      recognised(recognise(atU, p, new Map([[v, merit(100n)]]), network))
  ).toBe(100n)
  expect(redeemable(edge(100n), network)).toBe(50n)
})
