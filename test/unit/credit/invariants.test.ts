import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyRecord, audit, type ChainState, type VerifiedRecord } from '../../../src/credit/index.ts'
import { encodeState } from '../../../src/credit/state-codec.ts'
import { checkSettleCase } from '../../../src/credit/voting.ts'
import {
  type Certificate,
  NETWORKS,
  networkOf,
  type PeerIdString,
  type RecordOf,
  type Release
} from '../../../src/wire/index.ts'
import { INVARIANT_RUNS } from '../../fixtures/invariant-runs.ts'
import { HOUR, NOW, testKey } from '../../fixtures/ledger-swarm.ts'
import { settleCertificate, transferCertificate, UnsignedChain } from '../../fixtures/unsigned-chain.ts'

/**
 * The invariants of the ledger's rules, as pure as the rules themselves: no keys, no store, so that there can be many
 * runs. What needs signatures and stores is in `safety.test.ts` and `model.test.ts`.
 */

const network = await networkOf(NETWORKS.main)
const PEERS: PeerIdString[] = []
for (const seed of [1, 2, 3, 4]) {
  PEERS.push(peerIdFromPrivateKey(await testKey(seed)).toString() as PeerIdString) // of an Ed25519 key
}
const RUNS = { numRuns: INVARIANT_RUNS }
const LONG = { timeout: 60_000 * Math.max(1, INVARIANT_RUNS / 1_000) }

type Settled = { escrow: Of<'escrow'>; settle: Of<'settle'>; payer: UnsignedChain }
type Of<K extends RecordOf<'escrow' | 'settle' | 'transfer'>['kind']> = VerifiedRecord & {
  record: RecordOf<K>
}

interface Due {
  readonly certificate: Certificate
  readonly verified: Parameters<UnsignedChain['append']>[1]
  readonly index: number
  readonly payee: UnsignedChain
}

const step = fc.record({
  kind: fc.constantFrom(
    'escrow' as const,
    'escrow' as const,
    'settle' as const,
    'settle' as const,
    'claim' as const,
    'claim' as const,
    'transfer' as const,
    'wait' as const,
    'settle again' as const,
    'claim again' as const,
    'overspend' as const,
    'overpay' as const,
    'keep' as const,
    'claim for another' as const,
    'miscount' as const
  ),
  author: fc.nat(2),
  pick: fc.nat(20),
  amounts: fc.tuple(fc.nat(3_000_000), fc.nat(3_000_000)),
  hours: fc.nat(90)
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Three peers that hire and give to each other, and now and then try what they must not. */
class Economy {
  readonly chains = PEERS.slice(0, 3).map((peer) => new UnsignedChain(network, peer, NOW))
  now = NOW
  private readonly open: Array<{ payer: UnsignedChain; escrow: Of<'escrow'> }> = []
  private readonly settled: Settled[] = []
  private readonly due: Due[] = []
  private readonly claimed: Due[] = []
  private nonce = 0

  /** @returns whether the step was one that the rules must refuse, and did not */
  take({ kind, author, pick, amounts, hours }: Step): boolean {
    const chain = this.chains[author] as UnsignedChain // author is 0 to 2
    switch (kind) {
      case 'wait':
        this.now += hours * HOUR
        return false
      case 'escrow':
        this.hire(chain, amounts)
        return false
      case 'settle':
        this.settle(pick, amounts)
        return false
      case 'claim':
        this.claim(pick)
        return false
      case 'transfer':
        this.give(chain, amounts[0])
        return false
      case 'settle again': {
        const old = this.settled[pick % Math.max(1, this.settled.length)]
        return old !== undefined && accepts(() => old.payer.append({ ...old.settle.record, ts: this.now }))
      }
      case 'claim again': {
        const old = this.claimed[pick % Math.max(1, this.claimed.length)]
        return old !== undefined && accepts(() => this.take1(old))
      }
      case 'overspend': {
        const max = chain.head.bal + 1n
        const other = this.others(chain)[0] as UnsignedChain // there are two
        return accepts(() => chain.append(this.escrowIntent([{ peer: other.peer, max, on: [] }], max)))
      }
      case 'overpay':
      case 'keep': {
        const job = this.open[pick % Math.max(1, this.open.length)]
        return job !== undefined && accepts(() => job.payer.append(this.wrongSettle(job.escrow, kind)))
      }
      case 'claim for another': {
        const due = this.due[pick % Math.max(1, this.due.length)]
        const thief = this.chains.find((other) => other !== due?.payee)
        return due !== undefined && thief !== undefined && accepts(() => this.take1({ ...due, payee: thief }))
      }
      case 'miscount': {
        const probe = new UnsignedChain(network, chain.peer, NOW)
        probe.head = chain.head
        const { record } = probe.append({
          kind: 'seat',
          ts: this.now,
          body: { members: [], quorum: 0, unsure: true, votes: [] }
        })
        return accepts(() => chain.take({ ...record, bal: record.bal + BigInt(1 + (pick % 3)) }))
      }
    }
  }

  private others(chain: UnsignedChain): UnsignedChain[] {
    return this.chains.filter((other) => other !== chain)
  }

  private escrowIntent(payees: RecordOf<'escrow'>['body']['payees'], amount: bigint) {
    return {
      kind: 'escrow' as const,
      ts: this.now,
      body: {
        jobId: new Uint8Array(16),
        parent: null,
        payees,
        amount,
        inputRoot: new Uint8Array(32),
        witnesses: [],
        quorum: 0,
        tClose: this.now + HOUR,
        nonce: new Uint8Array(16).fill(++this.nonce)
      }
    }
  }

  private hire(payer: UnsignedChain, amounts: readonly number[]): void {
    const payees = this.others(payer).map(({ peer }, i) => ({
      peer,
      max: BigInt(amounts[i] ?? 0) + 1n,
      on: []
    }))
    const amount = payees.reduce((sum, { max }) => sum + max, 0n)
    attempt('INSUFFICIENT_CREDIT', () => {
      const escrow = payer.append(this.escrowIntent(payees, amount)) as Of<'escrow'> // by its intent
      this.open.push({ payer, escrow })
    })
  }

  private settle(pick: number, amounts: readonly number[]): void {
    const [job] = this.open.splice(pick % Math.max(1, this.open.length), 1)
    if (job === undefined) {
      return
    }
    const { payer, escrow } = job
    const { payees, amount } = escrow.record.body
    const payouts = payees.map(({ max }, i) => BigInt(amounts[i] ?? 0) % (max + 1n))
    const settle = payer.append({
      kind: 'settle',
      ts: this.now,
      body: {
        escrow: escrow.id,
        payouts,
        refund: amount - payouts.reduce((sum, payout) => sum + payout, 0n),
        split: {
          form: 'units',
          seed: new Uint8Array(32),
          inputs: payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
        }
      }
    }) as Of<'settle'> // by its intent
    this.settled.push({ payer, escrow, settle })
    const proof = settleCertificate(escrow, settle)
    for (const [index, { peer }] of payees.entries()) {
      const payee = this.chains.find((chain) => chain.peer === peer) as UnsignedChain // payees are of the three
      this.due.push({ ...proof, index, payee })
    }
  }

  /** One µcr more than a channel holds, at the cost of the other; or one less than there is, in all. */
  private wrongSettle({ id, record: { body } }: Of<'escrow'>, kind: 'overpay' | 'keep') {
    const max = body.payees[0]?.max ?? 0n
    const payouts = body.payees.map((_, i) => (i > 0 ? 0n : kind === 'overpay' ? max + 1n : max))
    const refund = body.amount - sumOf(payouts) - (kind === 'keep' ? 1n : 0n)
    const inputs = payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
    const split = { form: 'units' as const, seed: new Uint8Array(32), inputs }
    return { kind: 'settle' as const, ts: this.now, body: { escrow: id, payouts, refund, split } }
  }

  private give(giver: UnsignedChain, amount: number): void {
    const payee = this.others(giver)[amount % 2] as UnsignedChain // there are two
    attempt('INSUFFICIENT_CREDIT', () => {
      const body = { to: payee.peer, amount: BigInt(amount) + 1n, on: [], witnesses: [], quorum: 0 }
      const transfer = giver.append({ kind: 'transfer', ts: this.now, body }) as Of<'transfer'> // by its intent
      this.due.push({ ...transferCertificate(transfer), index: 0, payee })
    })
  }

  private claim(pick: number): void {
    const [due] = this.due.splice(pick % Math.max(1, this.due.length), 1)
    if (due !== undefined) {
      // nothing to claim, or too late
      attempt('BAD_CERTIFICATE|BAD_RECORD', () => {
        this.take1(due)
        this.claimed.push(due)
      })
    }
  }

  private take1({ certificate, verified, index, payee }: Due): void {
    payee.append({ kind: 'claim', ts: this.now, body: { certificate, index } }, verified)
  }
}

const sumOf = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n)

function attempt(code: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(code) })
  }
}

function accepts(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch (error) {
    expect(error).toHaveProperty('code')
    return false
  }
}

describe('whatever peers do and try, in whatever order', () => {
  test(
    'every credit is accounted for after every step, no balance falls below 0, nothing is settled or claimed twice',
    LONG,
    () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 24 }), (steps) => {
          const economy = new Economy()
          for (const each of steps) {
            if (economy.take(each)) {
              throw new Error(`The rules let it ${each.kind}.`)
            }
            const books = audit(
              economy.chains.map(({ records }) => records),
              network.parameters,
              economy.now
            )
            if (!books.balanced || books.debt > 0n || economy.chains.some(({ head }) => head.bal < 0n)) {
              throw new Error(`After ${each.kind} the books are ${Object.values(books).join()}.`)
            }
          }
        }),
        RUNS
      )
    }
  )

  test(
    'records that come in another order and again and again make the same state, and no other',
    LONG,
    () => {
      fc.assert(
        fc.property(
          fc.array(step, { minLength: 3, maxLength: 16 }),
          fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
          (steps, order) => {
            const economy = new Economy()
            for (const each of steps) {
              economy.take(each)
            }
            for (const { records, head } of economy.chains) {
              const state = deliver(records, order)
              expect(encodeState(state)).toEqual(encodeState(head))
            }
          }
        ),
        RUNS
      )
    }
  )
})

/** What a follower comes to that is shown a chain's records in any order, until it has them all. */
function deliver(records: readonly VerifiedRecord[], order: readonly number[]): ChainState {
  const arrivals = order.map((place) => records[place % records.length] as VerifiedRecord) // within its length
  let state: ChainState | undefined
  for (const record of [...arrivals, ...records, ...arrivals.slice(0, 4)]) {
    try {
      state = applyRecord(state, record, network.parameters)
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching('BAD_RECORD|FORK') })
    }
  }
  return state as ChainState // the whole chain was among them, in order
}

test(
  'a witness lets no settle pay below a lodged receipt, nor before its time without releases',
  LONG,
  () => {
    const [payer, one, two, self] = PEERS as [PeerIdString, PeerIdString, PeerIdString, PeerIdString]
    const amount = fc.bigInt(0n, 20n)
    const channel = fc.record({
      max: fc.bigInt(1n, 20n),
      payout: amount,
      lodged: fc.option(amount, { nil: undefined }),
      released: fc.option(amount, { nil: undefined })
    })
    fc.assert(
      fc.property(fc.tuple(channel, channel), fc.integer({ min: -2, max: 2 }), (channels, afterClose) => {
        const capped = channels.map((each) => ({
          ...each,
          payout: each.payout % (each.max + 1n)
        }))
        const chain = new UnsignedChain(network, payer, NOW)
        chain.append({
          kind: 'seat',
          ts: NOW,
          body: { members: [self], quorum: 1, unsure: true, votes: [] }
        })
        const payees = capped.map(({ max }, i) => ({ peer: i === 0 ? one : two, max, on: [] }))
        const total = payees.reduce((sum, { max }) => sum + max, 0n)
        const tClose = NOW + HOUR
        const escrow = chain.append({
          kind: 'escrow',
          ts: NOW,
          body: {
            jobId: new Uint8Array(16),
            parent: null,
            payees,
            amount: total,
            inputRoot: new Uint8Array(32),
            witnesses: [self],
            quorum: 1,
            tClose,
            nonce: new Uint8Array(16)
          }
        })
        const open = chain.head.openEscrows.get(escrow.id.toString())
        if (open === undefined) {
          throw new Error('the escrow is open')
        }
        const payouts = capped.map(({ payout }) => payout)
        const settle = chain.append({
          kind: 'settle',
          ts: NOW,
          body: {
            escrow: escrow.id,
            payouts,
            refund: total - payouts.reduce((sum, payout) => sum + payout, 0n),
            split: {
              form: 'units',
              seed: new Uint8Array(32),
              inputs: payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
            }
          }
        })
        const releases = capped.flatMap(({ released }, i): Release[] =>
          released === undefined
            ? []
            : [
                {
                  v: 1,
                  net: network.hash,
                  author: i === 0 ? one : two,
                  ts: NOW,
                  kind: 'release',
                  escrow: escrow.id,
                  amount: released
                }
              ]
        )
        const lodged = new Map(capped.flatMap(({ lodged }, i) => (lodged === undefined ? [] : [[i, lodged]])))
        const stands = accepts(() =>
          checkSettleCase({
            settle,
            escrow: open,
            self,
            evidence: { releases, votes: [] },
            lodged,
            now: tClose + afterClose,
            network: network.parameters
          })
        )
        const isPaid = capped.every(({ payout, lodged = 0n }) => payout >= lodged)
        const isReleased = capped.every(
          ({ payout, max, released }) => payout === max || (released !== undefined && payout >= released)
        )
        expect(stands).toBe(isPaid && (afterClose >= 0 || isReleased))
      }),
      RUNS
    )
  }
)
