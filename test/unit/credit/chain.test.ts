import { decode, encode } from '@ipld/dag-cbor'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  replayChain,
  type VerifiedRecord,
  verifyCertificate,
  verifyRecord
} from '../../../src/credit/index.ts'
import {
  DOMAINS,
  type LedgerRecord,
  NETWORKS,
  type Network,
  networkOf,
  type Signed,
  sign
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'

let network: Network
let payer: TestChain
let payee: TestChain
let other: TestChain

beforeEach(async () => {
  network = await networkOf(NETWORKS.local)
  payer = await TestChain.create(network, 1, NOW)
  payee = await TestChain.create(network, 2, NOW)
  other = await TestChain.create(network, 3, NOW)
})

const forge = (chain: TestChain, record: unknown) => sign(chain.key, DOMAINS.record, record)

const refusal = (signed: Signed, chain = payer) =>
  chain.check(signed).then(
    () => 'accepted',
    (error: { code?: string }) => error.code
  )

async function settledJob(payout = 600n): Promise<{ escrow: VerifiedRecord; settle: VerifiedRecord }> {
  const escrow = await payer.append(
    payer.escrowIntent(
      [
        [payee.peer, 1_000n],
        [other.peer, 500n]
      ],
      payer.head.ts
    )
  )
  const settle = await payer.append(payer.settleIntent(escrow, [payout, 0n], NOW + 1))
  return { escrow, settle }
}

describe('a record', () => {
  test('is refused with any bit flipped, in payload or signature', async () => {
    const { escrow, settle } = await settledJob()
    const claim = await payee.claim(
      payer.certificate(escrow, settle, [await payee.vote(settle, NOW)]),
      0,
      NOW + 2
    )
    const all = [...payer.signed, payee.signedAt(claim.record.seq)]
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - 1), fc.boolean(), fc.nat(), async (which, inPayload, position) => {
        const { payload, signature } = all[which] as Signed
        const flipped = { payload: payload.slice(), signature: signature.slice() }
        const bytes = inPayload ? flipped.payload : flipped.signature
        const bit = position % (bytes.length * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await expect(verifyRecord(flipped, network)).rejects.toMatchObject({ name: 'WireError' })
      }),
      { numRuns: 150 }
    )
  })

  test.each<[string, (record: LedgerRecord) => unknown, string]>([
    ['of an unknown version', (record) => ({ ...record, v: 2 }), 'MALFORMED'],
    ['of an unknown kind', (record) => ({ ...record, kind: 'gift' }), 'MALFORMED'],
    ['with an unknown field', (record) => ({ ...record, note: 1 }), 'MALFORMED'],
    ['with an unknown field inside', (r) => ({ ...r, body: { ...r.body, tip: 1 } }), 'MALFORMED'],
    ['with a float', (record) => ({ ...record, bal: 1.5 }), 'MALFORMED'],
    ['of another network', (record) => ({ ...record, net: new Uint8Array(32) }), 'WRONG_NETWORK'],
    ['after a gap', (record) => ({ ...record, seq: record.seq + 1 }), 'BAD_RECORD'],
    ['for a place that is taken', (record) => ({ ...record, seq: 0 }), 'BAD_RECORD'],
    ['with the wrong link', (record) => ({ ...record, prev: payee.head.id }), 'FORK'],
    ['without a link', (record) => ({ ...record, prev: null }), 'FORK'],
    ['with a µcr too much', (record) => ({ ...record, bal: record.bal + 1n }), 'BAD_RECORD'],
    ['with a µcr too little', (record) => ({ ...record, bal: record.bal - 1n }), 'BAD_RECORD'],
    ['with a fresher idleSince', (r) => ({ ...r, idleSince: r.idleSince + 1 }), 'BAD_RECORD'],
    ['older than the one before', (record) => ({ ...record, ts: NOW - 1 }), 'BAD_RECORD'],
    ['that is a second genesis', (r) => ({ ...r, kind: 'genesis', body: { grant: 1 } }), 'BAD_RECORD']
  ])('%s is refused', async (_, change, code) => {
    const record = payer.next(payer.escrowIntent([[payee.peer, 10n]], NOW))
    expect(await refusal(await forge(payer, record))).toBe('accepted')
    expect(await refusal(await forge(payer, change(record)))).toBe(code)
  })

  test('of another author is refused', async () => {
    const foreign = payee.next(payee.escrowIntent([[other.peer, 10n]], NOW))
    expect(await refusal(await forge(payee, foreign))).toBe('BAD_RECORD')
    const stolen = { ...foreign, author: payer.peer }
    expect(await refusal(await forge(payee, stolen))).toBe('BAD_SIGNATURE')
  })

  test('that grants more at the start is refused', async () => {
    const [genesis] = payee.records
    const grant = { ...genesis?.record, bal: 20_000_000, body: { grant: 20_000_000 } }
    await expect(replayChain(undefined, [await forge(payee, grant)], network)).rejects.toMatchObject({
      code: 'BAD_RECORD'
    })
  })

  test('larger than its limit is refused', async () => {
    const on = [1, 2, 3].map((_, i) => ({ payer: [payer, payee, other][i]?.peer ?? payer.peer, amount: 1n }))
    const peers = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => (await TestChain.create(network, 100 + i, NOW)).peer)
    )
    const intent = payer.escrowIntent(
      peers.map((peer) => [peer, 10n] as const),
      NOW
    )
    if (intent.kind !== 'escrow') {
      throw new Error('an escrow')
    }
    const payees = intent.body.payees.map((channel) => ({ ...channel, on }))
    expect(await refusal(await forge(payer, payer.next(intent)))).toBe('accepted')
    const large = payer.next({ ...intent, body: { ...intent.body, payees } })
    expect(await refusal(await forge(payer, large))).toBe('BAD_RECORD')
  })
})

describe('an escrow', () => {
  test.each<[string, () => Parameters<TestChain['escrowIntent']>]>([
    ['whose amount is not the sum', () => [[[payee.peer, 10n]], NOW, { amount: 11n }]],
    [
      'with a payee twice',
      () => [
        [
          [payee.peer, 10n],
          [payee.peer, 10n]
        ],
        NOW
      ]
    ],
    ['to its author', () => [[[payer.peer, 10n]], NOW]],
    ['with an empty channel', () => [[[payee.peer, 0n]], NOW]],
    ['that closes at once', () => [[[payee.peer, 10n]], NOW, { tClose: NOW }]],
    ['that closes too late', () => [[[payee.peer, 10n]], NOW, { tClose: NOW + 24 * HOUR + 1 }]],
    [
      'with witnesses that the chain has not',
      () => [[[payee.peer, 10n]], NOW, { witnesses: [other.peer], quorum: 1 }]
    ]
  ])('%s is refused', async (_, intent) => {
    const good = payer.next(payer.escrowIntent([[payee.peer, 10n]], NOW))
    const bad = { ...good, ...payer.escrowIntent(...intent()) }
    expect(await refusal(await forge(payer, bad))).toBe('BAD_RECORD')
  })

  test('above the balance is refused', async () => {
    const good = payer.next(payer.escrowIntent([[payee.peer, 10_000_000n]], NOW))
    const bad = { ...good, bal: 0n, ...payer.escrowIntent([[payee.peer, 10_000_001n]], NOW) }
    expect(await refusal(await forge(payer, bad))).toBe('BAD_RECORD')
  })

  test('names the seat of its chain, once there is one', async () => {
    await payer.append({
      kind: 'seat',
      ts: NOW,
      body: { members: [other.peer], quorum: 1, unsure: true, votes: [] }
    })
    expect(() => payer.next(payer.escrowIntent([[payee.peer, 10n]], NOW))).toThrow('seat')
    const seat = { witnesses: [other.peer], quorum: 1 }
    await payer.append(payer.escrowIntent([[payee.peer, 10n]], NOW, seat))
  })
})

describe('a settle', () => {
  type Body = Extract<LedgerRecord, { kind: 'settle' }>['body']
  test.each<[string, (body: Body) => Body]>([
    ['that pays more than the escrow', (body) => ({ ...body, refund: body.refund + 1n })],
    ['above a channel', (body) => ({ ...body, payouts: [0n, 501n], refund: 999n })],
    ['that does not follow from its split', (body) => ({ ...body, payouts: [599n, 0n], refund: 901n })],
    ['with a payout missing', (body) => ({ ...body, payouts: [600n] })],
    ['of another escrow', (body) => ({ ...body, escrow: payee.head.id })]
  ])('%s is refused', async (_, change) => {
    const escrow = await payer.append(
      payer.escrowIntent(
        [
          [payee.peer, 1_000n],
          [other.peer, 500n]
        ],
        NOW
      )
    )
    const settle = payer.next(payer.settleIntent(escrow, [600n, 0n], NOW))
    if (settle.kind !== 'settle') {
      throw new Error('a settle')
    }
    expect(await refusal(await forge(payer, settle))).toBe('accepted')
    const body = change(settle.body)
    const bal = settle.bal - settle.body.refund + body.refund
    expect(await refusal(await forge(payer, { ...settle, body, bal }))).toBe('BAD_RECORD')
  })

  test('twice is refused', async () => {
    const { escrow } = await settledJob()
    expect(() => payer.next(payer.settleIntent(escrow, [600n, 0n], NOW + 2))).toThrow('open escrow')
  })
})

describe('a claim', () => {
  test('takes what the certificate names, once, on the right chain, in time', async () => {
    const { escrow, settle } = await settledJob()
    const certificate = payer.certificate(escrow, settle)
    await expect(payee.claim(certificate, 1, NOW + 2)).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    await expect(other.claim(certificate, 0, NOW + 2)).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    await expect(other.claim(certificate, 1, NOW + 2)).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    await expect(payee.claim(certificate, 0, NOW)).rejects.toMatchObject({ code: 'BAD_RECORD' })
    const late = NOW + HOUR + 8 * 24 * HOUR // the escrow closes an hour after it
    await expect(payee.claim(certificate, 0, late + 1)).rejects.toMatchObject({ code: 'BAD_RECORD' })
    await payee.claim(certificate, 0, NOW + 2)
    expect(payee.head.bal).toBe(10_000_600n)
    expect(payee.head.idleSince).toBe(NOW + 1)
    await expect(payee.claim(certificate, 0, NOW + 3)).rejects.toMatchObject({ code: 'BAD_RECORD' })
  })

  test('is refused with a certificate whose parts do not belong together', async () => {
    const one = await settledJob(600n)
    const two = await settledJob(700n)
    const foreign = payer.certificate(one.escrow, two.settle)
    await expect(verifyCertificate(foreign, network)).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    const swapped = {
      ...payer.certificate(one.escrow, one.settle),
      settle: payer.signedAt(one.escrow.record.seq)
    }
    await expect(verifyCertificate(swapped, network)).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
  })

  test('is refused with a vote that is not for this settle, from a stranger, or given twice', async () => {
    const { escrow, settle } = await settledJob()
    const stranger = await TestChain.create(network, 9, NOW)
    const vote = await payee.vote(settle, NOW)
    const certificate = (votes: Signed[]) =>
      verifyCertificate(payer.certificate(escrow, settle, votes), network)
    await expect(certificate([vote])).resolves.toMatchObject({ ts: NOW + 1 })
    const bad = { code: 'BAD_CERTIFICATE' }
    await expect(certificate([vote, vote])).rejects.toMatchObject(bad)
    await expect(certificate([await stranger.vote(settle, NOW)])).rejects.toMatchObject(bad)
    await expect(certificate([await payee.vote(escrow, NOW)])).rejects.toMatchObject(bad)
    const forged = { ...vote, signature: (await other.vote(settle, NOW)).signature }
    await expect(certificate([forged])).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })

  test('needs the quorum where the escrow names witnesses', async () => {
    await payer.append({
      kind: 'seat',
      ts: NOW,
      body: { members: [other.peer], quorum: 1, unsure: true, votes: [] }
    })
    const escrow = await payer.append(
      payer.escrowIntent([[payee.peer, 10n]], NOW, { witnesses: [other.peer], quorum: 1 })
    )
    const settle = await payer.append(payer.settleIntent(escrow, [10n], NOW))
    const certificate = (votes: Signed[]) =>
      verifyCertificate(payer.certificate(escrow, settle, votes), network)
    await expect(certificate([])).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    await expect(certificate([await payee.vote(settle, NOW)])).rejects.toMatchObject({
      code: 'BAD_CERTIFICATE'
    })
    await expect(certificate([await other.vote(settle, NOW)])).resolves.toBeDefined()
  })
})

describe('drain', () => {
  test('is applied by the next record, and to a refund from its escrow on', async () => {
    const escrow = await payer.append(payer.escrowIntent([[payee.peer, 4_000_000n]], NOW))
    const ts = NOW + 26 * HOUR
    const settle = payer.next(payer.settleIntent(escrow, [0n], ts))
    const twice = (amount: bigint) => {
      const once = amount - (amount * 4117n) / 1_000_000n
      return once - (once * 4117n) / 1_000_000n
    }
    expect(settle.bal).toBe(twice(6_000_000n) + twice(4_000_000n))
    expect(await refusal(await forge(payer, settle))).toBe('accepted')
    expect(await refusal(await forge(payer, { ...settle, bal: 10_000_000n }))).toBe('BAD_RECORD')
  })

  test('does not depend on how many records lie between', async () => {
    const direct = payee.next(payee.escrowIntent([[other.peer, 1n]], NOW + 100 * HOUR))
    for (const hours of [20, 30, 31, 77, 100]) {
      await payee.append({
        kind: 'seat',
        ts: NOW + hours * HOUR,
        body: { members: [], quorum: 0, unsure: true, votes: [] }
      })
    }
    expect(payee.head.bal).toBe(direct.bal + 1n)
  })
})

test('a whole chain replays to the state that its author had', async () => {
  await settledJob()
  const state = await replayChain(undefined, payer.signed, network)
  expect(state).toEqual(payer.state)
  await expect(replayChain(undefined, payer.signed.slice(1), network)).rejects.toMatchObject({
    code: 'BAD_RECORD'
  })
  const gap = payer.signed.filter((_, i) => i !== 1)
  await expect(replayChain(undefined, gap, network)).rejects.toMatchObject({ code: 'BAD_RECORD' })
})

test('a payload that is not canonical is refused', async () => {
  const [genesis] = payer.signed
  const shuffled = {
    payload: encode(decode(genesis?.payload ?? new Uint8Array())),
    signature: genesis?.signature
  }
  expect(shuffled.payload).toEqual(genesis?.payload)
  const padded = new Uint8Array([...shuffled.payload, 0])
  await expect(
    verifyRecord({ payload: padded, signature: new Uint8Array(64) }, network)
  ).rejects.toMatchObject({ name: 'WireError' })
})
