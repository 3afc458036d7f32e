import { afterEach, expect, test, vi } from 'vitest'
import type { LedgerResponse } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

// What a witness keeps of a chain is a cache: bounded, and older than its votes after some crashes.

const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

/** Three chains of strangers with an escrow of 60 payees each are too many under these rules. */
vi.mock('../../../src/credit/constants.ts', async (original) => ({
  ...(await original<typeof import('../../../src/credit/constants.ts')>()),
  CHAINS_BYTES: 64 * 1024
}))

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

test('a witness whose row is older than its votes asks for no evidence twice', async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const [payer, payee, witness] = [await swarm.add(1), await swarm.add(2), await swarm.add(3)]
  const rows = witness.store.table('chains')
  const job = async () => {
    const { escrow } = await payer.escrow([[payee, 1_000n]])
    const row = await rows.get(payer.peer)
    const receipt = await payer.ledger.receipt(escrow, payee.peer, 600n)
    await payee.ledger.acceptReceipt(receipt, payer.peer)
    const releases = new Map([[payee.peer, await payee.ledger.release(escrow)]])
    const units = [{ weight: 600n, payees: [0], quorum: 1 }]
    expect(await payer.ledger.settle(escrow, units, { seed: SEED, releases })).toMatchObject({
      certainty: 'witnessed'
    })
    return row ?? expect.unreachable('a row')
  }
  const row = await job()
  await witness.ledger.stop()
  await rows.put(payer.peer, row)
  await witness.restart()
  for (const [key] of await payer.store.table('contracts').entries()) {
    await payer.store.table('contracts').delete(key) // the releases among them
  }
  await payer.restart()
  await job()
  expect(swarm.logs.filter((line) => line.includes('NOT_RELEASED'))).toEqual([])
})

/** An author's escrow under a seat of one, the witness, with so many payees. */
async function escrowOf(seed: number, witness: TestPeer, count: number) {
  const author = await TestChain.create(swarm.network, seed, NOW)
  await author.append({
    kind: 'seat',
    ts: NOW,
    body: { members: [witness.peer], quorum: 1, unsure: true, votes: [] }
  })
  const payees = await Promise.all(
    Array.from({ length: count }, async (_, i) => (await TestChain.create(swarm.network, 100 + i, NOW)).peer)
  )
  const intent = author.escrowIntent(
    payees.map((peer) => [peer, 16n]),
    NOW,
    { witnesses: [witness.peer], quorum: 1 }
  )
  if (intent.kind !== 'escrow') {
    throw new Error('an escrow')
  }
  const on = payees.slice(0, 2).map((payer) => ({ payer, amount: 1n }))
  const body = { ...intent.body, payees: intent.body.payees.map((payee) => ({ ...payee, on })) }
  await author.append({ ...intent, body })
  const [tail, record] = [author.signed.slice(0, -1), author.signedAt(author.head.seq)]
  return { author, certify: { t: 'certify' as const, record, tail, evidence: [] } }
}

test('strangers with large chains fill a witness to its bound; small ones and those in use stay', async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const witness = await swarm.add(1)
  swarm.known.set(witness.peer, new Set())
  const codeOf = (answer: LedgerResponse) => (answer.t === 'refused' ? answer.code : answer.t)
  const ask = async (seed: number, count: number) => {
    const { author, certify } = await escrowOf(seed, witness, count)
    return { peer: author.peer, said: codeOf(await swarm.deliver(author.peer, witness.peer, certify)) }
  }
  const honest = await ask(10, 1)
  const large: Awaited<ReturnType<typeof ask>>[] = []
  for (let seed = 11; seed < 17; seed++) {
    large.push(await ask(seed, 60))
  }
  const late = await ask(20, 1)
  const said = large.map((each) => each.said)
  expect(new Set(said)).toEqual(new Set(['vote', 'BUSY']))
  expect(said.lastIndexOf('vote')).toBeLessThan(said.indexOf('BUSY'))
  expect([honest.said, late.said]).toEqual(['vote', 'vote'])
  await witness.ledger.stop()
  const kept = await witness.store.table('chains').entries()
  const voted = [honest, late, ...large.filter((each) => each.said === 'vote')].map(({ peer }) => peer)
  expect(kept.map(([peer]) => peer).toSorted()).toEqual(voted.toSorted())
  const bytes = kept.reduce((sum, [, { byteLength }]) => sum + byteLength, 0)
  expect(bytes).toBeLessThan(64 * 1024)
})
