import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createVoter,
  type LedgerTransport,
  quorumOf,
  type TransportHandlers
} from '../../../src/credit/index.ts'
import { OwnChain } from '../../../src/credit/own-chain.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  decodeStrict,
  type LedgerRequest,
  NETWORKS,
  networkOf,
  SIGNED_PAYLOAD_MAX,
  statement
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { LONG, RUNS } from '../../fixtures/invariant-runs.ts'
import { HOUR, NOW, testKey } from '../../fixtures/ledger-swarm.ts'

/** What no order of requests and no crash can make of an honest node: somebody who has signed two things for one place. */

const network = await networkOf(NETWORKS.main)
const moment = fc.constantFrom('before' as const, 'after' as const)

test(
  'no crash makes an author sign two records for one place, nor lose one that it has told of',
  LONG,
  async () => {
    const key = await testKey(1)
    const life = fc.record({
      appends: fc.integer({ min: 1, max: 4 }),
      crash: fc.option(fc.record({ at: fc.nat(4), moment, reads: fc.boolean() }), { nil: undefined })
    })
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        const inner = memoryStore()
        /** What others were shown, by place: only what was stored is shown. */
        const told = new Map<number, string>()
        for (const { appends, crash } of lives) {
          const store = new CrashingStore(inner)
          if (crash) {
            store.arm(crash.at, crash.moment, crash.reads)
          }
          const chain = new OwnChain({ store, key, network, now: () => NOW })
          const body = { members: [], quorum: 0, unsure: true, votes: [] }
          const results = await Promise.allSettled([
            chain.open(),
            // all at once: one queue puts them in order
            ...Array.from({ length: appends }, () =>
              chain.append((_, ts) => ({ intent: { kind: 'seat', ts, body } }))
            )
          ])
          for (const result of results) {
            if (result.status === 'fulfilled' && 'record' in result.value) {
              const { id, record } = result.value
              expect(told.get(record.seq) ?? id.toString()).toBe(id.toString())
              told.set(record.seq, id.toString())
            }
          }
        }
        const kept = await inner.chain.range()
        expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, seq) => seq))
        for (const [seq, id] of told) {
          expect(kept[seq]?.id).toBe(id)
        }
      }),
      RUNS
    )
  }
)

test(
  'whatever is asked of a witness, with crashes in between, it votes for one thing at a place',
  LONG,
  async () => {
    const requests = await temptations()
    const asking = fc.record({
      which: fc.nat(requests.length - 1),
      crash: fc.option(fc.record({ at: fc.nat(3), moment }), { nil: undefined, freq: 4 })
    })
    await fc.assert(
      fc.asyncProperty(fc.array(asking, { minLength: 2, maxLength: 7 }), async (questions) => {
        const inner = memoryStore()
        let witness = await standBy(inner)
        const votes = new Map<number, Set<string>>()
        for (const { which, crash } of questions) {
          if (crash) {
            witness = await standBy(inner, crash)
          }
          const { from, request } = requests[which] as (typeof requests)[number] // within its length
          const answer = await witness.answer(from, request)
          if (answer.t === 'vote') {
            const given = decodeStrict(answer.vote.payload, statement, SIGNED_PAYLOAD_MAX)
            if (given.kind === 'vote' || given.kind === 'reseat') {
              const what = given.kind === 'vote' ? `${given.record}` : `${given.prev} ${given.members.join()}`
              votes.set(given.seq, (votes.get(given.seq) ?? new Set()).add(what))
            }
          }
          if (crash) {
            witness = await standBy(inner)
          }
        }
        expect([...votes.values()].filter(({ size }) => size > 1)).toEqual([])
      }),
      RUNS
    )
  }
)

/** The one witness of the author in `temptations`, over what an earlier life has left. */
async function standBy(
  inner: ReturnType<typeof memoryStore>,
  crash?: { at: number; moment: 'before' | 'after' }
): Promise<TransportHandlers> {
  const store = new CrashingStore(inner)
  let handlers: TransportHandlers | undefined
  const node: LedgerTransport = {
    start: async (given) => {
      handlers = given
    },
    stop: async () => {},
    connectedPeers: () => [],
    voters: async () => [],
    call: () => Promise.reject(new Error('nobody is there'))
  }
  await createVoter({ store, key: await testKey(2), network, node, now: () => NOW }).start()
  if (crash) {
    store.arm(crash.at, crash.moment)
  }
  if (handlers === undefined) {
    throw new Error('the voter has started')
  }
  return handlers
}

/** An author's requests for two branches of its chain, and for two seats at the place where they part. */
async function temptations() {
  const chain = (seed: number) => TestChain.create(network, seed, NOW)
  const [witness, payee, other] = await Promise.all([chain(2), chain(3), chain(4)])
  const members = [witness.peer]
  const branch = async (nonce: number) => {
    const author = await chain(1)
    await author.append({ kind: 'seat', ts: NOW, body: { members, quorum: 1, unsure: true, votes: [] } })
    const escrow = await author.append(
      author.escrowIntent([[payee.peer, 100n]], NOW, {
        witnesses: members,
        quorum: quorumOf(1),
        tClose: NOW + HOUR,
        nonce: new Uint8Array(16).fill(nonce)
      })
    )
    await author.append(author.settleIntent(escrow, [100n], NOW))
    return author
  }
  const branches = await Promise.all([branch(1), branch(2)])
  const asked = branches.flatMap((author) =>
    [1, 2, 3].flatMap((seq) =>
      [0, seq].map((from): LedgerRequest => {
        const [record, tail] = [author.signedAt(seq), author.signed.slice(from, seq)]
        return { t: 'certify', record, tail, evidence: [] }
      })
    )
  )
  const [author] = branches as [TestChain, TestChain]
  const prev = author.records[1]?.id
  if (prev === undefined) {
    throw new Error('a genesis and a seat')
  }
  const tail = author.signed.slice(0, 2)
  const seats = [[witness.peer, payee.peer], [other.peer]].map(
    (members): LedgerRequest => ({ t: 'reseat', seq: 2, prev, members, tail })
  )
  return [...asked, ...seats].map((request) => ({ from: author.peer, request }))
}
