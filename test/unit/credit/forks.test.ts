import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Priorities, verifyForkProof } from '../../../src/credit/index.ts'
import { SwarmRouter } from '../../../src/router/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { nodeFolderStore } from '../../../src/store/node-folder.ts'
import {
  type ForkProof,
  type LedgerResponse,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  type Signed
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { keepsProofs } from '../../fixtures/fork-proofs.ts'
import { INVARIANT_RUNS } from '../../fixtures/invariant-runs.ts'
import { LedgerSwarm, NOW, type TestPeer } from '../../fixtures/ledger-swarm.ts'

const HONEST = 8

let network: Network
let trunk: TestChain
/** Two chains with the trunk's first three records in common. */
let branches: [TestChain, TestChain]
let payee: TestChain

beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  ;[trunk, payee] = (await Promise.all([1, 2].map((seed) => TestChain.create(network, seed, NOW)))) as [
    TestChain,
    TestChain
  ]
  await grow(trunk, 2, 0)
  branches = (await Promise.all([1, 2].map((nonce) => branchOf(trunk, HONEST, nonce)))) as typeof branches
})

async function grow(chain: TestChain, records: number, nonce: number): Promise<void> {
  for (let i = 0; i < records; i++) {
    const body = { nonce: new Uint8Array(16).fill(nonce * 16 + i) }
    await chain.append(chain.escrowIntent([[payee.peer, 10n]], NOW, body))
  }
}

/** A chain of the same key that goes another way. */
async function branchOf(chain: TestChain, records: number, nonce: number): Promise<TestChain> {
  const branch = await TestChain.create(network, 1, NOW)
  for (const signed of chain.signed.slice(1)) {
    await branch.take(signed)
  }
  await grow(branch, records, nonce)
  return branch
}

const codeOf = (proof: ForkProof) =>
  verifyForkProof(proof, network).then(
    ({ author }) => author,
    (error: { code: string }) => error.code
  )
const records = (one: Signed, two: Signed): ForkProof => ({ kind: 'records', one, two })

describe('a proof', () => {
  const place = fc.nat({ max: HONEST + 2 })

  test('holds for two records exactly if they name two ids for one place; no honest chain makes one', () =>
    fc.assert(
      fc.asyncProperty(place, place, fc.boolean(), fc.boolean(), async (i, j, a, b) => {
        const [one, two] = [branches[a ? 1 : 0], branches[b ? 1 : 0]]
        const isFork = a !== b && Math.abs(i - j) <= 1 && Math.min(i, j) > 2
        expect(await codeOf(records(one.signedAt(i), two.signedAt(j)))).toBe(
          isFork ? trunk.peer : 'BAD_PROOF'
        )
      }),
      { numRuns: INVARIANT_RUNS }
    ))

  test('with any bit changed accuses nobody', () =>
    fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        fc.nat({ max: 7 }),
        async (ofFirst, inPayload, at, bit) => {
          const proof = records(branches[0].signedAt(3), branches[1].signedAt(3))
          const flip = (bytes: Uint8Array) =>
            bytes.map((byte, i) => (i === at % bytes.length ? byte ^ (1 << bit) : byte))
          const spoilt = ({ payload, signature }: Signed) =>
            inPayload ? { payload: flip(payload), signature } : { payload, signature: flip(signature) }
          const { one, two } = proof
          const changed = records(ofFirst ? spoilt(one) : one, ofFirst ? two : spoilt(two))
          expect(['BAD_SIGNATURE', 'MALFORMED', 'NOT_CANONICAL', 'WRONG_NETWORK']).toContain(
            await codeOf(changed)
          )
        }
      )
    ))

  test('of a witness needs two votes of it for one place, and a vote and a reseat are none', async () => {
    const [a, b] = branches.map((branch) => branch.records[3])
    const later = branches[1].records[4]
    if (!a || !b || !later) {
      throw new Error('records')
    }
    const votes = (one: Signed, two: Signed) => codeOf({ kind: 'votes', one, two })
    const one = await payee.vote(a, NOW)
    expect(await votes(one, await payee.vote(b, NOW + 1))).toBe(payee.peer)
    expect(await votes(one, await payee.vote(a, NOW + 1))).toBe('BAD_PROOF')
    expect(await votes(one, await payee.vote(later, NOW))).toBe('BAD_PROOF')
    expect(await votes(one, await trunk.vote(b, NOW))).toBe('BAD_PROOF')
    const reseat = (members: readonly PeerIdString[]) =>
      payee.statement(NOW, { kind: 'reseat', subject: trunk.peer, seq: 3, prev: a.id, members })
    expect(await votes(one, await reseat([payee.peer]))).toBe('BAD_PROOF')
    expect(await votes(await reseat([trunk.peer]), await reseat([payee.peer]))).toBe(payee.peer)
    expect(await votes(one, await payee.statement(NOW, { kind: 'release', escrow: a.id, amount: 1n }))).toBe(
      'BAD_PROOF'
    )
  })
})

describe('a fork', () => {
  let swarm: LedgerSwarm
  afterEach(() => swarm.stop())

  async function open() {
    swarm = await LedgerSwarm.create()
    const peers: TestPeer[] = []
    for (const seed of [20, 21, 22, 23]) {
      peers.push(await swarm.add(seed))
    }
    return peers as [TestPeer, TestPeer, TestPeer, TestPeer]
  }

  /** An author with its key in hand: a seat, then two escrows for the same place. */
  async function forker(members: readonly TestPeer[], bad: readonly TestChain[], paid: readonly TestPeer[]) {
    const author = await TestChain.create(swarm.network, 9, NOW)
    const seated = [...members, ...bad].map(({ peer }) => peer)
    const quorum = seated.length - (seated.length > 3 ? 1 : 0)
    await author.append({ kind: 'seat', ts: NOW, body: { members: seated, quorum, unsure: true, votes: [] } })
    return Promise.all(
      paid.map(async ({ peer }, nonce) => {
        const branch = await TestChain.create(swarm.network, 9, NOW)
        await branch.take(author.signedAt(1))
        const body = { witnesses: seated, quorum, nonce: new Uint8Array(16).fill(nonce) }
        const escrow = await branch.append(branch.escrowIntent([[peer, 1_000n]], NOW, body))
        return { branch, escrow, signed: branch.signedAt(2) }
      })
    )
  }

  const certify = ({ branch, signed }: Awaited<ReturnType<typeof forker>>[number], at: TestPeer) =>
    swarm.deliver(branch.peer, at.peer, {
      t: 'certify',
      record: signed,
      tail: branch.signed.slice(0, 2),
      evidence: []
    })
  const knownTo = (author: PeerIdString) =>
    swarm.verdicts.filter(({ forked }) => forked === author).map(({ by }) => by)

  test('is found by a witness, which tells the others and whom it would have cheated, and votes no more', async () => {
    const [w1, w2, p1, p2] = await open()
    const [one, two] = await forker([w1, w2], [], [p1, p2])
    if (!one || !two) {
      throw new Error('two branches')
    }
    expect((await certify(one, w1)).t).toBe('vote')
    expect(await certify(two, w1)).toEqual({ t: 'conflict', record: one.signed })
    const { peer: author } = one.branch
    await eventually(() =>
      expect(new Set(knownTo(author))).toEqual(new Set([w1, w2, p1, p2].map(({ peer }) => peer)))
    )
    expect(await certify(one, w2)).toMatchObject({ t: 'refused', code: 'FORK' })
    const later = await one.branch.append(one.branch.escrowIntent([[p1.peer, 1n]], NOW, escrowOf(one)))
    const again = { branch: one.branch, escrow: later, signed: one.branch.signedAt(3) }
    expect(await certify(again, w1)).toMatchObject({ t: 'refused', code: 'FORK' })
    expect((await certify(one, w1)).t).toBe('vote') // the one it gave, once more

    const answer = await swarm.deliver(p2.peer, w2.peer, { t: 'forks', author })
    expect(answer).toMatchObject({ t: 'forks' })
    expect(answer.t === 'forks' && answer.proof && (await codeIn(answer.proof))).toBe(author)
  })

  test('gets no vote any more on what its witness has read of it, and not voted on', async () => {
    const [w1, w2, p1, p2] = await open()
    const [one, two] = await forker([w1, w2], [], [p1, p2])
    if (!one || !two) {
      throw new Error('two branches')
    }
    await one.branch.append(one.branch.escrowIntent([[p1.peer, 1n]], NOW, escrowOf(one)))
    const ask = { t: 'certify' as const, record: one.branch.signedAt(3), evidence: [] }
    const tail = one.branch.signed.slice(0, 3)
    expect((await swarm.deliver(one.branch.peer, w1.peer, { ...ask, tail })).t).toBe('vote')
    expect((await certify(two, w1)).t).toBe('conflict')
    expect(await certify(one, w1)).toMatchObject({ t: 'refused', code: 'FORK' })
  })

  const codeIn = (proof: ForkProof) => verifyForkProof(proof, swarm.network).then(({ author }) => author)
  const escrowOf = ({ escrow: { record } }: Awaited<ReturnType<typeof forker>>[number]) =>
    record.kind === 'escrow' ? { witnesses: record.body.witnesses, quorum: record.body.quorum } : {}

  test('by a link alone is found as well: a record that follows another one than the witness knows', async () => {
    const [w1, w2, p1, p2] = await open()
    const [one, two] = await forker([w1, w2], [], [p1, p2])
    if (!one || !two) {
      throw new Error('two branches')
    }
    await certify(one, w1)
    await two.branch.append(two.branch.escrowIntent([[p2.peer, 1n]], NOW, escrowOf(two)))
    const answer = await swarm.deliver(two.branch.peer, w1.peer, {
      t: 'certify',
      record: two.branch.signedAt(3),
      tail: [],
      evidence: []
    })
    expect(answer).toEqual({ t: 'conflict', record: one.signed })
    expect(knownTo(one.branch.peer)).toContain(w1.peer)
  })

  test('certified by bought witnesses is found by a payee; they are found with it', async () => {
    const [payee, other] = await open()
    const bad = await Promise.all([40, 41].map((seed) => TestChain.create(swarm.network, seed, NOW)))
    const pair = await forker([], bad, [payee, payee])
    const answers: LedgerResponse[] = []
    for (const { branch, escrow, signed } of pair) {
      const votes = await Promise.all(bad.map((witness) => witness.vote(escrow, NOW)))
      answers.push(await swarm.deliver(branch.peer, payee.peer, { t: 'escrow', escrow: signed, votes }))
    }
    expect(answers).toMatchObject([{ t: 'ok' }, { t: 'refused', code: 'FORK' }])
    const guilty = [pair[0]?.branch.peer, ...bad.map(({ peer }) => peer)]
    for (const peer of guilty) {
      expect(peer && knownTo(peer)).toContain(payee.peer)
    }
    for (const author of guilty.flatMap((peer) => peer ?? [])) {
      const answer = await swarm.deliver(other.peer, payee.peer, { t: 'forks', author })
      expect(answer.t === 'forks' && answer.proof && (await codeIn(answer.proof))).toBe(author)
    }
  })

  test('is known after a restart, and asked after by whoever is shown an escrow', async () => {
    const [w1, w2, p1, p2] = await open()
    const [one, two] = await forker([w1], [], [p1, p2])
    if (!one || !two) {
      throw new Error('two branches')
    }
    swarm.away.add(p1.peer)
    await certify(one, w1)
    await certify(two, w1)
    const { peer: author } = one.branch
    await eventually(() => expect(knownTo(author)).toContain(p2.peer))
    await w1.restart()
    expect(knownTo(author).filter((by) => by === w1.peer)).toHaveLength(2)
    swarm.away.delete(p1.peer)
    const vote = await swarm.deliver(author, w1.peer, {
      t: 'certify',
      record: one.signed,
      tail: [],
      evidence: []
    })
    const votes = vote.t === 'vote' ? [vote.vote] : []
    await swarm.deliver(author, p1.peer, { t: 'escrow', escrow: one.signed, votes })
    await eventually(() => expect(knownTo(author)).toContain(p1.peer))
    expect(knownTo(author)).not.toContain(w2.peer)
  })

  test('that is none harms nobody, and costs its teller', async () => {
    const [judge, teller, victim] = await open()
    const { records: honest } = await victim.ledger.exportLedger()
    const [genesis] = honest
    if (!genesis) {
      throw new Error('a genesis')
    }
    const forged = { ...genesis, signature: new Uint8Array(64) }
    const tell = (proof: ForkProof) =>
      swarm
        .deliver(teller.peer, judge.peer, { t: 'forked', proof })
        .then((answer) => (answer.t === 'refused' ? answer.code : answer.t))
    expect(await tell(records(genesis, genesis))).toBe('BAD_PROOF')
    expect(swarm.verdicts).toEqual([{ by: judge.peer, slandered: teller.peer }])
    expect(await tell(records(genesis, forged))).toBe('NOT_CONCERNED')
    const answer = await swarm.deliver(victim.peer, judge.peer, { t: 'forks', author: victim.peer })
    expect(answer).toEqual({ t: 'forks', proof: null })
  })
})

describe('a proof is kept', () => {
  test('in memory', async () => {
    const store = memoryStore()
    await keepsProofs(async () => ({ ...store, close: async () => {} }))
  })

  test('in a data folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'forks-'))
    await keepsProofs(() => nodeFolderStore(folder))
    await rm(folder, { recursive: true })
  })
})

test('nothing is owed to a forker, nor on its word, nor is it hired: for ever, or until 30 days after it has healed', async () => {
  let now = NOW
  const store = memoryStore()
  const priorities = new Priorities({ store, network, self: payee.peer, now: () => now })
  const work = { cost: 1_000n, inputBy: 'self', verdict: 'verified' } as const
  await priorities.learnEdge(trunk.peer, work)
  expect(priorities.weightOf(trunk.peer)).toBeGreaterThan(0)
  await priorities.bar(trunk.peer)
  await priorities.learnEdge(trunk.peer, work)
  expect([priorities.weightOf(trunk.peer), priorities.edges.size]).toEqual([0, 0])
  await priorities.bar(trunk.peer, now)
  now += 30 * 24 * 3_600_000 - 1
  await priorities.learnEdge(trunk.peer, work)
  expect(priorities.weightOf(trunk.peer)).toBe(0)
  now += 1
  await priorities.learnEdge(trunk.peer, work)
  expect(priorities.weightOf(trunk.peer)).toBeGreaterThan(0)

  const router = new SwarmRouter()
  router.learn(trunk.peer, 'sort', 'verified')
  router.condemn(trunk.peer)
  expect(router.trustIn(trunk.peer, 'sort')).toBe(0)
})
