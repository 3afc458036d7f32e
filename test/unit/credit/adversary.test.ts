import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { VerifiedRecord } from '../../../src/credit/index.ts'
import {
  DOMAINS,
  type LedgerResponse,
  NETWORKS,
  networkOf,
  type Receipt,
  type Signed,
  sign
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** A provider with its real ledger against a requester that signs whatever it likes. */
let swarm: LedgerSwarm
let provider: TestPeer
let other: TestPeer
let liar: TestChain

beforeEach(async () => {
  swarm = await LedgerSwarm.create()
  provider = await swarm.add(2)
  other = await swarm.add(3)
  liar = await TestChain.create(swarm.network, 9, swarm.now)
})
afterEach(() => swarm.stop())

const certify = (record: Signed, tail: readonly Signed[] = liar.signed, by = liar) =>
  swarm.deliver(by.peer, provider.peer, { t: 'certify', record, tail: [...tail], evidence: [] })

const refusedWith = (answer: LedgerResponse) => (answer.t === 'refused' ? answer.code : answer.t)

async function escrow(max = 1_000n, nonce = 0): Promise<VerifiedRecord> {
  const made = await liar.append(
    liar.escrowIntent([[provider.peer, max]], swarm.now, { nonce: new Uint8Array(16).fill(nonce) })
  )
  const answer = await certify(liar.signedAt(made.record.seq), liar.signed.slice(0, -1))
  expect(answer.t).toBe('vote')
  return made
}

function receiptFor(made: VerifiedRecord, fields: Partial<Receipt> = {}): Promise<Signed> {
  const receipt: Receipt = {
    v: 1,
    net: swarm.network.hash,
    author: liar.peer,
    ts: swarm.now,
    kind: 'receipt',
    escrow: made.id,
    payee: provider.peer,
    amount: 100n,
    pairTotal: 100n,
    ...fields
  }
  return sign(liar.key, DOMAINS.statement, receipt)
}

describe('a receipt', () => {
  const refusal = async (receipt: Signed, from = liar.peer) =>
    provider.ledger.acceptReceipt(receipt, from).then(
      () => 'accepted',
      (error: { code: string }) => error.code
    )

  test('that is forged, foreign, replayed, too high or after the settle is refused', async () => {
    const made = await escrow()
    const good = await receiptFor(made)
    expect(await refusal(good, other.peer)).toBe('BAD_RECEIPT')
    const elsewhere = await networkOf(NETWORKS.main)
    expect(await refusal(await receiptFor(made, { net: elsewhere.hash }))).toBe('WRONG_NETWORK')
    expect(await refusal(await receiptFor(made, { escrow: liar.records[0]?.id ?? made.id }))).toBe(
      'BAD_RECEIPT'
    )
    expect(await refusal(await receiptFor(made, { payee: other.peer }))).toBe('BAD_RECEIPT')
    expect(await refusal(await receiptFor(made, { amount: 1_001n, pairTotal: 1_001n }))).toBe('BAD_RECEIPT')
    expect(await refusal(await receiptFor(made, { pairTotal: 99n }))).toBe('BAD_RECEIPT')
    expect(await refusal({ ...good, signature: new Uint8Array(64) })).toBe('BAD_SIGNATURE')
    expect(await refusal(await sign(provider.key, DOMAINS.statement, { ...(await plain(made)) }))).toBe(
      'BAD_SIGNATURE'
    )
    expect(await refusal(await sign(liar.key, DOMAINS.record, await plain(made)))).toBe('BAD_SIGNATURE')
    expect((await provider.ledger.balance()).verified).toBe(0n)

    expect(await refusal(good)).toBe('accepted')
    expect(await refusal(good)).toBe('BAD_RECEIPT')
    expect(await refusal(await receiptFor(made, { amount: 99n }))).toBe('BAD_RECEIPT')
    expect((await provider.ledger.balance()).verified).toBe(100n)

    const settle = await liar.append(liar.settleIntent(made, [100n], swarm.now))
    expect((await certify(liar.signedAt(settle.record.seq), [])).t).toBe('vote')
    expect(await refusal(await receiptFor(made, { amount: 200n, pairTotal: 200n }))).toBe('BAD_RECEIPT')
  })

  const plain = async (made: VerifiedRecord) => ({
    v: 1,
    net: swarm.network.hash,
    author: liar.peer,
    ts: swarm.now,
    kind: 'receipt',
    escrow: made.id,
    payee: provider.peer,
    amount: 100n,
    pairTotal: 100n
  })

  test('of a statement of another kind is refused', async () => {
    const made = await escrow()
    expect(await refusal(await liar.vote(made, swarm.now))).toBe('MALFORMED')
  })
})

describe('a vote', () => {
  test('is given once for a place; the second record meets the first one', async () => {
    const intents = [1, 2].map((nonce) =>
      liar.next(
        liar.escrowIntent([[provider.peer, 100n]], swarm.now, { nonce: new Uint8Array(16).fill(nonce) })
      )
    )
    const [one, two] = await Promise.all(intents.map((record) => sign(liar.key, DOMAINS.record, record)))
    if (!one || !two) {
      throw new Error('two records')
    }
    // at the same time: still only one vote
    const answers = await Promise.all([certify(one), certify(two), certify(one)])
    expect(answers.map(({ t }) => t)).toEqual(['vote', 'conflict', 'vote'])
    expect(answers[1]).toEqual({ t: 'conflict', record: one })
    expect(answers[2]).toEqual(answers[0])
    await provider.restart()
    expect(await certify(two)).toEqual({ t: 'conflict', record: one })
    expect(await certify(one)).toEqual(answers[0])
  })

  test('is refused on a branch, whichever way it is sent', async () => {
    const branch = await TestChain.create(swarm.network, 9, swarm.now)
    await escrow(100n, 1)
    await branch.append(branch.escrowIntent([[other.peer, 100n]], swarm.now))
    const later = await branch.append(branch.escrowIntent([[provider.peer, 100n]], swarm.now))
    const record = branch.signedAt(later.record.seq)
    expect((await certify(record, branch.signed.slice(0, 2))).t).toBe('conflict')
    expect((await certify(record, [])).t).toBe('conflict')
    expect((await provider.ledger.balance()).verified).toBe(0n)
  })

  test('asks for what it lacks, and takes it in pieces', async () => {
    for (let i = 0; i < 5; i++) {
      await liar.append({
        kind: 'seat',
        ts: swarm.now,
        body: { members: [], quorum: 0, unsure: true, votes: [] }
      })
    }
    const made = await liar.append(liar.escrowIntent([[provider.peer, 10n]], swarm.now))
    const record = liar.signedAt(made.record.seq)
    expect(await certify(record, [])).toEqual({ t: 'need', after: -1 })
    expect(await certify(record, liar.signed.slice(0, 3))).toEqual({ t: 'need', after: 2 })
    expect(await certify(record, liar.signed.slice(4, 6))).toEqual({ t: 'need', after: 2 })
    expect((await certify(record, liar.signed.slice(1, 6))).t).toBe('vote')
  })

  test('is refused for a tail with a fault, and leaves nothing behind', async () => {
    await liar.append({
      kind: 'seat',
      ts: swarm.now,
      body: { members: [], quorum: 0, unsure: true, votes: [] }
    })
    const made = await liar.append(liar.escrowIntent([[provider.peer, 10n]], swarm.now))
    const record = liar.signedAt(made.record.seq)
    const [genesis, seat] = liar.signed
    if (!genesis || !seat) {
      throw new Error('a tail')
    }
    const broken = { ...seat, signature: genesis.signature }
    expect(refusedWith(await certify(record, [genesis, broken]))).toBe('BAD_SIGNATURE')
    expect(
      refusedWith(await certify(record, (await TestChain.create(swarm.network, 8, swarm.now)).signed))
    ).toBe('BAD_RECORD')
    expect(await provider.store.table('chains').entries()).toEqual([])
    expect(await provider.store.table('votes').entries()).toEqual([])
    expect((await certify(record, [genesis, seat])).t).toBe('vote')
  })

  test('is refused to others than the author, off the clock, and on what does not concern the payee', async () => {
    const mine = liar.escrowIntent([[provider.peer, 10n]], swarm.now)
    const record = await sign(liar.key, DOMAINS.record, liar.next(mine))
    const stranger = await TestChain.create(swarm.network, 8, swarm.now)
    expect(refusedWith(await certify(record, liar.signed, stranger))).toBe('NOT_CONCERNED')

    const elsewhere = liar.escrowIntent([[other.peer, 10n]], swarm.now)
    const foreign = await sign(liar.key, DOMAINS.record, liar.next(elsewhere))
    expect(refusedWith(await certify(foreign))).toBe('NOT_CONCERNED')
    const seat = {
      kind: 'seat' as const,
      ts: swarm.now,
      body: { members: [], quorum: 0, unsure: true, votes: [] }
    }
    expect(refusedWith(await certify(await sign(liar.key, DOMAINS.record, liar.next(seat))))).toBe(
      'NOT_CONCERNED'
    )

    const early = liar.escrowIntent([[provider.peer, 10n]], swarm.now + 121_000)
    expect(refusedWith(await certify(await sign(liar.key, DOMAINS.record, liar.next(early))))).toBe('CLOCK')
    expect(await provider.store.table('votes').entries()).toEqual([])
  })

  test('is refused on a settle below the receipts', async () => {
    const made = await escrow()
    await provider.ledger.acceptReceipt(await receiptFor(made), liar.peer)
    const low = await sign(liar.key, DOMAINS.record, liar.next(liar.settleIntent(made, [99n], swarm.now)))
    expect(refusedWith(await certify(low, []))).toBe('UNDERPAID')
    const right = await liar.append(liar.settleIntent(made, [100n], swarm.now))
    expect((await certify(liar.signedAt(right.record.seq), [])).t).toBe('vote')
  })

  test('is refused on a record whose balance is not there', async () => {
    const honest = liar.next(liar.escrowIntent([[provider.peer, 10n]], swarm.now))
    const rich = { ...honest, bal: 20_000_000n }
    expect(refusedWith(await certify(await sign(liar.key, DOMAINS.record, rich)))).toBe('BAD_RECORD')
  })

  test('is not worth a queue without end', async () => {
    const made = await liar.append(liar.escrowIntent([[provider.peer, 10n]], swarm.now))
    const record = liar.signedAt(made.record.seq)
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => certify(record, liar.signed.slice(0, -1)))
    )
    expect(new Set(answers.map(refusedWith))).toEqual(new Set(['vote', 'BUSY']))
  })
})

describe('a payment', () => {
  const pay = (certificate: Awaited<ReturnType<typeof liar.certificate>>, index = 0) =>
    swarm.deliver(liar.peer, provider.peer, { t: 'paid', certificate, index })

  test('is taken once, however often it is sent', async () => {
    const made = await escrow()
    const settle = await liar.append(liar.settleIntent(made, [300n], swarm.now))
    const certificate = liar.certificate(made, settle)
    const answers = await Promise.all([pay(certificate), pay(certificate), pay(certificate)])
    expect(answers.map(({ t }) => t)).toEqual(['ok', 'ok', 'ok'])
    await provider.restart()
    expect((await pay(certificate)).t).toBe('ok')
    expect((await provider.ledger.exportLedger()).records).toHaveLength(2)
    expect((await provider.ledger.balance()).settled).toBe(10_000_300n)
  })

  test('that is somebody else’s, unknown, forged or foreign is refused', async () => {
    const made = await escrow()
    const settle = await liar.append(liar.settleIntent(made, [300n], swarm.now))
    const certificate = liar.certificate(made, settle)
    const toOther = swarm.deliver(liar.peer, other.peer, { t: 'paid', certificate, index: 0 })
    expect(refusedWith(await toOther)).toBe('BAD_CERTIFICATE')
    expect(refusedWith(await pay(certificate, 1))).toBe('BAD_CERTIFICATE')
    const forged = { ...certificate, settle: { ...certificate.settle, signature: new Uint8Array(64) } }
    expect(refusedWith(await pay(forged))).toBe('BAD_SIGNATURE')
    const hidden = await liar.append(liar.escrowIntent([[provider.peer, 50n]], swarm.now))
    const its = await liar.append(liar.settleIntent(hidden, [50n], swarm.now))
    expect(refusedWith(await pay(liar.certificate(hidden, its)))).toBe('UNKNOWN_ESCROW')
    expect(refusedWith(await pay(liar.certificate(made, its)))).toBe('BAD_CERTIFICATE')
    expect((await provider.ledger.balance()).settled).toBe(10_000_000n)
  })

  test('of nothing closes the contract without a record', async () => {
    const made = await escrow()
    const settle = await liar.append(liar.settleIntent(made, [0n], swarm.now))
    expect((await pay(liar.certificate(made, settle))).t).toBe('ok')
    expect((await provider.ledger.exportLedger()).records).toHaveLength(1)
    expect(await provider.ledger.earning(made.id)).toBeUndefined()
  })
})

test('a question about a settle gets an answer only for its payees', async () => {
  const contract = await provider.escrow([[other, 100n]])
  const ask = (from: TestPeer) =>
    swarm.deliver(from.peer, provider.peer, { t: 'settled', escrow: contract.escrow })
  expect(await ask(other)).toEqual({ t: 'open' })
  await provider.ledger.settle(contract.escrow, [{ weight: 5n, payees: [0], quorum: 1 }], { seed: SEED })
  expect(await ask(other)).toMatchObject({ t: 'certificate', index: 0 })
  expect(
    refusedWith(await swarm.deliver(liar.peer, provider.peer, { t: 'settled', escrow: contract.escrow }))
  ).toBe('NOT_CONCERNED')
  const unknown = liar.records[0]?.id ?? contract.escrow
  expect(refusedWith(await swarm.deliver(other.peer, provider.peer, { t: 'settled', escrow: unknown }))).toBe(
    'UNKNOWN_ESCROW'
  )
})

test('an earning that nobody settled is forgotten in the end', async () => {
  const made = await escrow()
  swarm.now += HOUR + 8 * 24 * HOUR
  await provider.restart()
  expect(await provider.ledger.earning(made.id)).toBeDefined()
  swarm.now += 1
  await provider.restart()
  expect(await provider.ledger.earning(made.id)).toBeUndefined()
})

test('a witness that asks for ever for the same is given up', async () => {
  const calls = vi.fn()
  const requester = await swarm.add(4)
  const answer = swarm.deliver.bind(swarm)
  vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
    if (request.t === 'certify' && to === provider.peer) {
      calls()
      return { t: 'need', after: -1 }
    }
    return answer(from, to, request, signal)
  })
  await expect(requester.escrow([[provider, 10n]])).rejects.toMatchObject({ code: 'NO_VOTES' })
  expect(calls.mock.calls.length).toBeLessThanOrEqual(2)
})
