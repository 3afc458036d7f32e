import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { ChainRows, sizeOf } from '../../../src/credit/chain-rows.ts'
import { ESCROW_KEPT_MS, SMALL_STATE } from '../../../src/credit/constants.ts'
import type { ChainState } from '../../../src/credit/index.ts'
import { encodeState } from '../../../src/credit/state-codec.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import { cidOf, type EscrowBody, encode, NETWORKS, type Network, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'

const LIMIT = 8 * SMALL_STATE
const AUTHORS = 5

let network: Network
let chains: TestChain[]
/** Escrow bodies of one payee more than their place says, witnessed by the first of the chains, or by nobody here. */
let bodies: { mine: EscrowBody[]; others: EscrowBody[] }
let keys: string[]

beforeAll(async () => {
  network = await networkOf(NETWORKS.main)
  chains = await Promise.all(
    Array.from({ length: AUTHORS + 2 }, (_, i) => TestChain.create(network, i + 1, NOW))
  )
  const payees = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => (await TestChain.create(network, 100 + i, NOW)).peer)
  )
  const [self, other] = [peerOf(0), peerOf(1)]
  const body = (count: number, witness: string): EscrowBody => {
    const on = Array.from({ length: 4 }, (_, i) => ({ payer: payees[i] ?? self, amount: 1n }))
    const intent = chainOf(2).escrowIntent(
      payees.slice(0, count + 1).map((peer) => [peer, 4n]),
      NOW,
      { witnesses: [witness === self ? self : other], quorum: 1 }
    )
    if (intent.kind !== 'escrow') {
      throw new Error('an escrow')
    }
    return { ...intent.body, payees: intent.body.payees.map((payee) => ({ ...payee, on })) }
  }
  const some = [0, 8, 30, 59]
  bodies = { mine: some.map((count) => body(count, self)), others: some.map((count) => body(count, other)) }
  keys = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => (await cidOf(encode({ number: i }))).toString())
  )
})

const chainOf = (i: number): TestChain => chains[i] ?? expect.unreachable('a chain')
const peerOf = (i: number) => chainOf(i).peer

interface Shape {
  readonly author: number
  readonly seq: number
  /** Which bodies are open, and of whom. */
  readonly open: ReadonlyArray<{ readonly size: number; readonly isMine: boolean }>
  readonly claims: number
}

function stateOf({ author, seq, open, claims }: Shape, ts = NOW): ChainState {
  const escrows = open.map(({ size, isMine }, i) => {
    const body = (isMine ? bodies.mine : bodies.others)[size] ?? expect.unreachable('a body')
    return [keys[i] ?? '', { body: { ...body, tClose: ts + HOUR }, seq, ts, idleHours: 0 }] as const
  })
  return {
    ...chainOf(author + 2).head,
    seq,
    ts,
    openEscrows: new Map(escrows),
    claimed: new Map(Array.from({ length: claims }, (_, i) => [`${keys[i % 40]}/${i}`, ts]))
  }
}

const shape = fc.record({
  author: fc.nat(AUTHORS - 1),
  seq: fc.integer({ min: 1, max: 3 }), // how far the chain went on
  open: fc.array(fc.record({ size: fc.nat(3), isMine: fc.boolean() }), { maxLength: 4 }),
  claims: fc.nat(250)
})

function open(store: Store, limit = LIMIT, now = () => NOW): ChainRows {
  return new ChainRows({ store, self: peerOf(0), now, believes: (peer) => peer === peerOf(2), limit })
}

/** What the store holds, and what is noted of it. */
async function kept(store: Store) {
  const rows = await store.table('chains').entries()
  const notes = (await store.table('meta').entries()).map(([key]) => key.replace('chain/', ''))
  expect(notes).toEqual(rows.map(([author]) => author))
  return { rows: new Map(rows), bytes: rows.reduce((sum, [, { byteLength }]) => sum + byteLength, 0) }
}

test('a state takes no more than is reckoned', () =>
  fc.assert(
    fc.property(shape, (given) => {
      const state = stateOf(given)
      expect(encodeState(state).byteLength).toBeLessThanOrEqual(sizeOf(state))
    })
  ))

test('whatever is kept, and however often it restarts: what is counted is there, within bounds, and what is in use stays', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: shape },
          { weight: 1, arbitrary: fc.constant('restart' as const) },
          { weight: 1, arbitrary: fc.constant('later' as const) }
        ),
        { maxLength: 30 }
      ),
      async (acts) => {
        const store = memoryStore()
        let now = NOW
        let rows = open(store, LIMIT, () => now)
        const seqs = new Map<number, number>()
        /** Until when a row must stay, for those that had room. */
        const held = new Map<string, number>()
        for (const act of acts) {
          if (act === 'later') {
            now += ESCROW_KEPT_MS + 2 * HOUR
          } else if (act === 'restart') {
            await rows.idle()
            rows = open(store, LIMIT, () => now)
            await rows.load()
          } else {
            const seq = (seqs.get(act.author) ?? 0) + act.seq
            seqs.set(act.author, seq)
            const state = stateOf({ ...act, seq }, now)
            const hasRoom = rows.reserve(state)
            rows.keep(state)
            const isMine = act.open.some((each) => each.isMine)
            held.set(state.author, isMine && hasRoom ? now + HOUR + ESCROW_KEPT_MS : 0)
          }
          await rows.idle()
          const { rows: stored, bytes } = await kept(store)
          expect(rows.size).toBe(bytes)
          const inUse = [...held].filter(([, until]) => now <= until).map(([author]) => author)
          expect(inUse.filter((author) => !stored.has(author))).toEqual([])
          const small = [...stored.values()].filter(({ byteLength }) => byteLength <= SMALL_STATE).length
          expect(bytes).toBeLessThanOrEqual(LIMIT + small * SMALL_STATE)
        }
      }
    )
  ))

describe('of many large chains', () => {
  const large = { open: [{ size: 3, isMine: true }], claims: 0 }
  const mark = { open: [{ size: 3, isMine: false }], claims: 0 }

  test('strangers fill half of the room; whose work is known finds the rest, and who needs little some always', async () => {
    const rows = open(memoryStore(), 4 * sizeOf(stateOf({ author: 0, seq: 1, ...large })))
    const fits = [1, 2, 3].map((author) => rows.reserve(stateOf({ author, seq: 1, ...large })))
    expect(fits).toEqual([true, true, false])
    expect(rows.reserve(stateOf({ author: 4, seq: 1, open: [{ size: 0, isMine: true }], claims: 0 }))).toBe(
      true
    )
    expect(rows.reserve(stateOf({ author: 1, seq: 2, open: [], claims: 0 }))).toBe(true) // it has settled
    expect(rows.reserve(stateOf({ author: 3, seq: 1, ...large }))).toBe(true)
    expect(rows.reserve(stateOf({ author: 0, seq: 1, ...large }))).toBe(true)
  })

  test('the largest goes first that this node does not vote on, last of whose work is known', async () => {
    const store = memoryStore()
    const size = encodeState(stateOf({ author: 0, seq: 1, ...mark })).byteLength
    const rows = open(store, 3.5 * size)
    const keep = async (author: number, given: Omit<Shape, 'author' | 'seq'>) => {
      const state = stateOf({ author, seq: 1, ...given })
      rows.reserve(state)
      rows.keep(state)
      await rows.idle()
      return [...(await kept(store)).rows.keys()].map(
        (peer) => chains.findIndex((chain) => chain.peer === peer) - 2
      )
    }
    await keep(0, mark)
    await keep(1, large)
    expect((await keep(2, mark)).toSorted()).toEqual([0, 1, 2])
    expect((await keep(3, mark)).toSorted()).toEqual([0, 1, 3])
    expect((await keep(4, mark)).toSorted()).toEqual([0, 1, 4])
  })

  test('a large state is written for each eight KiB of it once, a small one always, one that healed at once', async () => {
    const store = memoryStore()
    const rows = open(store)
    const table = store.table('chains')
    const put = vi.fn(table.put)
    vi.spyOn(store, 'table').mockImplementation((name) =>
      name === 'chains' ? { ...table, put } : memoryStore().table(name)
    )
    const writes = async (given: Omit<Shape, 'author' | 'seq'>, author: number) => {
      put.mockClear()
      for (let seq = 1; seq <= 24; seq++) {
        rows.keep(stateOf({ author, seq, ...given }))
        await rows.idle()
      }
      return put.mock.calls.length
    }
    const pieces = Math.ceil(encodeState(stateOf({ author: 1, seq: 1, ...large })).byteLength / SMALL_STATE)
    expect(pieces).toBeGreaterThan(1)
    expect(await writes(large, 1)).toBe(Math.ceil(24 / pieces))
    expect(await writes({ open: [], claims: 0 }, 3)).toBe(24)
    put.mockClear()
    const before = { ...stateOf({ author: 2, seq: 10, ...large }) }
    rows.keep(before)
    rows.keep({ ...before, seq: 11, healSeq: 11 })
    await rows.idle()
    expect((await rows.get(before.author))?.seq).toBe(11)
    await rows.drop(before.author)
    expect(await rows.get(before.author)).toBeUndefined()
  })
})
