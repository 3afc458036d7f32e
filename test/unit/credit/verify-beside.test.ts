import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Follower } from '../../../src/credit/follower.ts'
import { replayChain, type VerifiedRecord, verifyCertificate } from '../../../src/credit/index.ts'
import { OwnChain } from '../../../src/credit/own-chain.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  NETWORKS,
  type Network,
  networkOf,
  type Signed,
  type VerifySignature,
  verifyEd25519
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { LedgerSwarm, NOW } from '../../fixtures/ledger-swarm.ts'

/** Signatures that are not checked by the thread that asks, but by whoever the caller names for it. */

const LENGTH = 150
/** Most tails are no longer: the thread that asks checks their signatures, too. */
const SHORT = 64

let network: Network
let author: TestChain
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  author = await chainOf(LENGTH)
})

async function chainOf(length: number): Promise<TestChain> {
  const chain = await TestChain.create(network, 1, NOW)
  const body = { members: [], quorum: 0, unsure: true, votes: [] }
  while (chain.signed.length < length) {
    await chain.append({ kind: 'seat', ts: NOW, body })
  }
  return chain
}

const beside = () => vi.fn<VerifySignature>((...asked) => verifyEd25519(...asked))

test('of a short tail nobody else is asked, of a long one from its first record on', async () => {
  for (const [length, options] of [
    [SHORT, {}],
    [SHORT + 1, {}],
    [LENGTH, {}],
    [LENGTH, { signatures: false }]
  ] as const) {
    const verify = beside()
    await replayChain(undefined, author.signed.slice(0, length), network, { ...options, verify })
    expect(verify).toHaveBeenCalledTimes('signatures' in options || length === SHORT ? 0 : length)
  }
})

test('whatever is wrong with a tail, and however late the answers are, is what the asking thread says', async () => {
  const wrong = fc.array(fc.tuple(fc.nat(LENGTH - 1), fc.constantFrom('unsigned', 'malformed', 'again')), {
    maxLength: 3
  })
  await fc.assert(
    fc.asyncProperty(wrong, fc.scheduler(), async (faults, scheduler) => {
      const tail = [...author.signed]
      for (const [place, fault] of faults) {
        tail[place] = spoilt(fault, tail[place] as Signed, author.signedAt(0)) // there are LENGTH of them
      }
      const outcome = async (verify?: VerifySignature) => {
        let held = 0
        const replaying = replayChain(undefined, tail, network, {
          verify,
          held: (records) => (held = records)
        })
        const end = await replaying.catch((error: { code: string; message: string }) => [
          error.code,
          error.message
        ])
        return { held, end }
      }
      const late = outcome(scheduler.scheduleFunction(verifyEd25519))
      expect(await scheduler.waitFor(late)).toEqual(await outcome())
    }),
    { numRuns: 20 }
  )
})

function spoilt(fault: string, signed: Signed, first: Signed): Signed {
  switch (fault) {
    case 'unsigned':
      return { ...signed, signature: new Uint8Array(64) }
    case 'malformed':
      return { ...signed, payload: new Uint8Array(9) }
    default:
      return first
  }
}

test('what a certificate embeds is checked where the record that brings it is', async () => {
  const payer = await TestChain.create(network, 2, NOW)
  const payee = await TestChain.create(network, 3, NOW)
  const escrow = await payer.append(payer.escrowIntent([[payee.peer, 9n]], NOW))
  const settle = await payer.append(payer.settleIntent(escrow, [9n], NOW))
  const certificate = payer.certificate(escrow, settle, [await payee.vote(settle, NOW)])
  const verify = beside()
  await verifyCertificate(certificate, network, { verify })
  expect(verify.mock.calls.map(([peer]) => peer)).toEqual([payer.peer, payer.peer, payee.peer])
})

describe('who takes up many records asks for it:', () => {
  let swarm: LedgerSwarm | undefined
  afterEach(async () => {
    await swarm?.stop()
    swarm = undefined
  })

  test('who follows a chain', async () => {
    const verify = beside()
    const { state } = await new Follower({ network, verify }).follow(author.peer, author.signed)
    expect(state).toEqual(author.state)
    expect(verify).toHaveBeenCalledTimes(LENGTH)
  })

  test('who has lost a part of its own', async () => {
    const verify = beside()
    const store = memoryStore()
    const [{ id }] = author.records as [VerifiedRecord] // there are LENGTH
    await store.chain.append({ seq: 0, id: id.toString(), record: author.signedAt(0) })
    const own = new OwnChain({ store, key: author.key, network, now: () => NOW, verify })
    expect(await own.adopt(author.signed)).toMatchObject({ seq: LENGTH - 1 })
    expect(verify).toHaveBeenCalledTimes(LENGTH)
  })

  test('a ledger, as a witness', async () => {
    swarm = await LedgerSwarm.create()
    const verify = beside()
    swarm.verify = verify
    const witness = await swarm.add(2)
    const chain = await chainOf(LENGTH)
    const escrow = await chain.append(chain.escrowIntent([[witness.peer, 9n]], swarm.now))
    const answer = await swarm.deliver(chain.peer, witness.peer, {
      t: 'certify',
      record: chain.signedAt(escrow.record.seq),
      tail: chain.signed.slice(0, -1),
      evidence: []
    })
    expect(answer.t).toBe('vote')
    expect(verify).toHaveBeenCalledTimes(LENGTH)
  })
})
