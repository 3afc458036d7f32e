import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkLedger, faultOf, openLedger } from '../../../src/cli/ledger/check.ts'
import { receiptViews } from '../../../src/cli/ledger/views.ts'
import { auditExports, replayChain, verifyCertificate } from '../../../src/credit/index.ts'
import {
  type Certificate,
  DOMAINS,
  encodeLedgerFile,
  NETWORKS,
  type Network,
  networkOf,
  sha256,
  sign
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'
import { type WitnessedChains, witnessedChains } from '../../fixtures/witnessed-chains.ts'

let network: Network
let chains: WitnessedChains
beforeAll(async () => {
  network = await networkOf(NETWORKS.main)
  chains = await witnessedChains(network)
})

const fileOf = ({ peer, signed }: TestChain) => encodeLedgerFile({ network: 'main', peer, records: signed })

/** A chain that was forked by a copy of its profile, healed, closed and opened again. */
async function healedAndMoved(): Promise<TestChain> {
  const [main, copy] = (await Promise.all([8, 8].map((seed) => TestChain.create(network, seed, NOW)))) as [
    TestChain,
    TestChain
  ]
  for (const [chain, amount] of [[main, 5n] as const, [main, 6n] as const, [copy, 7n] as const]) {
    const body = { to: chains.payee.peer, amount, on: [], witnesses: [], quorum: 0 }
    await chain.append({ kind: 'transfer', ts: NOW + 1, body })
  }
  const body = { head: copy.head.id, branch: copy.signed.slice(1), witnesses: [], quorum: 0 }
  await main.append({ kind: 'heal', ts: NOW + 2, body }, copy.records.slice(1))
  const token = new Uint8Array(32).fill(3)
  const next = await sha256(token)
  await main.append({ kind: 'closed', ts: NOW + 3, body: { next } })
  await main.append({ kind: 'opened', ts: NOW + 4, body: { token } }, next)
  return main
}

async function faultIn(bytes: Uint8Array) {
  try {
    return (await checkLedger(await openLedger(bytes))).fault
  } catch (error) {
    return faultOf(error, null)
  }
}

describe('a ledger under witnesses', () => {
  test('holds from its first record to its last, and its books balance with the payee’s', async () => {
    const { payer, payee } = chains
    for (const chain of [payer, payee]) {
      expect(await faultIn(fileOf(chain))).toBeUndefined()
    }
    const exports = [payer, payee].map(({ peer, signed }) => ({ network: 'main', peer, records: signed }))
    expect(await auditExports(exports, network)).toMatchObject({
      balanced: true,
      balances: 20_000_000n - 750n,
      openEscrows: 750n,
      certifiedUnclaimed: 0n
    })
  })

  test('with any single bit flipped does not hold, healed and moved or not', async () => {
    const files = [fileOf(chains.payer), fileOf(chains.payee), fileOf(await healedAndMoved())]
    expect(await Promise.all(files.map(faultIn))).toEqual([undefined, undefined, undefined])
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(), async (file, position) => {
        const bit = position % (file.byteLength * 8)
        const flipped = file.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(await faultIn(flipped)).toBeDefined()
      })
    )
  })

  test('shows what was earned, and by what', async () => {
    const earned = receiptViews(chains.payee.records)
    expect(earned.map(({ amount, direction }) => [direction, amount])).toEqual([
      ['earned', '600'],
      ['earned', '250'],
      ['earned', '70']
    ])
    expect(earned.map(({ settle }) => settle !== null)).toEqual([true, false, false])
    expect(receiptViews(chains.payer.records).map(({ amount }) => amount)).toEqual(['600', '70'])
  })
})

describe('a certificate', () => {
  const refusal = (certificate: Certificate) =>
    verifyCertificate(certificate, network).then(
      ({ certainty }) => certainty,
      (error: { code: string }) => error.code
    )

  test('of each kind needs its quorum, of different witnesses, on the right thing', async () => {
    for (const certificate of Object.values(chains.certificates)) {
      const { votes } = certificate
      expect(await refusal(certificate)).toBe('witnessed')
      expect(await refusal({ ...certificate, votes: votes.slice(1) })).toBe('BAD_CERTIFICATE')
      expect(await refusal({ ...certificate, votes: [...votes.slice(1), ...votes.slice(1)] })).toBe(
        'BAD_CERTIFICATE'
      )
    }
    const { settle, payout, transfer } = chains.certificates
    expect(await refusal({ ...settle, votes: transfer.votes })).toBe('BAD_CERTIFICATE')
    expect(await refusal({ ...transfer, votes: settle.votes })).toBe('BAD_CERTIFICATE')
    expect(await refusal({ ...payout, votes: settle.votes })).toBe('MALFORMED')
    expect(await refusal({ ...payout, escrow: settle.escrow })).toBe('BAD_RECEIPT')
  })

  test('by a later seat does not stand before the witnesses are given up', async () => {
    const { payer, certificates } = chains
    const seat = payer.signedAt(2)
    expect(await refusal({ ...certificates.settle, seat })).toBe('BAD_CERTIFICATE')
    expect(await refusal({ ...certificates.settle, seat: payer.signedAt(0) })).toBe('BAD_CERTIFICATE')
  })
})

describe('a seat that follows another', () => {
  const changed = async (change: (votes: readonly unknown[]) => Record<string, unknown>) => {
    const { payer } = chains
    const [genesis, first, second] = payer.records
    if (!genesis || !first || !second || second.record.kind !== 'seat') {
      throw new Error('a chain with two seats')
    }
    const body = { ...second.record.body, ...change(second.record.body.votes) }
    const forged = await sign(payer.key, DOMAINS.record, { ...second.record, body })
    return replayChain(undefined, [payer.signedAt(0), payer.signedAt(1), forged], network).then(
      () => 'accepted',
      (error: { code: string }) => error.code
    )
  }

  test('embeds the votes of a quorum of the one before it, for itself', async () => {
    const { payer, witnesses } = chains
    const [a, b, c, late] = witnesses
    if (!a || !b || !c || !late) {
      throw new Error('four witnesses')
    }
    expect(await changed((votes) => ({ votes }))).toBe('accepted')
    expect(await changed((votes) => ({ votes: votes.slice(1) }))).toBe('BAD_RECORD')
    expect(await changed((votes) => ({ votes: [votes[0], votes[0]] }))).toBe('BAD_RECORD')
    expect(await changed((votes) => ({ unsure: true, votes }))).toBe('BAD_RECORD')
    expect(await changed(() => ({ unsure: true, votes: [] }))).toBe('accepted')
    expect(await changed(() => ({ members: [a.peer, b.peer, c.peer], quorum: 2 }))).toBe('BAD_RECORD')
    const place = { kind: 'reseat', subject: payer.peer, seq: 2, members: witnesses.map(({ peer }) => peer) }
    const prev = payer.records[1]?.id
    const by = (witness: TestChain, fields: Record<string, unknown>) =>
      witness.statement(0, { ...place, prev, ...fields })
    expect(await changed(() => ({ votes: [] }))).toBe('BAD_RECORD')
    const good = await by(a, {})
    for (const bad of [
      by(late, {}),
      by(b, { seq: 3 }),
      by(b, { prev: payer.records[0]?.id }),
      by(b, { subject: a.peer })
    ]) {
      const vote = await bad
      expect(await changed(() => ({ votes: [good, vote] }))).toBe('BAD_RECORD')
    }
    const right = await by(c, {})
    expect(await changed(() => ({ votes: [good, right] }))).toBe('accepted')
  })
})
