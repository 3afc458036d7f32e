import type { CID } from 'multiformats/cid'
import { afterEach, expect, test } from 'vitest'
import { type VerifiedRecord, verifyRecord } from '../../../src/credit/index.ts'
import { quorumOf } from '../../../src/credit/seat.ts'
import {
  cidOf,
  DOMAINS,
  type MicroCredits,
  type SettleBody,
  type Signed,
  sign
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** An author that makes up a branch, so that its heal would give back what others are owed. */

const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }
const BUDGET = 1_000n

let swarm: LedgerSwarm
let witnesses: TestPeer[]
let payee: TestPeer
let author: TestChain
afterEach(() => swarm.stop())

/** An escrow of the author's with four honest witnesses, which its payee has taken. */
async function opened(): Promise<{ escrow: CID; tClose: number }> {
  swarm = await LedgerSwarm.create({ rules: STRICT })
  witnesses = []
  for (let seed = 10; seed < 14; seed++) {
    witnesses.push(await swarm.add(seed))
  }
  payee = await swarm.add(30)
  author = await TestChain.create(swarm.network, 40, NOW)
  const members = witnesses.map(({ peer }) => peer)
  const quorum = quorumOf(members.length)
  await author.append({ kind: 'seat', ts: NOW, body: { members, quorum, unsure: true, votes: [] } })
  const intent = author.escrowIntent([[payee.peer, BUDGET]], NOW, { witnesses: members, quorum })
  const { id, record } = await author.append(intent)
  const votes = (await asked()).flatMap((answer) => (answer.t === 'vote' ? answer.vote : []))
  expect(votes).toHaveLength(4)
  const taken = await swarm.deliver(author.peer, payee.peer, {
    t: 'escrow',
    escrow: author.signedAt(author.head.seq),
    votes
  })
  expect(taken).toEqual({ t: 'ok' })
  return { escrow: id, tClose: record.kind === 'escrow' ? record.body.tClose : 0 }
}

/** What each witness answers when it is asked for its vote on the author's newest record. */
function asked(evidence: Signed[] = []) {
  return Promise.all(
    witnesses.map(({ peer }) =>
      swarm.deliver(author.peer, peer, {
        t: 'certify',
        record: author.signedAt(author.head.seq),
        tail: author.signed.slice(0, -1),
        evidence
      })
    )
  )
}

const settling = (escrow: CID, payout: MicroCredits): SettleBody => ({
  escrow,
  payouts: [payout],
  refund: BUDGET - payout,
  split: {
    form: 'units',
    seed: new Uint8Array(32),
    inputs: payout === 0n ? [] : [{ weight: payout, payees: [0], quorum: 1 }]
  }
})

/** Joins a branch of one record to the chain: a settle of the escrow that pays nothing, made up now. */
async function healMadeUp(escrow: CID): Promise<void> {
  const lost = await sign(author.key, DOMAINS.record, {
    v: 1,
    net: swarm.network.hash,
    author: author.peer,
    seq: author.head.seq,
    prev: author.records[0]?.id ?? null,
    ts: swarm.now,
    bal: 0n,
    idleSince: NOW,
    kind: 'settle',
    body: settling(escrow, 0n)
  })
  await heal(lost, [await verifyRecord(lost, swarm.network)])
}

async function heal(lost: Signed, branch: readonly VerifiedRecord[]): Promise<void> {
  const { members, quorum } = author.head.sure
  const head = await cidOf(lost.payload)
  const body = { head, branch: [lost], witnesses: [...members], quorum }
  await author.append({ kind: 'heal', ts: swarm.now, body }, branch)
}

function release(escrow: CID, amount: MicroCredits): Promise<Signed> {
  const head = { v: 1 as const, net: swarm.network.hash, author: payee.peer, ts: swarm.now }
  return sign(payee.key, DOMAINS.statement, { ...head, kind: 'release', escrow, amount })
}

test('gives back nothing that was lodged', async () => {
  const { escrow, tClose } = await opened()
  const receipt = await author.statement(swarm.now, {
    kind: 'receipt',
    escrow,
    payee: payee.peer,
    amount: BUDGET,
    pairTotal: BUDGET
  })
  await payee.ledger.acceptReceipt(receipt, author.peer)
  await payee.ledger.maintain()
  await payee.ledger.maintain() // lodges it
  swarm.now = tClose + 1
  await healMadeUp(escrow)
  for (const answer of await asked()) {
    expect(answer).toMatchObject({ t: 'refused', code: 'UNDERPAID' })
  }
})

test('gives back nothing before the escrow closes, unless its payee released it', async () => {
  const { escrow } = await opened()
  await healMadeUp(escrow)
  for (const answer of await asked()) {
    expect(answer).toMatchObject({ t: 'refused', code: 'NOT_RELEASED' })
  }
  for (const answer of await asked([await release(escrow, 0n)])) {
    expect(answer.t).toBe('vote')
  }
})

test('gives back what a settle on the other branch does with votes, whose releases are lost', async () => {
  const { escrow } = await opened()
  const copy = await TestChain.create(swarm.network, 40, NOW)
  for (const { record } of author.records.slice(1)) {
    await copy.append(record)
  }
  await author.append({ kind: 'settle', ts: swarm.now, body: settling(escrow, 400n) })
  expect((await asked([await release(escrow, 400n)])).every(({ t }) => t === 'vote')).toBe(true)
  const lost = { signed: author.signedAt(author.head.seq), verified: author.records.slice(-1) }
  author = copy
  const { members, quorum } = author.head.sure
  const body = { to: payee.peer, amount: 1n, on: [], witnesses: [...members], quorum }
  await author.append({ kind: 'transfer', ts: swarm.now, body })
  const before = author.head.bal
  await heal(lost.signed, lost.verified)
  expect((await asked()).every(({ t }) => t === 'vote')).toBe(true)
  expect(author.head.bal - before).toBe(BUDGET - 400n)
})
