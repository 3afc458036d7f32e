import { CreditError, type VerifiedRecord, verifyCertificate } from '../../src/credit/index.ts'
import { quorumOf } from '../../src/credit/seat.ts'
import { memoryStore, type Store } from '../../src/store/index.ts'
import { type Certificate, cidOf, DOMAINS, type Signed, SwarmError, sign } from '../../src/wire/index.ts'
import { TestChain } from '../../test/fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer } from '../../test/fixtures/ledger-swarm.ts'
import { randomOf } from '../sim/random.ts'
import { NOTHING, type Outcome, type ScenarioInit } from './scenario.ts'

/**
 * Against the ledger service itself, over messages that are encoded and checked as on the wire. Gain: what the
 * attacker got away with, of what one honest job pays.
 */

const PAY = 1_000n
/** Bits that are flipped, one a certificate. */
const FLIPS = 500
const group = (payee: number, weight: bigint) => ({ weight, payees: [payee], quorum: 1 })
const options = { seed: new Uint8Array(32) }

export async function ledgerAttacks(init: ScenarioInit): Promise<Outcome[]> {
  return [
    await replayedReceipt(),
    await claimedTwice(),
    await forgedCertificate(init),
    await clockSkew(),
    await forgedGifts()
  ]
}

const outcome = (name: string, gain: number, ends: string, more: Partial<Outcome> = {}): Outcome => ({
  ...NOTHING,
  name,
  gain,
  hold: 'prevented',
  ends,
  bound: 0,
  ...more
})

/** The same receipt again, and again after the settle. */
async function replayedReceipt(): Promise<Outcome> {
  const { swarm, payer, payee } = await pair()
  const { escrow } = await payer.escrow([[payee, PAY]])
  const receipt = await payer.ledger.receipt(escrow, payee.peer, PAY / 2n)
  await payee.ledger.acceptReceipt(receipt, payer.peer)
  const before = await worth(payee)
  await refused(() => payee.ledger.acceptReceipt(receipt, payer.peer))
  await payer.ledger.settle(escrow, [group(0, PAY / 2n)], options)
  await refused(() => payee.ledger.acceptReceipt(receipt, payer.peer))
  const gained = (await worth(payee)) - before
  await swarm.stop()
  return outcome(
    'replayed-receipt',
    Number(gained) / Number(PAY),
    'Receipts are cumulative: the same one adds nothing, and none counts after the settle.'
  )
}

/** Two names of one owner both claim an escrow, each more than once, from the settle's certificate. */
async function claimedTwice(): Promise<Outcome> {
  const { swarm, payer, payee } = await pair()
  const other = await swarm.add(3)
  const { escrow } = await payer.escrow([
    [payee, PAY],
    [other, PAY]
  ])
  const before = (await worth(payee)) + (await worth(other))
  await payer.ledger.settle(escrow, [group(0, PAY)], options)
  for (const [name, index] of [
    [payee, 0],
    [payee, 1],
    [other, 0],
    [other, 1],
    [payee, 0]
  ] as const) {
    const answer = await swarm.deliver(name.peer, payer.peer, { t: 'settled', escrow })
    if (answer.t === 'certificate') {
      await swarm.deliver(payer.peer, name.peer, { t: 'paid', certificate: answer.certificate, index })
    }
  }
  const gained = (await worth(payee)) + (await worth(other)) - before - PAY
  await swarm.stop()
  return outcome(
    'one-escrow-claimed-twice',
    Number(gained) / Number(PAY),
    'A claim names certificate and index; the amount is read, and one index is taken once, by its payee.'
  )
}

/**
 * Certificates that no quorum of four witnesses has signed, each with one thing wrong, and with any bit flipped. Gain:
 * how many were accepted. Without the count of votes those cut are, without the list of members those with a foreign
 * vote, without the look for double voters those, and without `isVoteOn` those of another record.
 */
async function forgedCertificate({ seed }: ScenarioInit): Promise<Outcome> {
  const { swarm } = await pair()
  const { network } = swarm
  const create = (key: number) => TestChain.create(network, key, NOW)
  const [payer, payee, stranger] = [await create(11), await create(12), await create(13)]
  const witnesses = await Promise.all([14, 15, 16, 17].map(create))
  const members = witnesses.map(({ peer }) => peer)
  const quorum = quorumOf(members.length)
  await payer.append({ kind: 'seat', ts: NOW, body: { members, quorum, unsure: true, votes: [] } })
  const body = { witnesses: members, quorum }
  const escrow = await payer.append(payer.escrowIntent([[payee.peer, PAY]], NOW, body))
  const settle = await payer.append(payer.settleIntent(escrow, [PAY], NOW))
  const votes = await Promise.all(witnesses.slice(0, quorum).map((witness) => witness.vote(settle, NOW)))
  const whole = payer.certificate(escrow, settle, votes)
  await verifyCertificate(whole, network) // the one that is not forged is good
  const [bought] = witnesses
  const [first, ...rest] = votes
  if (bought === undefined || first === undefined) {
    throw new Error('four witnesses')
  }
  const foreign = await Promise.all([stranger, payee, payer].map((voter) => voter.vote(settle, NOW)))
  const forged: Certificate[] = [
    [],
    rest,
    [...rest, ...rest],
    [...rest, ...rest.slice(0, 1)],
    [...votes, await bought.vote(settle, NOW + 1)],
    ...foreign.flatMap((vote) => [
      [...rest, vote],
      [...votes, vote]
    ]),
    [...rest, await payer.vote(settle, NOW, { author: bought.peer })],
    [...rest, await bought.vote(escrow, NOW)],
    [...rest, await bought.vote(settle, NOW, { seq: settle.record.seq + 1 })],
    [...rest, await bought.vote(settle, NOW, { subject: stranger.peer })]
  ].map((wrong) => ({ ...whole, votes: wrong }))
  forged.push(await ownQuorum(payer, escrow, settle, bought))
  const random = randomOf(seed, 'forged')
  for (let i = 0; i < FLIPS; i++) {
    const flip = ({ payload, signature }: Signed): Signed => {
      const changed = Uint8Array.from(payload)
      const at = Math.floor(random() * changed.length)
      changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      return { payload: changed, signature }
    }
    const parts = [
      { escrow: flip(whole.escrow) },
      { settle: flip(whole.settle) },
      { votes: [flip(first), ...rest] }
    ]
    forged.push({ ...whole, ...parts[i % parts.length] })
  }
  let accepted = 0
  for (const certificate of forged) {
    accepted += (await refused(() => verifyCertificate(certificate, network))) ? 0 : 1
  }
  accepted += (await refused(() => stranger.claim(whole, 0, NOW))) ? 0 : 1
  await swarm.stop()
  return outcome(
    'forged-certificate',
    accepted,
    `${forged.length - FLIPS} certificates short of a quorum, with foreign, double or other votes, ${FLIPS} with one bit flipped, and a stranger’s claim: none is accepted.`
  )
}

/** An escrow that names its four witnesses and is content with the one that is bought. */
async function ownQuorum(
  { key }: TestChain,
  escrow: VerifiedRecord,
  settle: VerifiedRecord,
  bought: TestChain
): Promise<Certificate> {
  if (escrow.record.kind !== 'escrow' || settle.record.kind !== 'settle') {
    throw new Error('an escrow and its settle')
  }
  const signedEscrow = await sign(key, DOMAINS.record, {
    ...escrow.record,
    body: { ...escrow.record.body, quorum: 1 }
  })
  const id = await cidOf(signedEscrow.payload)
  const signedSettle = await sign(key, DOMAINS.record, {
    ...settle.record,
    body: { ...settle.record.body, escrow: id }
  })
  const vote = await bought.vote({ ...settle, id: await cidOf(signedSettle.payload) }, NOW)
  return { kind: 'settle', escrow: signedEscrow, settle: signedSettle, seat: null, votes: [vote] }
}

/** Gifts of keys without a chain: of a time to come, of more than a balance holds, of a thousand credits. */
async function forgedGifts(): Promise<Outcome> {
  const { swarm, payee: taker } = await pair()
  const before = await worth(taker)
  const body = { to: taker.peer, on: [], witnesses: [], quorum: 0 }
  const forged = [
    { ts: Number.MAX_SAFE_INTEGER, amount: 10_000n },
    { ts: NOW, amount: BigInt(Number.MAX_SAFE_INTEGER) },
    { ts: NOW, amount: 1_000_000_000n }
  ]
  for (const [i, { ts, amount }] of forged.entries()) {
    const giver = await TestChain.create(swarm.network, 20 + i, NOW)
    giver.state = { ...giver.head, bal: amount, idleSince: ts }
    await giver.append({ kind: 'transfer', ts, body: { ...body, amount } })
    const certificate = { kind: 'transfer' as const, transfer: giver.signedAt(1), votes: [] }
    await swarm.deliver(giver.peer, taker.peer, { t: 'paid', certificate, index: 0 })
  }
  const made = Number((await worth(taker)) - before)
  await taker.restart()
  await taker.escrow([[await swarm.add(4), PAY]]) // neither its clock nor its books are spoilt
  await swarm.stop()
  return outcome(
    'forged-gifts',
    made / Number(PAY),
    'A gift without witnesses is taken from a chain that its taker has followed; one of a time to come, or beyond what a balance holds, from nobody.'
  )
}

/** A requester dates its escrow two hours ahead, to hold claims and drain off. */
async function clockSkew(): Promise<Outcome> {
  const { swarm, payee } = await pair()
  const chain = await TestChain.create(swarm.network, 21, NOW)
  const escrow = await chain.append(chain.escrowIntent([[payee.peer, PAY]], NOW + 2 * HOUR))
  const [genesis, record] = [chain.signedAt(0), chain.signedAt(escrow.record.seq)]
  const answer = await swarm.deliver(chain.peer, payee.peer, {
    t: 'certify',
    record,
    tail: [genesis],
    evidence: []
  })
  const isRefused = answer.t === 'refused' && answer.code === 'CLOCK'
  await swarm.stop()
  return outcome(
    'clock-skew',
    isRefused ? 0 : 1,
    'Nobody votes on a record more than two minutes from its own clock; a claim’s time lies within its settle’s window.'
  )
}

async function pair(
  store: Store = memoryStore()
): Promise<{ swarm: LedgerSwarm; payer: TestPeer; payee: TestPeer }> {
  const swarm = await LedgerSwarm.create()
  return { swarm, payer: await swarm.add(1, store), payee: await swarm.add(2) }
}

async function worth({ ledger }: TestPeer): Promise<bigint> {
  const { settled, verified } = await ledger.balance()
  return settled + verified
}

/** Whether it was refused with an error of ours. Anything else is a fault of the bench. */
async function refused(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt()
    return false
  } catch (error) {
    if (error instanceof CreditError || error instanceof SwarmError) {
      return true
    }
    throw error
  }
}
