import type { Store } from '../store/index.ts'
import {
  cidOf,
  decode,
  decodeStrict,
  encode,
  type MicroCredits,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type RecordOf,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  type TransferCertificate,
  transferCertificate
} from '../wire/index.ts'
import { orphanedAt } from './certificate.ts'
import type { Certifier, OwnRecord } from './certify.ts'
import { ESCROW_VOTE_MS, PAID_MS, TRANSFER_MIN } from './constants.ts'
import { CreditError, ensure } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import type { SeatKeeper } from './seat-keeper.ts'
import type { LedgerTransport } from './transport.ts'
import type { Transferred } from './types.ts'

export interface TransfersInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly keeper: SeatKeeper
  readonly transport: LedgerTransport
  readonly network: Network
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly changed: () => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

const PREFIX = 'transfer/'

/** What this node gives away: certified, then handed to its receiver, now or when it is there. */
export class Transfers {
  private readonly init: TransfersInit
  /** Not taken by their receivers yet, by CID text. */
  private readonly open = new Set<string>()
  private readonly trying = new Set<string>()
  private readonly again = new Set<string>()

  constructor(init: TransfersInit) {
    this.init = init
  }

  async load(): Promise<void> {
    for (const [key] of await this.init.store.table('contracts').entries()) {
      if (key.startsWith(PREFIX)) {
        this.open.add(key.slice(PREFIX.length))
      }
    }
  }

  /** @throws CreditError `INSUFFICIENT_CREDIT`, `BAD_RECORD` */
  async give(to: PeerIdString, amount: MicroCredits, signal?: AbortSignal): Promise<Transferred> {
    const { chain, keeper, network, changed, within } = this.init
    ensure(amount >= TRANSFER_MIN, 'BAD_RECORD', `A transfer is of ${TRANSFER_MIN} µcr at least.`)
    await keeper.ready(within(2 * network.parameters.seatPatienceMs, signal))
    const own = await chain.append((state, ts) => {
      if (state === undefined) {
        throw new CreditError('NOT_RUNNING', 'The ledger is not open yet: start it first.')
      }
      const { members, quorum } = state.seat
      return {
        intent: { kind: 'transfer', ts, body: { to, amount, on: [], witnesses: [...members], quorum } },
        alongside: ({ id, signed }) => [
          {
            table: 'contracts',
            key: `${PREFIX}${id}`,
            value: encode({ kind: 'transfer', transfer: signed, votes: [] })
          }
        ]
      }
    })
    changed()
    const key = own.id.toString()
    this.open.add(key)
    await this.deliver(key, signal)
    return { transfer: own.id, isTaken: !this.open.has(key) }
  }

  /** Tries again what nobody has taken. Never rejects. */
  async retry(): Promise<void> {
    for (const key of [...this.open]) {
      await this.deliver(key)
    }
  }

  private async deliver(key: string, signal?: AbortSignal): Promise<void> {
    if (this.trying.has(key)) {
      this.again.add(key) // its receiver may have come after the one under way had looked
      return
    }
    this.trying.add(key)
    try {
      await this.tryDeliver(key, signal)
    } catch (error) {
      this.init.log(`The transfer ${key} is not taken yet: ${String(error)}`)
    } finally {
      this.trying.delete(key)
    }
    if (this.again.delete(key)) {
      await this.deliver(key, signal)
    }
  }

  private async tryDeliver(key: string, signal: AbortSignal | undefined): Promise<void> {
    const { store, transport, network, now, within } = this.init
    const table = store.table('contracts')
    const bytes = await table.get(`${PREFIX}${key}`)
    if (bytes === undefined) {
      this.open.delete(key)
      return
    }
    const stored = decode(bytes, transferCertificate, Number.POSITIVE_INFINITY)
    const record = transferOf(stored.transfer)
    if (now() > record.ts + network.parameters.claimWindowMs) {
      await table.delete(`${PREFIX}${key}`) // nobody can claim it any more
      this.open.delete(key)
      return
    }
    const certificate = await this.certified(stored, record, signal)
    if (certificate !== stored) {
      await table.put(`${PREFIX}${key}`, encode(certificate))
    }
    if (!this.isHere(record.body.to)) {
      return
    }
    const answer = await transport.call(
      record.body.to,
      { t: 'paid', certificate, index: 0 },
      within(PAID_MS, signal)
    )
    if (answer.t !== 'ok') {
      throw new Error(answer.t === 'refused' ? answer.message : answer.t)
    }
    await table.delete(`${PREFIX}${key}`)
    this.open.delete(key)
  }

  /** Its own witnesses are given up: those that sit now vote, once they have followed this chain beyond it. */
  private async byLaterSeat(
    own: OwnRecord,
    certificate: TransferCertificate,
    signal: AbortSignal | undefined
  ): Promise<TransferCertificate | undefined> {
    const { chain, certifier, network, now, within } = this.init
    const { seat, seatSeq } = await chain.latest()
    const isGivenUp = now() >= orphanedAt(own.record.ts, network.parameters.orphanedAfterMs)
    const [signed] = await chain.range(seatSeq, seatSeq + 1)
    if (!isGivenUp || seatSeq <= own.record.seq || seat.members.length === 0 || signed === undefined) {
      return undefined
    }
    const votes = await certifier.collect(own, seat.members, within(ESCROW_VOTE_MS, signal), seat.quorum)
    return votes.size < seat.quorum ? undefined : { ...certificate, seat: signed, votes: [...votes.values()] }
  }

  private isHere(peer: PeerIdString): boolean {
    return this.init.transport.connectedPeers().includes(peer)
  }

  private async certified(
    certificate: TransferCertificate,
    record: RecordOf<'transfer'>,
    signal: AbortSignal | undefined
  ): Promise<TransferCertificate> {
    const { witnesses, quorum, to } = record.body
    const isWitnessed = witnesses.length > 0
    if (isWitnessed ? certificate.votes.length >= quorum : !this.isHere(to)) {
      return certificate
    }
    const signed = certificate.transfer
    const own = { id: await cidOf(signed.payload), record, signed }
    const within = this.init.within(ESCROW_VOTE_MS, signal)
    // without witnesses the receiver follows this chain itself; it may have done so before, and then votes no more
    const votes = await this.init.certifier.collect(own, isWitnessed ? witnesses : [to], within, quorum || 1)
    if (votes.size < quorum) {
      const inherited = await this.byLaterSeat(own, certificate, signal)
      if (inherited === undefined) {
        throw new Error(`only ${votes.size} of ${quorum} witnesses have voted for it`)
      }
      return inherited
    }
    return votes.size > 0 ? { ...certificate, votes: [...votes.values()] } : certificate
  }
}

function transferOf({ payload }: Signed): RecordOf<'transfer'> {
  const record = decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX)
  if (record.kind !== 'transfer') {
    throw new CreditError('BAD_RECORD', 'The stored transfer is none: the store is damaged.')
  }
  return record
}
