import { afterEach, describe, expect, test } from 'vitest'
import type { Contract } from '../../../src/credit/index.ts'
import {
  type Certificate,
  decodeStrict,
  type LedgerResponse,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/** Payers that stay until their payee is gone, or bring witnesses of their own, under the rules of `main`. */
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

/** A payer, a payee and four more, an escrow of 1,000 µcr between the two, 700 µcr of it receipted. */
async function receipted(lifetimeMs: number) {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const [payer, payee] = [await swarm.add(1), await swarm.add(2)]
  const others: TestPeer[] = []
  for (let seed = 3; seed <= 6; seed++) {
    others.push(await swarm.add(seed))
  }
  const contract = await payer.ledger.openEscrow({
    jobId: new Uint8Array(16),
    channels: [{ peer: payee.peer, max: 1_000n }],
    inputRoot: new Uint8Array(32),
    tClose: swarm.now + lifetimeMs
  })
  await receipt(payer, payee, contract, 700n)
  return { payer, payee, others, contract }
}

async function receipt(payer: TestPeer, payee: TestPeer, { escrow }: Contract, amount: bigint) {
  await payee.ledger.acceptReceipt(await payer.ledger.receipt(escrow, payee.peer, amount), payer.peer)
}

const settled = async ({ ledger }: TestPeer) => (await ledger.balance()).settled
const lodgings = () => swarm.messages.filter(({ request }) => request.t === 'lodge').length

describe('what was receipted', () => {
  test('is lodged though the payer stays: it settles nothing behind the back of who is gone', async () => {
    const { payer, payee, others, contract } = await receipted(23 * HOUR)
    await payee.ledger.maintain()
    expect(lodgings()).toBe(0) // a job that ends within seconds is settled
    await payee.ledger.maintain()
    expect(lodgings()).toBe(4)
    await payee.ledger.maintain()
    expect(lodgings()).toBe(4) // once an amount
    swarm.away.add(payee.peer)
    const kept = payer.store.table('contracts') // its memory is its own
    for (const [key] of await kept.entries()) {
      await kept.delete(key)
    }
    swarm.now = contract.tClose + 1
    await payer.restart()
    for (const each of [payer, ...others]) {
      await each.ledger.maintain()
    }
    await eventually(() => expect(swarm.logs.join()).toContain('UNDERPAID'))
    await swarm.back(payee.peer)
    swarm.now += 60_000
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_700n)
  })

  test('in the last minute of an escrow is lodged as it comes', async () => {
    const { payer, payee, contract } = await receipted(30_000)
    await eventually(() => expect(lodgings()).toBeGreaterThan(0))
    swarm.now = contract.tClose
    await receipt(payer, payee, contract, 900n)
    swarm.now += 60_000
    await payee.ledger.maintain()
    expect(await settled(payee)).toBe(10_000_900n)
  })
})

/** A settle that pays one of the 700 µcr, by a seat of the payer's own key, signed behind its escrow. */
async function underpaid(payer: TestPeer, contract: Contract, ts: number): Promise<Certificate> {
  const { records } = await payer.ledger.exportLedger()
  const chain = await TestChain.create(swarm.network, 1, swarm.now)
  chain.state = undefined
  for (const signed of records) {
    await chain.take(signed)
  }
  const escrow = records.at(-1)
  const own = await TestChain.create(swarm.network, 90, swarm.now)
  const seat = { members: [own.peer], quorum: 1, unsure: true, votes: [] }
  await chain.append({ kind: 'seat', ts: Math.max(swarm.now, chain.head.ts), body: seat })
  const opened = chain.records.find(({ id }) => id.equals(contract.escrow))
  if (escrow === undefined || opened === undefined) {
    throw new Error('the escrow is the newest record')
  }
  const made = await chain.append(chain.settleIntent(opened, [1n], ts))
  const [later, settle] = chain.signed.slice(-2)
  if (later === undefined || settle === undefined) {
    throw new Error('both were appended')
  }
  return { kind: 'settle', escrow, settle, seat: later, votes: [await own.vote(made, swarm.now)] }
}

describe('a settle below the receipts, by a seat that the payer has named since', () => {
  const pay = async (payer: TestPeer, payee: TestPeer, certificate: Certificate): Promise<string> => {
    const request = { t: 'paid' as const, certificate, index: 0 }
    const answer: LedgerResponse = await swarm.deliver(payer.peer, payee.peer, request)
    return answer.t === 'refused' ? answer.code : answer.t
  }

  test('is not taken while the witnesses can pay, whatever time it says that it is', async () => {
    const { payer, payee, contract } = await receipted(HOUR)
    const orphaned = contract.tClose + 24 * HOUR
    const early = await underpaid(payer, contract, swarm.now)
    expect(await pay(payer, payee, early)).toBe('BAD_CERTIFICATE')
    expect(await pay(payer, payee, await underpaid(payer, contract, orphaned))).toBe('CLOCK')
    swarm.now = orphaned
    const late = await underpaid(payer, contract, orphaned)
    expect(await pay(payer, payee, late)).toBe('UNDERPAID')
    await payee.ledger.maintain()
    await eventually(async () => expect(await settled(payee)).toBeGreaterThan(9_900_000n))
    const claims = (await payee.ledger.exportLedger()).records.map(
      ({ payload }) => decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX).kind
    )
    expect(claims).toContain('claim')
    expect((await payee.ledger.balance()).verified).toBe(0n)
    // and it is paid once
    expect(await pay(payer, payee, late)).toBe('ok')
    expect((await payee.ledger.exportLedger()).records).toHaveLength(claims.length)
  })

  test('is taken when nobody else can pay any more', async () => {
    const { payer, payee, others, contract } = await receipted(HOUR)
    for (const { peer } of others) {
      swarm.away.add(peer)
    }
    const late = await underpaid(payer, contract, contract.tClose + 25 * HOUR)
    swarm.now = contract.tClose + 7 * 24 * HOUR
    expect(await pay(payer, payee, late)).toBe('UNDERPAID')
    swarm.now += 1
    expect(await pay(payer, payee, late)).toBe('ok')
  })
})
