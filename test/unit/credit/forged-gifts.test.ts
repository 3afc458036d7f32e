import { afterEach, describe, expect, test } from 'vitest'
import { quorumOf } from '../../../src/credit/index.ts'
import {
  decodeStrict,
  type LedgerRequest,
  type LedgerResponse,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  type TransferCertificate
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** Money that strangers send, under the rules of `main`. */
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

async function open(count: number, seats = true): Promise<[TestPeer, ...TestPeer[]]> {
  swarm = await LedgerSwarm.create({ seats, rules: STRICT })
  const first = await swarm.add(1)
  const peers: [TestPeer, ...TestPeer[]] = [first]
  for (let seed = 2; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return peers
}

/** A gift of a chain that nobody has followed, with as many witnesses of its own as it likes. */
async function giftOf(
  seed: number,
  to: TestPeer,
  { amount = 10_000n, ts = swarm.now, isWitnessed = false } = {}
): Promise<{ giver: TestChain; certificate: TransferCertificate }> {
  const giver = await TestChain.create(swarm.network, seed, Math.min(ts, swarm.now))
  const own = await TestChain.create(swarm.network, 200, swarm.now)
  const [members, quorum] = isWitnessed ? [[own.peer], quorumOf(1)] : [[], 0]
  if (isWitnessed) {
    await giver.append({
      kind: 'seat',
      ts: giver.head.ts,
      body: { members, quorum, unsure: true, votes: [] }
    })
  }
  giver.state = { ...giver.head, bal: amount, idleSince: ts } // what it never had
  const made = await giver.append({
    kind: 'transfer',
    ts,
    body: { to: to.peer, amount, on: [], witnesses: members, quorum }
  })
  const votes = isWitnessed ? [await own.vote(made, swarm.now)] : []
  return { giver, certificate: { kind: 'transfer', transfer: giver.signedAt(made.record.seq), votes } }
}

const pay = (to: TestPeer, giver: TestChain, certificate: TransferCertificate): Promise<LedgerResponse> =>
  swarm.deliver(giver.peer, to.peer, { t: 'paid', certificate, index: 0 })

const codeOf = (answer: LedgerResponse) => (answer.t === 'refused' ? answer.code : answer.t)

const settled = async ({ ledger }: TestPeer) => (await ledger.balance()).settled

describe('a gift', () => {
  test('of a time to come moves no clock but its own: the taker spends as before', async () => {
    const [taker, other] = await open(3)
    for (const ts of [swarm.now + HOUR, Number.MAX_SAFE_INTEGER]) {
      const { giver, certificate } = await giftOf(90, taker, { ts, isWitnessed: true })
      expect(codeOf(await pay(taker, giver, certificate))).toBe('CLOCK')
    }
    expect(await settled(taker)).toBe(10_000_000n)
    expect((await taker.escrow([[other as TestPeer, 10n]])).certifiedBy).toHaveLength(1)
  })

  test('that no balance can hold is refused, and the ledger opens again', async () => {
    const [taker] = await open(2)
    const { giver, certificate } = await giftOf(90, taker, {
      amount: BigInt(Number.MAX_SAFE_INTEGER),
      isWitnessed: true
    })
    expect(codeOf(await pay(taker, giver, certificate))).toBe('BAD_RECORD')
    await taker.restart()
    expect(await settled(taker)).toBe(10_000_000n)
  })

  test('without witnesses is taken from a chain that its taker has followed, from no other', async () => {
    const [taker] = await open(3)
    const { giver, certificate } = await giftOf(90, taker, { amount: 1_000_000_000n })
    expect(codeOf(await pay(taker, giver, certificate))).toBe('NOT_CONCERNED')
    const certify = (signed: TransferCertificate['transfer'], tail = giver.signed.slice(0, -1)) =>
      swarm.deliver(giver.peer, taker.peer, { t: 'certify', record: signed, tail, evidence: [] })
    expect(codeOf(await certify(certificate.transfer))).toBe('BAD_RECORD') // it spends what it has not
    expect(codeOf(await pay(taker, giver, certificate))).toBe('NOT_CONCERNED')
    expect(await settled(taker)).toBe(10_000_000n)
  })

  test('to somebody else gets no vote of a peer that is no witness of it', async () => {
    const [taker, other] = await open(2)
    const giver = await TestChain.create(swarm.network, 90, swarm.now)
    const body = { to: (other as TestPeer).peer, amount: 10_000n, on: [], witnesses: [], quorum: 0 }
    await giver.append({ kind: 'transfer', ts: swarm.now, body })
    const [first, gift] = [giver.signedAt(0), giver.signedAt(1)]
    const answer = await swarm.deliver(giver.peer, taker.peer, {
      t: 'certify',
      record: gift,
      tail: [first],
      evidence: []
    })
    expect(codeOf(answer)).toBe('NOT_CONCERNED')
  })

  test('reaches who was away for days', async () => {
    const [giver, taker] = (await open(2, false)) as [TestPeer, TestPeer]
    swarm.away.add(taker.peer)
    await giver.ledger.transfer(taker.peer, 20_000n)
    swarm.now += 3 * 24 * HOUR
    const before = await settled(taker)
    await swarm.back(taker.peer)
    await eventually(async () => expect(await settled(taker)).toBe(before + 20_000n))
  })

  test('is taken, too, by who has followed its chain beyond it', async () => {
    const [taker] = await open(2)
    const giver = await TestChain.create(swarm.network, 90, swarm.now)
    const body = { to: taker.peer, amount: 10_000n, on: [], witnesses: [], quorum: 0 }
    await giver.append({ kind: 'transfer', ts: swarm.now, body })
    await giver.append(giver.escrowIntent([[taker.peer, 10n]], swarm.now))
    const [, transfer, record] = [0, 1, 2].map((seq) => giver.signedAt(seq))
    const tail = giver.signed.slice(0, 2)
    const ask: LedgerRequest = { t: 'certify', record: record as Signed, tail, evidence: [] }
    expect(codeOf(await swarm.deliver(giver.peer, taker.peer, ask))).toBe('vote')
    const certificate = { kind: 'transfer', transfer: transfer as Signed, votes: [] } as const
    expect(codeOf(await pay(taker, giver, { ...certificate, votes: [] }))).toBe('ok')
    expect(await settled(taker)).toBe(10_010_000n)
  })

  test('of strangers comes a few times an hour, of those known always', async () => {
    const [taker] = await open(2)
    swarm.known.set(taker.peer, new Set())
    const codes: string[] = []
    for (let seed = 100; seed < 140; seed++) {
      const { giver, certificate } = await giftOf(seed, taker, { isWitnessed: true })
      codes.push(codeOf(await pay(taker, giver, certificate)))
    }
    expect(codes.filter((code) => code === 'ok')).toHaveLength(32)
    expect(new Set(codes.slice(32))).toEqual(new Set(['BUSY']))
    const { giver, certificate } = await giftOf(140, taker, { isWitnessed: true })
    swarm.known.set(taker.peer, new Set([giver.peer]))
    expect(codeOf(await pay(taker, giver, certificate))).toBe('ok')
    swarm.known.set(taker.peer, new Set())
    swarm.now += HOUR
    const later = await giftOf(141, taker, { isWitnessed: true })
    expect(codeOf(await pay(taker, later.giver, later.certificate))).toBe('ok')
  })
})

test('one giver fills no place of others, with one gift shown often or with many at once', async () => {
  const [taker] = await open(2)
  swarm.known.set(taker.peer, new Set())
  const { giver, certificate } = await giftOf(90, taker, { isWitnessed: true })
  const own = await TestChain.create(swarm.network, 200, swarm.now)
  const certificates = [certificate]
  giver.state = { ...giver.head, bal: 30_000n }
  for (let i = 0; i < 3; i++) {
    const body = { to: taker.peer, amount: 10_000n, on: [], witnesses: [own.peer], quorum: 1 }
    const made = await giver.append({ kind: 'transfer', ts: swarm.now, body })
    const votes = [await own.vote(made, swarm.now)]
    certificates.push({ kind: 'transfer', transfer: giver.signedAt(made.record.seq), votes })
  }
  const shown = [...certificates, ...certificates]
  const codes = (await Promise.all(shown.map((each) => pay(taker, giver, each)))).map(codeOf)
  expect(new Set(codes)).toEqual(new Set(['ok', 'BUSY']))
  const taken = shown[codes.indexOf('ok')] as TransferCertificate // they are checked side by side: any two of the four
  for (let i = 0; i < 32; i++) {
    expect(codeOf(await pay(taker, giver, taken))).toBe('ok')
  }
  expect(await settled(taker)).toBe(10_020_000n)
  const other = await giftOf(91, taker, { isWitnessed: true })
  expect(codeOf(await pay(taker, other.giver, other.certificate))).toBe('ok')
  swarm.now += HOUR
  const refused = certificates.filter((each) => !shown.some((one, i) => one === each && codes[i] === 'ok'))
  for (const each of refused) {
    expect(codeOf(await pay(taker, giver, each))).toBe('ok')
  }
  expect(await settled(taker)).toBe(10_050_000n)
})

test('nothing is signed that nobody could read', async () => {
  const [author] = await open(1)
  const max = BigInt(Number.MAX_SAFE_INTEGER)
  await expect(author.ledger.transfer('12D3KooW' as never, 10_000n)).rejects.toMatchObject({
    name: 'WireError'
  })
  await expect(author.ledger.transfer((await giftOf(90, author)).giver.peer, max + 1n)).rejects.toThrow()
  const { records } = await author.ledger.exportLedger()
  expect(records.map(({ payload }) => decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX).kind)).toEqual([
    'genesis'
  ])
})
