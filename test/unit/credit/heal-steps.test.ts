import fc from 'fast-check'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { healSteps } from '../../../src/credit/heal.ts'
import { audit, replayChain } from '../../../src/credit/index.ts'
import { OwnChain } from '../../../src/credit/own-chain.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import {
  HEAL_BRANCH_MAX,
  HEAL_RECORD_MAX,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  type Signed
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { LedgerSwarm, NOW, testKey } from '../../fixtures/ledger-swarm.ts'

let network: Network
let payee: PeerIdString
let swarm: LedgerSwarm | undefined
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  payee = (await TestChain.create(network, 2, NOW)).peer
})
afterEach(() => swarm?.stop())

/** A chain of one author: gifts and escrows of these amounts, the escrows settled with half of it. */
async function grown(from: TestChain | undefined, amounts: readonly number[], nonce: number) {
  const chain = await TestChain.create(network, 1, NOW)
  for (const signed of from?.signed.slice(1) ?? []) {
    await chain.take(signed)
  }
  for (const [i, amount] of amounts.entries()) {
    if (amount % 2 === 0) {
      const body = { to: payee, amount: BigInt(amount), on: [], witnesses: [], quorum: 0 }
      await chain.append({ kind: 'transfer', ts: NOW + nonce, body })
    } else {
      const intent = chain.escrowIntent([[payee, BigInt(amount)]], NOW + nonce, {
        nonce: new Uint8Array(16).fill(nonce * 50 + i)
      })
      const escrow = await chain.append(intent)
      if (amount % 3 === 0) {
        await chain.append(chain.settleIntent(escrow, [BigInt(amount) / 2n], NOW + nonce))
      }
    }
  }
  return chain
}

/** Joins `other` from `from` on to a copy of `main`, by heals of these lengths. */
async function healedBy(main: TestChain, other: TestChain, from: number, lengths: readonly number[]) {
  const chain = await grown(main, [], 0)
  let at = from
  for (const length of lengths) {
    const branch = other.records.slice(at, at + length)
    const head = branch.at(-1)?.id ?? other.head.id
    const body = { head, branch: other.signed.slice(at, at + length), witnesses: [], quorum: 0 }
    await chain.append({ kind: 'heal', ts: NOW + 9, body }, branch)
    at += length
  }
  return chain
}

test('a branch that is joined in pieces is joined as by one heal', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 4 }),
      fc.nat(100),
      async (amounts, cut) => {
        const trunk = await grown(undefined, [2], 1)
        const other = await grown(trunk, amounts, 2)
        const main = await grown(
          trunk,
          [...amounts, ...amounts].map((amount) => (amount % 9) + 1),
          3
        )
        const from = trunk.records.length
        const lost = other.records.length - from
        fc.pre(main.records.length >= other.records.length)
        const middle = cut % (lost + 1)
        const pieces = [middle, lost - middle].filter((length) => length > 0)
        const [whole, apart] = [
          await healedBy(main, other, from, [lost]),
          await healedBy(main, other, from, pieces)
        ]
        const worth = ({ head: { bal, debt, claimed, openEscrows, closed } }: TestChain) => ({
          bal,
          debt,
          claimed,
          closed,
          open: [...openEscrows].map(([key, { body, ts, idleHours }]) => ({ key, body, ts, idleHours }))
        })
        expect(worth(apart)).toEqual(worth(whole))
        expect(audit([apart.records], network.parameters)).toEqual(audit([whole.records], network.parameters))
      }
    )
  ))

test('pieces hold the branch in its order, and each fits into a record', () => {
  const size = fc.integer({ min: 1, max: HEAL_RECORD_MAX })
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 200 }), (sizes) => {
      const branch = sizes.map((bytes) => ({ payload: new Uint8Array(bytes), signature: new Uint8Array(64) }))
      const steps = healSteps(branch)
      expect(steps.reduce((sum, length) => sum + length, 0)).toBe(branch.length)
      let at = 0
      for (const length of steps) {
        const bytes = sizes.slice(at, at + length).reduce((sum, each) => sum + each, 0)
        expect(length).toBeGreaterThan(0)
        expect(length).toBeLessThanOrEqual(HEAL_BRANCH_MAX)
        expect(bytes).toBeLessThanOrEqual(64 * 1024)
        at += length
      }
    })
  )
  expect(() => healSteps([])).toThrow()
  const large = { payload: new Uint8Array(HEAL_RECORD_MAX + 1), signature: new Uint8Array(64) }
  expect(() => healSteps([large])).toThrow(/stays as it is/)
})

test.each([
  ['its own', 66, 68],
  ['the other', 68, 66]
])(
  'a node joins %s branch of more than one record can hold, and opens its chain again',
  async (_, own, others) => {
    const store: Store = memoryStore()
    const key = await testKey(1)
    const open = async () => {
      const chain = new OwnChain({ store, key, network, now: () => NOW + 9 })
      await chain.open()
      return chain
    }
    const trunk = await grown(undefined, [2], 1)
    const amounts = (count: number) => Array.from({ length: count }, (_, i) => 2 * i + 2)
    // each well above a kilobyte: a branch of them is in two heals at least
    const fat = async (count: number, nonce: number) => {
      const chain = await grown(trunk, [], nonce)
      for (const amount of amounts(count)) {
        const on = Array.from({ length: 16 }, (_, i) => ({ payer: names[i] ?? payee, amount: BigInt(i) }))
        const max = BigInt(amount + 200)
        const intent = chain.escrowIntent([[payee, max]], NOW + nonce, {
          payees: [{ peer: payee, max, on }],
          nonce: new Uint8Array(16).fill(nonce * 100 + amount / 2)
        })
        await chain.append(intent)
      }
      return chain
    }
    const names = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => (await TestChain.create(network, 60 + i, NOW)).peer)
    )
    const [mine, theirs] = [await fat(own, 2), await fat(others, 3)]
    for (const [seq, record] of mine.signed.entries()) {
      await store.chain.append({ seq, id: mine.records[seq]?.id.toString() ?? '', record })
    }
    const made = await (await open()).heal(theirs.signed.slice(trunk.signed.length))
    const again = await open()
    expect((await again.latest()).id.toString()).toBe(made.id.toString())
    const records = await again.range(0, Number.MAX_SAFE_INTEGER)
    const longer = Math.max(own, others)
    expect(records.length - trunk.signed.length - longer).toBeGreaterThan(1)
    const spent = [own, others].flatMap(amounts).reduce((sum, amount) => sum + BigInt(amount + 200), 2n)
    expect((await replayChain(undefined, records, network))?.bal).toBe(10_000_000n - spent)
  }
)

test('a witness in the middle of the shorter branch votes for the last of the heals that join it', async () => {
  swarm = await LedgerSwarm.create()
  const witness = await swarm.add(31)
  const seat = { members: [witness.peer], quorum: 1, unsure: true, votes: [] }
  const branchOf = async (amounts: readonly bigint[]) => {
    const chain = await TestChain.create(network, 1, NOW)
    await chain.append({ kind: 'seat', ts: NOW, body: seat })
    for (const amount of amounts) {
      const body = { to: payee, amount, on: [], witnesses: [witness.peer], quorum: 1 }
      await chain.append({ kind: 'transfer', ts: NOW, body })
    }
    return chain
  }
  const [main, other] = [await branchOf([1n, 2n, 3n, 4n]), await branchOf([5n, 6n, 7n])]
  const ask = (record: Signed, tail: readonly Signed[]) =>
    witness.swarm.deliver(main.peer, witness.peer, { t: 'certify', record, tail: [...tail], evidence: [] })
  expect((await ask(other.signedAt(2), other.signed.slice(0, 2))).t).toBe('vote')

  for (const [from, to] of [
    [2, 3],
    [3, 5]
  ] as const) {
    const branch = other.records.slice(from, to)
    const head = branch.at(-1)?.id ?? other.head.id
    const body = { head, branch: other.signed.slice(from, to), witnesses: [witness.peer], quorum: 1 }
    await main.append({ kind: 'heal', ts: NOW, body }, branch)
  }
  const last = main.signed.length - 1
  expect((await ask(main.signedAt(last), main.signed.slice(0, last))).t).toBe('vote')
  expect(main.head.bal).toBe(10_000_000n - 28n)
})
