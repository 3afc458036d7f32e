import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { stateHash } from '../../../src/credit/checkpoint.ts'
import { joinBranch } from '../../../src/credit/heal.ts'
import { audit, type VerifiedRecord } from '../../../src/credit/index.ts'
import {
  type Certificate,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  type RecordOf
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, NOW, testKey } from '../../fixtures/ledger-swarm.ts'
import { payoutCertificate, settleCertificate, UnsignedChain } from '../../fixtures/unsigned-chain.ts'

/** An escrow is paid by its settle or by its witnesses, and honest witnesses may vote for both: it is claimed once. */

const DAY = 24 * HOUR
const MAX = 5_000_000n
let network: Network
let peers: PeerIdString[]

beforeAll(async () => {
  network = await networkOf(NETWORKS.main)
  const keys = await Promise.all([1, 2, 3].map(testKey))
  peers = keys.map((key) => peerIdFromPrivateKey(key).toString() as PeerIdString) // of an Ed25519 key
})

/** A payer's escrow of 5 credits that closes at `tClose`, its payee, and both certificates of it. */
function job(tClose: number, settledAt: number) {
  const [one, two, witness] = peers as [PeerIdString, PeerIdString, PeerIdString]
  const [payer, payee] = [new UnsignedChain(network, one, NOW), new UnsignedChain(network, two, NOW)]
  const body = { members: [witness], quorum: 1, unsure: true, votes: [] }
  payer.append({ kind: 'seat', ts: NOW, body })
  const escrow = payer.append({
    kind: 'escrow',
    ts: NOW,
    body: {
      jobId: new Uint8Array(16),
      parent: null,
      payees: [{ peer: two, max: MAX, on: [] }],
      amount: MAX,
      inputRoot: new Uint8Array(32),
      witnesses: [witness],
      quorum: 1,
      tClose,
      nonce: new Uint8Array(16)
    }
  }) as VerifiedRecord & { record: RecordOf<'escrow'> } // by its intent
  const inputs = [{ weight: MAX, payees: [0], quorum: 1 }]
  const split = { form: 'units' as const, seed: new Uint8Array(32), inputs }
  const settle = payer.append({
    kind: 'settle',
    ts: settledAt,
    body: { escrow: escrow.id, payouts: [MAX], refund: 0n, split }
  }) as VerifiedRecord & { record: RecordOf<'settle'> } // by its intent
  return {
    payer,
    payee,
    certificates: { settle: settleCertificate(escrow, settle), payout: payoutCertificate(escrow, MAX) }
  }
}

type Job = ReturnType<typeof job>

function claim({ certificates }: Job, by: keyof Job['certificates'], chain: UnsignedChain, ts: number) {
  const { certificate, verified } = certificates[by]
  return chain.append({ kind: 'claim', ts, body: { certificate, index: 0 } }, verified)
}

/** Records to a place where a chain forgets the claims that are over. */
function forget(chain: UnsignedChain, ts: number): void {
  do {
    chain.append({ kind: 'checkpoint', ts, body: { state: new Uint8Array(32) } })
  } while (chain.head.seq % 64 !== 0)
}

const hour = fc.oneof(fc.nat(30), fc.integer({ min: 160, max: 230 }))

test('no order of settle, payout, claims and time pays a payee twice', () => {
  const tries = fc.array(
    fc.record({ by: fc.constantFrom('settle' as const, 'payout' as const), at: hour, forgets: fc.boolean() }),
    { minLength: 2, maxLength: 6 }
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), hour, tries, (closes, settles, claims) => {
      const given = job(NOW + closes * HOUR, NOW + settles * HOUR)
      let paid = 0
      for (const { by, at, forgets } of claims.toSorted((a, b) => a.at - b.at)) {
        const ts = NOW + at * HOUR
        if (forgets) {
          forget(given.payee, ts)
        }
        const from = by === 'settle' ? settles : closes
        const isOpen = paid === 0 && at >= from && at <= closes + 8 * 24
        if (isOpen) {
          claim(given, by, given.payee, ts)
          paid++
        } else {
          expect(() => claim(given, by, given.payee, ts)).toThrow()
        }
      }
      const books = audit([given.payer.records, given.payee.records], network.parameters)
      expect(books).toMatchObject({ balanced: true, debt: 0n })
    }),
    { numRuns: 60 }
  )
})

test('a heal adds no claim that the chain has made by the other certificate, and forgotten', () => {
  const given = job(NOW + DAY, NOW + HOUR)
  const lost = new UnsignedChain(network, given.payee.peer, NOW)
  const claimed = claim(given, 'payout', lost, NOW + DAY)
  for (const days of [7.5, 8.5, 9.5]) {
    const chain = new UnsignedChain(network, given.payee.peer, NOW)
    claim(given, 'settle', chain, NOW + HOUR)
    forget(chain, NOW + days * DAY)
    const ts = chain.head.ts
    const body = { head: claimed.id, branch: [], witnesses: [], quorum: 0 }
    const heal = chain.append({ kind: 'checkpoint', ts, body: { state: new Uint8Array(32) } })
    const record = { ...heal.record, kind: 'heal' as const, body }
    const joined = joinBranch(chain.head, { record, branch: [claimed] }, 0, network.parameters)
    expect(joined.balance).toBe(0n)
  }
})

describe('with signatures', () => {
  /** The chains of one job whose witness has voted for both, a day before its tClose. */
  async function signedJob(settledAt: number) {
    const chain = (seed: number) => TestChain.create(network, seed, NOW)
    const [payer, payee, witness] = await Promise.all([chain(1), chain(2), chain(3)])
    const named = { witnesses: [witness.peer], quorum: 1 }
    const seat = { members: [witness.peer], quorum: 1, unsure: true, votes: [] }
    await payer.append({ kind: 'seat', ts: NOW, body: seat })
    const tClose = NOW + DAY
    const escrow = await payer.append(payer.escrowIntent([[payee.peer, MAX]], NOW, { ...named, tClose }))
    const settle = await payer.append(payer.settleIntent(escrow, [MAX], settledAt))
    const given = { escrow: escrow.id, payee: payee.peer, amount: MAX }
    const receipt = await payer.statement(NOW, { kind: 'receipt', ...given, pairTotal: MAX })
    const vote = await witness.statement(tClose, { kind: 'payout', ...given })
    return {
      payee,
      settle: payer.certificate(escrow, settle, [await witness.vote(settle, settledAt)]),
      payout: { kind: 'payout' as const, escrow: payer.signedAt(2), receipt, votes: [vote] }
    }
  }

  async function twice(payee: TestChain, first: [Certificate, number], second: [Certificate, number]) {
    await payee.claim(first[0], 0, first[1])
    while (payee.head.seq % 64 !== 0) {
      const state = await stateHash(payee.head)
      await payee.append({ kind: 'checkpoint', ts: second[1], body: { state } })
    }
    return payee.claim(second[0], 0, second[1])
  }

  test('the payout is not claimed when the settle is a week old', async () => {
    const { payee, settle, payout } = await signedJob(NOW + HOUR)
    const later = NOW + 7 * DAY + 2 * HOUR
    await expect(twice(payee, [settle, NOW + HOUR], [payout, later])).rejects.toThrow('claimed before')
  })

  test('nor is a late settle when the payout is a week old', async () => {
    const late = NOW + 8.5 * DAY
    const { payee, settle, payout } = await signedJob(late)
    await expect(twice(payee, [payout, NOW + DAY], [settle, late])).rejects.toThrow('claimed before')
  })

  test('nor anything when the escrow is over', async () => {
    const late = NOW + 9 * DAY + 1
    const { payee, settle, payout } = await signedJob(late)
    await expect(payee.claim(payout, 0, late)).rejects.toThrow('could be claimed from')
    await expect(payee.claim(settle, 0, late)).rejects.toThrow('could be claimed from')
  })
})
