import { CID } from 'multiformats/cid'
import type { Store, TableWrite } from '../store/index.ts'
import {
  cidOf,
  decode,
  decodeStrict,
  encode,
  type Milliseconds,
  type Network,
  type PeerIdString,
  record as recordSchema,
  type SettleCertificate,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  settleCertificate
} from '../wire/index.ts'
import { indexOfPayee } from './bodies.ts'
import { orphanedAt, overAt } from './certificate.ts'
import type { Certifier, OwnRecord } from './certify.ts'
import { PAID_MS, SETTLE_VOTE_MS, SWEEP_AFTER_MS, SWEEP_MS } from './constants.ts'
import type { OwnChain } from './own-chain.ts'
import type { Proofs } from './proofs.ts'
import type { OpenEscrow } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { Settlement } from './types.ts'
import { certifiersOf } from './voters.ts'

export interface SettleVotesInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly proofs: Proofs
  readonly transport: LedgerTransport
  readonly network: Network
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

export interface AppendedSettle {
  readonly own: OwnRecord
  readonly open: Pick<OpenEscrow, 'body'>
  readonly signedEscrow: Signed
}

const PENDING = 'uncertified/'

/** Collects the votes on this node's settles, now or later, and hands each payee its certificate. */
export class SettleVotes {
  private readonly init: SettleVotesInit
  /** Settles whose witnesses have not all they need said, by escrow. */
  private readonly pending = new Set<string>()
  private readonly trying = new Set<string>()
  /** When the certificates were looked through. */
  private swept: Milliseconds = 0

  constructor(init: SettleVotesInit) {
    this.init = init
  }

  async load(): Promise<void> {
    this.swept = this.init.now() - SWEEP_MS + SWEEP_AFTER_MS // not while a page starts
    for (const [key] of await this.init.store.table('contracts').entries()) {
      if (key.startsWith(PENDING)) {
        this.pending.add(key.slice(PENDING.length))
      }
    }
  }

  /** Drops, now and then, the certificates that nobody can claim any more. */
  async forget(): Promise<void> {
    const { store, now } = this.init
    const at = now()
    if (at < this.swept + SWEEP_MS) {
      return
    }
    this.swept = at
    const table = store.table('certificates')
    for (const [key, value] of await table.entries()) {
      if (key.includes('/') || this.pending.has(key)) {
        continue // a proof of a fork stays for ever, and what lacks votes until it has them
      }
      const { escrow } = decode(value, settleCertificate, Number.POSITIVE_INFINITY)
      const opened = decodeStrict(escrow.payload, recordSchema, SIGNED_PAYLOAD_MAX)
      if (opened.kind === 'escrow' && at > overAt(opened.body.tClose)) {
        await table.delete(key)
      }
    }
  }

  isPending(escrow: CID): boolean {
    return this.pending.has(escrow.toString())
  }

  /** For the transaction of the settle: that its certificate is to come. */
  pendingRow(escrow: CID, { body }: OpenEscrow): TableWrite[] {
    if (body.witnesses.length === 0) {
      return []
    }
    this.pending.add(escrow.toString())
    return [{ table: 'contracts', key: `${PENDING}${escrow}`, value: new Uint8Array() }]
  }

  /** Asks those who vote, and pays those who are there. Never rejects. */
  async complete(
    escrow: CID,
    settled: AppendedSettle,
    signal?: AbortSignal
  ): Promise<{ votes: number; certainty: Settlement['certainty'] }> {
    const { body } = settled.open
    const key = escrow.toString()
    this.trying.add(key)
    try {
      if (body.witnesses.length === 0) {
        return await this.completeByPayees(escrow, settled, signal)
      }
      const { certificate, votes } = await this.certificateOf(settled, signal)
      if (certificate === undefined) {
        return { votes, certainty: 'pending' }
      }
      await this.keep(escrow, certificate)
      await this.handOver(certificate, settled, payees(settled), signal)
      return { votes, certainty: certificate.seat === null ? 'witnessed' : 'detection-only' }
    } catch (error) {
      this.init.log(`The settle of ${key} is not certified yet: ${String(error)}`)
      return { votes: 0, certainty: 'pending' }
    } finally {
      this.trying.delete(key)
    }
  }

  /** Tries the settles again that lack votes. Never rejects. */
  async retry(): Promise<void> {
    for (const key of [...this.pending]) {
      if (this.trying.has(key)) {
        continue
      }
      const settled = await this.stored(key)
      if (settled) {
        await this.complete(CID.parse(key), settled)
      }
    }
  }

  private async completeByPayees(escrow: CID, settled: AppendedSettle, signal: AbortSignal | undefined) {
    const { certifier, transport, within } = this.init
    const present = new Set(transport.connectedPeers())
    const voters = certifiersOf(settled.open.body).members.filter((peer) => present.has(peer))
    const votes = await certifier.collect(settled.own, voters, within(SETTLE_VOTE_MS, signal))
    const certificate = certificateWith(settled, [...votes.values()], null)
    await this.keep(escrow, certificate)
    await this.handOver(certificate, settled, [...votes.keys()], signal)
    return { votes: votes.size, certainty: 'detection-only' as const }
  }

  /** By the escrow's witnesses; by a later seat, once they are given up. */
  private async certificateOf(settled: AppendedSettle, signal: AbortSignal | undefined) {
    const { certifier, chain, network, now, proofs, within } = this.init
    const { own, open } = settled
    const { witnesses, quorum, tClose } = open.body
    const votes = await certifier.collect(own, witnesses, within(SETTLE_VOTE_MS, signal), quorum)
    const state = await chain.latest()
    const isSameSeat = state.seat.members.join() === witnesses.join()
    if (votes.size >= quorum) {
      if (!isSameSeat) {
        proofs.add(own.record.seq, [...votes.values()]) // the new seat goes by these
      }
      return { certificate: certificateWith(settled, [...votes.values()], null), votes: votes.size }
    }
    const isGivenUp = now() >= orphanedAt(tClose, network.parameters.orphanedAfterMs)
    if (isSameSeat || !isGivenUp) {
      return { certificate: undefined, votes: votes.size }
    }
    const [seat] = await chain.range(state.seatSeq, state.seatSeq + 1)
    const later = await certifier.collect(
      own,
      state.seat.members,
      within(SETTLE_VOTE_MS, signal),
      state.seat.quorum
    )
    return later.size < state.seat.quorum || seat === undefined
      ? { certificate: undefined, votes: later.size }
      : { certificate: certificateWith(settled, [...later.values()], seat), votes: later.size }
  }

  private async keep(escrow: CID, certificate: SettleCertificate): Promise<void> {
    const { store } = this.init
    const { table, key, value } = certificateRow(escrow, certificate)
    await store.table(table).put(key, value)
    if (this.pending.has(key)) {
      await store.table('contracts').delete(`${PENDING}${key}`)
      this.pending.delete(key)
    }
  }

  /** Gives each payee its certificate; one that does not take it now asks for it later. */
  private async handOver(
    certificate: SettleCertificate,
    { open: { body } }: AppendedSettle,
    peers: readonly PeerIdString[],
    signal: AbortSignal | undefined
  ): Promise<void> {
    const { transport, log, within } = this.init
    const timed = within(PAID_MS, signal)
    const present = new Set(transport.connectedPeers())
    await Promise.all(
      peers.map(async (peer) => {
        const index = indexOfPayee(body, peer)
        if (index < 0 || !present.has(peer)) {
          return
        }
        try {
          const answer = await transport.call(peer, { t: 'paid', certificate, index }, timed)
          if (answer.t !== 'ok') {
            log(`${peer} did not take its payment: ${answer.t === 'refused' ? answer.message : answer.t}`)
          }
        } catch (error) {
          log(`${peer} was not told of its payment: ${String(error)}`)
        }
      })
    )
  }

  private async stored(escrow: string): Promise<AppendedSettle | undefined> {
    const bytes = await this.init.store.table('certificates').get(escrow)
    if (bytes === undefined) {
      return undefined
    }
    const certificate = decode(bytes, settleCertificate, Number.POSITIVE_INFINITY)
    const [signed, signedEscrow] = [certificate.settle, certificate.escrow]
    const record = decodeStrict(signed.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    const opened = decodeStrict(signedEscrow.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    return opened.kind === 'escrow'
      ? {
          own: { id: await cidOf(signed.payload), record, signed },
          open: { body: opened.body },
          signedEscrow
        }
      : undefined
  }
}

const payees = ({ open }: AppendedSettle) => open.body.payees.map(({ peer }) => peer)

const certificateWith = (
  { own, signedEscrow }: AppendedSettle,
  votes: Signed[],
  seat: Signed | null
): SettleCertificate => ({ kind: 'settle', escrow: signedEscrow, settle: own.signed, seat, votes })

export const certificateRow = (escrow: CID, certificate: SettleCertificate): TableWrite => ({
  table: 'certificates',
  key: escrow.toString(),
  value: encode(certificate)
})
