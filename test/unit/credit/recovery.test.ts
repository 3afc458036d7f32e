import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { SOURCES_MAX } from '../../../src/credit/constants.ts'
import { auditExports } from '../../../src/credit/index.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import {
  DOMAINS,
  decodeStrict,
  type LedgerResponse,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  sign,
  type VerifySignature,
  verifyEd25519
} from '../../../src/wire/index.ts'
import { copyStore } from '../../fixtures/copy-store.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, SEED, type TestPeer, testKey } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
afterEach(async () => {
  vi.restoreAllMocks()
  await swarm.stop()
})

async function open(count: number, rules = {}) {
  swarm = await LedgerSwarm.create({ seats: true, rules })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return peers as [TestPeer, TestPeer, ...TestPeer[]]
}

async function job(requester: TestPeer, payee: TestPeer, amount: bigint): Promise<void> {
  const { escrow } = await requester.escrow([[payee, 1_000n]])
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, amount), requester.peer)
  await requester.ledger.settle(escrow, [{ weight: amount, payees: [0], quorum: 1 }], { seed: SEED })
}

/** The text of a libp2p id of an Ed25519 key. */
const textOf = (key: PrivateKey) => peerIdFromPrivateKey(key).toString() as PeerIdString
const length = async (peer: TestPeer) => (await peer.ledger.exportLedger()).records.length
const kindsOf = async (store: Store) =>
  (await store.chain.range()).map(
    ({ record }) => decodeStrict(record.payload, recordSchema, SIGNED_PAYLOAD_MAX).kind
  )
/** All records of a chain, those that its heals have joined among them. */
const signedIn = async (store: Store) =>
  (await store.chain.range()).flatMap(({ record }) => {
    const { kind, body } = decodeStrict(record.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    return kind === 'heal' ? [record, ...body.branch] : [record]
  })
const booksOf = async (peers: readonly TestPeer[]) =>
  auditExports(await Promise.all(peers.map(({ ledger }) => ledger.exportLedger())), swarm.network)

describe('a profile that was rolled back', () => {
  test('takes up what its witnesses kept, signs no place twice, and its books balance', async () => {
    const peers = await open(5)
    const [requester, payee] = peers
    await job(requester, payee, 100n)
    const old = await copyStore(requester.store)
    await job(requester, payee, 200n)
    await job(requester, payee, 300n)
    const newest = await length(requester)

    await requester.restart(old)
    await job(requester, payee, 400n)
    expect(await length(requester)).toBe(newest + 2)
    expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n })
    expect((await payee.ledger.balance()).settled).toBe(10_001_000n)
    expect(swarm.logs.join()).not.toContain('conflict')
  })

  test('while another copy of it goes on: each takes up what the other did', async () => {
    const peers = await open(5)
    const [requester, payee] = peers
    await job(requester, payee, 100n)
    const [one, two] = [requester.store, await copyStore(requester.store)]
    for (const [i, store] of [two, one, two, one].entries()) {
      await requester.restart(store)
      await job(requester, payee, BigInt(i + 1))
    }
    await payee.ledger.maintain()
    expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n, openEscrows: 0n })
    expect((await payee.ledger.balance()).settled).toBe(10_000_110n)
  })
})

describe('a profile that was rolled back by more than the votes of its witnesses rest on', () => {
  const JOBS = 75
  let made: Promise<{ stores: Store[]; old: Store }> | undefined

  async function make() {
    const peers = await open(5)
    const [requester, payee] = peers
    await job(requester, payee, 100n)
    const old = await copyStore(requester.store)
    for (let i = 0; i < JOBS; i++) {
      await job(requester, payee, 1n)
    }
    await swarm.stop()
    return { stores: peers.map(({ store }) => store), old }
  }

  /** A requester's old copy, and its chain as it went on: longer by more than two pages. */
  async function rolledBack() {
    made ??= make()
    const { stores, old } = await made
    swarm = await LedgerSwarm.create({ seats: true })
    const peers: TestPeer[] = []
    for (const [i, store] of stores.entries()) {
      peers.push(await swarm.add(i + 1, await copyStore(store)))
    }
    const [requester, payee, ...witnesses] = peers as [TestPeer, TestPeer, ...TestPeer[]]
    const whole = await requester.store.chain.range()
    await requester.ledger.stop()
    return { peers, requester, payee, witnesses, old: await copyStore(old), whole }
  }
  /** Answers of some peers to who asks for old records. */
  function answering(answer: (to: PeerIdString, after: number) => LedgerResponse | undefined) {
    const asked: Array<{ to: PeerIdString; after: number }> = []
    const deliver = swarm.deliver.bind(swarm)
    vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
      if (request.t === 'records') {
        asked.push({ to, after: request.after })
        const odd = answer(to, request.after)
        if (odd) {
          return odd
        }
      }
      return deliver(from, to, request, signal)
    })
    return asked
  }
  const recordsOf = async (store: Store) => (await store.chain.range()).map(({ record }) => record)

  test('takes up all of it, a page at a time from several of them, and its books balance', async () => {
    const { peers, requester, payee, old, whole } = await rolledBack()
    const asked = answering(() => undefined)
    await requester.restart(old)
    await job(requester, payee, 400n)
    expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole)
    expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n, openEscrows: 0n })
    expect((await payee.ledger.balance()).settled).toBe(10_000_000n + 100n + BigInt(JOBS) + 400n)
    expect(new Set(asked.map(({ to }) => to)).size).toBeGreaterThan(1)
  })

  test('has what it is shown checked beside its own thread', async () => {
    const { requester, old, whole } = await rolledBack()
    const verify = vi.fn<VerifySignature>((...asked) => verifyEd25519(...asked))
    swarm.verify = verify
    await requester.restart(old)
    await eventually(async () => expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole))
    const messages = verify.mock.calls.map(([, message]) => message.join())
    expect(messages.length).toBeGreaterThan(new Set(messages).size) // once to see whose it is, once to take it up
  })

  test('finds its way past those who withhold, forge, drip, and never come to an end', async () => {
    const { requester, payee, witnesses, old, whole } = await rolledBack()
    const [silent, forger, drip] = witnesses
    const records = whole.map(({ record }) => record)
    const forged = records.map(({ payload }) => ({ payload, signature: new Uint8Array(64) }))
    const asked = answering((to, after) => {
      const tail = {
        [silent?.peer ?? '']: [],
        [forger?.peer ?? '']: [...forged.slice(after + 1, after + 9), ...records.slice(0, 8)],
        [drip?.peer ?? '']: records.slice(after + 1, after + 2)
      }[to]
      return tail && { t: 'records', tail }
    })
    await requester.restart(old)
    await job(requester, payee, 1n)
    expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole)
    for (const peer of [silent, forger]) {
      expect(asked.filter(({ to }) => to === peer?.peer)).toHaveLength(1)
    }
  })

  test('finds its witnesses in a crowd of strangers that all answer first, and keep nothing', async () => {
    const { requester, old, whole } = await rolledBack()
    const crowd = await Promise.all(
      Array.from({ length: SOURCES_MAX }, async (_, i) => textOf(await testKey(100 + i)))
    )
    const [deliver, transportOf] = [swarm.deliver.bind(swarm), swarm.transportOf.bind(swarm)]
    vi.spyOn(swarm, 'transportOf').mockImplementation((self) => {
      const transport = transportOf(self)
      return { ...transport, voters: async () => [...crowd, ...(await transport.voters())] }
    })
    vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
      if (!crowd.includes(to)) {
        return deliver(from, to, request, signal)
      }
      return request.t === 'head'
        ? { t: 'head', seq: -1, now: swarm.now, tail: [] }
        : { t: 'records', tail: [] }
    })
    await requester.restart(old)
    await eventually(async () => expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole))
  })

  /** What one bad witness may answer to who asks for its records after a place. */
  const LIES = {
    truth: () => undefined,
    nothing: () => [],
    'the first again': (records: readonly Signed[]) => records.slice(0, 8),
    'one at a time': (records: readonly Signed[], after: number) => records.slice(after + 1, after + 2),
    'with a gap': (records: readonly Signed[], after: number) => records.slice(after + 2, after + 9),
    forged: (records: readonly Signed[], after: number) =>
      records.slice(after + 1, after + 9).map(({ payload }) => ({ payload, signature: new Uint8Array(64) }))
  }

  test('to whatever place, one of its witnesses lying: ends with all that it had signed', async () => {
    const lie = fc.constantFrom(...(Object.keys(LIES) as Array<keyof typeof LIES>)) // as its type says
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000), fc.nat(2), lie, async (permille, liar, lie) => {
        const { peers, requester, payee, witnesses, whole } = await rolledBack()
        const records = whole.map(({ record }) => record)
        answering((to, after) => {
          const tail = to === witnesses[liar]?.peer ? LIES[lie](records, after) : undefined
          return tail && { t: 'records', tail }
        })
        const kept = Math.max(1, Math.round((permille / 1_000) * whole.length))
        const old = memoryStore()
        for (const record of whole.slice(0, kept)) {
          await old.chain.append(record)
        }
        await requester.restart(old)
        await eventually(async () => {
          await requester.ledger.maintain()
          await job(requester, payee, 1n)
        })
        const ids = new Set((await signedIn(old)).map(({ payload }) => payload.join()))
        expect(records.filter(({ payload }) => !ids.has(payload.join()))).toEqual([])
        await eventually(async () => {
          await Promise.all(peers.map(({ ledger }) => ledger.maintain()))
          expect(await booksOf(peers)).toMatchObject({ balanced: true, debt: 0n })
        })
        vi.restoreAllMocks()
        await swarm.stop()
      }),
      { numRuns: Math.ceil(inject('propertyRuns') / 10), examples: [[0, 0, 'truth']] } // before its first seat
    )
  })

  test('is stopped in the middle, and goes on from there', async () => {
    const { requester, payee, old, whole } = await rolledBack()
    let pages = 0
    const asked = answering(() => {
      pages += 1
      return pages > 1 ? { t: 'records', tail: [] } : undefined
    })
    const before = (await old.chain.range()).length
    await requester.restart(old)
    await expect(requester.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'RECOVERING' })
    const middle = (await old.chain.range()).length
    expect(middle).toBeGreaterThan(before)
    expect(middle).toBeLessThan(whole.length)

    vi.restoreAllMocks()
    asked.length = 0
    const next = answering(() => undefined)
    await requester.restart(old)
    await job(requester, payee, 1n)
    expect(next[0]?.after).toBe(middle - 1)
    expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole)
  })

  test('signs nothing while nobody has what is missing, and goes on by itself as soon as somebody does', async () => {
    const { requester, payee, old, whole } = await rolledBack()
    let isKept = false
    answering(() => (isKept ? undefined : { t: 'records', tail: [] }))
    const before = await recordsOf(old)
    await requester.restart(old)
    await expect(requester.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'RECOVERING' })
    await requester.ledger.maintain()
    await expect(requester.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'RECOVERING' })
    expect(await recordsOf(old)).toEqual(before)

    isKept = true
    await requester.ledger.maintain()
    await job(requester, payee, 1n)
    expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole)
  })

  test('and has signed on its own: joins what others keep, wherever that began', async () => {
    const { peers, requester, payee, witnesses, old, whole } = await rolledBack()
    const others = [payee, ...witnesses]
    const stranger = await swarm.add(9)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    await requester.restart(old)
    swarm.now += 2 * swarm.network.parameters.seatPatienceMs
    await job(requester, stranger, 7n)
    expect((await recordsOf(old)).length).toBeLessThan(whole.length)

    for (const { peer } of others) {
      await swarm.back(peer)
    }
    await eventually(async () => {
      await requester.ledger.maintain()
      expect(await kindsOf(old)).toContain('heal')
    })
    expect((await old.chain.range()).slice(0, whole.length)).toEqual(whole)
    await stranger.ledger.maintain()
    expect(await booksOf([...peers, stranger])).toMatchObject({ balanced: true, debt: 0n })
  })
})

describe('a node that starts again', () => {
  test('signs nothing before a quorum of its witnesses has answered', async () => {
    const peers = await open(5)
    const [requester, payee, ...others] = peers
    await job(requester, payee, 100n)
    const before = await length(requester)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    await requester.restart()
    const next = requester.escrow([[payee, 1n]])
    await eventually(() => expect(swarm.logs.join()).toContain('did not say where this chain ends'))
    expect(await length(requester)).toBe(before)
    for (const { peer } of others) {
      await swarm.back(peer)
    }
    await next
    expect(await length(requester)).toBeGreaterThan(before)
  })

  test('goes on without them when the network is patient no longer', async () => {
    const [requester, payee, ...others] = await open(5, { seatPatienceMs: 300 })
    await job(requester, payee, 100n)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    await requester.restart()
    swarm.now += 1_000
    const { certifiedBy } = await requester.escrow([[payee, 1n]])
    expect(certifiedBy).toEqual([payee.peer])
  })

  test('takes no record that it has not signed', async () => {
    const [requester, payee, liar] = await open(4)
    if (!liar) {
      throw new Error('four peers')
    }
    await job(requester, payee, 100n)
    const { records } = await requester.ledger.exportLedger()
    const last = records.at(-1)
    const forged = await sign(liar.key, DOMAINS.record, { forged: true })
    const deliver = swarm.deliver.bind(swarm)
    vi.spyOn(swarm, 'deliver').mockImplementation(
      async (from, to, request, signal): Promise<LedgerResponse> => {
        if (request.t === 'head' && to === liar.peer) {
          const seq = records.length + 5
          return {
            t: 'head',
            seq,
            now: swarm.now,
            tail: [forged, ...(last ? [{ ...last, signature: new Uint8Array(64) }] : [])]
          }
        }
        return deliver(from, to, request, signal)
      }
    )
    await requester.restart()
    await job(requester, payee, 1n)
    expect(await length(requester)).toBe(records.length + 2)
  })
})

test('anybody may ask how far a chain goes, and of strangers nothing is known', async () => {
  const [requester, payee, other] = await open(3)
  await job(requester, payee, 100n)
  const ask = (author: PeerIdString, after: number) =>
    swarm.deliver(payee.peer, other?.peer ?? payee.peer, { t: 'head', author, after })
  expect(await ask(requester.peer, -1)).toMatchObject({ t: 'head', seq: 3 })
  expect(await ask(requester.peer, 2)).toMatchObject({ t: 'head', seq: 3, tail: [expect.anything()] })
  expect(await ask(payee.peer, -1)).toEqual({ t: 'head', seq: -1, now: swarm.now, tail: [] })
})
