import { CreditError, verifyCertificate } from '../../src/credit/index.ts'
import { memoryStore, type Store } from '../../src/store/index.ts'
import { SwarmError } from '../../src/wire/index.ts'
import { TestChain } from '../../test/fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer } from '../../test/fixtures/ledger-swarm.ts'
import { randomOf } from '../sim/random.ts'
import { NOTHING, type Outcome, type ScenarioInit } from './scenario.ts'

/**
 * Against the ledger service itself, over messages that are encoded and checked as on the wire. Gain: what the
 * attacker got away with, of what one honest job pays.
 */

const PAY = 1_000n
const group = (payee: number, weight: bigint) => ({ weight, payees: [payee], quorum: 1 })
const options = { seed: new Uint8Array(32) }

export async function ledgerAttacks(init: ScenarioInit): Promise<Outcome[]> {
  return [
    await replayedReceipt(),
    await claimedTwice(),
    await forgedCertificate(init),
    await clockSkew(),
    await forgedGifts(),
    await oversized()
  ]
}

const outcome = (name: string, gain: number, ends: string, more: Partial<Outcome> = {}): Outcome => ({
  ...NOTHING,
  name,
  gain,
  hold: 'prevented',
  ends,
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

/** A certificate with other amounts, other payees, cut, or with any bit flipped. */
async function forgedCertificate({ seed }: ScenarioInit): Promise<Outcome> {
  const { swarm } = await pair()
  const [payer, payee] = await Promise.all([11, 12].map((key) => TestChain.create(swarm.network, key, NOW)))
  if (payer === undefined || payee === undefined) {
    throw new Error('two chains')
  }
  const escrow = await payer.append(payer.escrowIntent([[payee.peer, PAY]], NOW))
  const settle = await payer.append(payer.settleIntent(escrow, [PAY], NOW))
  const whole = payer.certificate(escrow, settle, [await payee.vote(settle, NOW)])
  const random = randomOf(seed, 'forged')
  const tries = 500
  let accepted = 0
  for (let i = 0; i < tries; i++) {
    const part = (['escrow', 'settle'] as const)[i % 2] ?? 'escrow'
    const payload = Uint8Array.from(whole[part].payload)
    const at = Math.floor(random() * payload.length)
    payload[at] = (payload[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    const forged = { ...whole, [part]: { ...whole[part], payload } }
    accepted += (await refused(() => verifyCertificate(forged, swarm.network))) ? 0 : 1
  }
  const other = await TestChain.create(swarm.network, 13, NOW)
  accepted += (await refused(() => other.claim(whole, 0, NOW))) ? 0 : 1
  await swarm.stop()
  return outcome(
    'forged-certificate',
    accepted / tries,
    `${tries} certificates with one bit flipped, and a stranger’s claim: none is accepted.`
  )
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

/** A ledger message of twice the limit. */
async function oversized(): Promise<Outcome> {
  const { swarm, payer, payee } = await pair()
  const record = { payload: new Uint8Array(64 * 1024), signature: new Uint8Array(64) }
  const isRefused = await refused(() =>
    swarm.deliver(payer.peer, payee.peer, {
      t: 'certify',
      record,
      tail: Array.from({ length: 16 }, () => record),
      evidence: []
    })
  )
  await swarm.stop()
  return outcome(
    'oversized-messages',
    isRefused ? 0 : 1,
    'Every message has a limit that is looked at before anything is decoded; a stream that does not end is cut by time (tests of `net`).'
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
