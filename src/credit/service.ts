import type { Libp2p, PrivateKey } from '@libp2p/interface'
import type { Store } from '../store/index.ts'
import type {
  EscrowBody,
  MicroCredits,
  Milliseconds,
  Network,
  PeerIdString,
  VerifySignature
} from '../wire/index.ts'
import type { ForkBookInit } from './fork-book.ts'
import type { RecognitionShare } from './standing.ts'
import type { LedgerTransport } from './transport.ts'
import type { Ledger, LedgerExport, LedgerExportOptions, Transferred } from './types.ts'
import type { VerifiedRecord } from './verify.ts'

export interface LedgerInit {
  readonly store: Store
  /** The node's Ed25519 identity. */
  readonly key: PrivateKey
  readonly network: Network
  /** A started libp2p node, or another way for messages (tests, simulation). */
  readonly node: Libp2p | LedgerTransport
  /** @default Date.now */
  readonly now?: () => Milliseconds
  /** A clock that nobody sets, by which it shows that `now` was. @default performance.now; `now`, where that is given */
  readonly steady?: () => Milliseconds
  /** Random bytes. @default crypto.getRandomValues */
  readonly random?: (length: number) => Uint8Array
  /** @default silent */
  readonly log?: (message: string) => void
  /**
   * Each record of another chain that this node's votes rest on, in the chain's order; with the escrow that a settle
   * ends, and the place of the seat under which it stands, where that is unsure. For `Priorities.follow`.
   * @default nobody listens
   */
  readonly followed?: (verified: VerifiedRecord, escrow?: EscrowBody, unsureSeat?: number) => void
  /** On whose account this node serves a requester, up to `max` in all: `Priorities.offer`. @default as a stranger */
  readonly terms?: (payer: PeerIdString, max: MicroCredits) => readonly RecognitionShare[]
  /**
   * Whether this node has seen good work of a peer: only such witnesses count where it serves on somebody's word, and
   * on the word of a quorum of them it reads a chain from a checkpoint. @default all count, and none is believed
   */
  readonly knows?: (peer: PeerIdString) => boolean
  /** What is proven of others: for `Priorities.bar`, and the router's trust. @default nobody listens */
  readonly forked?: ForkBookInit['forked']
  readonly slandered?: ForkBookInit['slandered']
  /** Of the records of long tails, beside this thread. @default WebCrypto, as this thread calls it */
  readonly verify?: VerifySignature | undefined
}

/** A `Ledger` with its life. */
export interface LedgerService extends Ledger {
  /** Makes or reads the chain, settles what a dead run left open, then serves the ledger protocol. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Gives credit away: certified by this node's witnesses, then handed over; what its receiver has not taken within the
   * network's claim window is lost.
   *
   * @throws CreditError `INSUFFICIENT_CREDIT`, `BAD_RECORD` below .01 credit or to itself
   */
  transfer(to: PeerIdString, amount: MicroCredits, options?: { signal?: AbortSignal }): Promise<Transferred>
  /**
   * What the ledger does every 15 s by itself: asks for settles, has overdue ones certified, lodges receipts, sees to
   * the seat. Never rejects.
   */
  maintain(): Promise<void>
  exportLedger(options?: LedgerExportOptions): Promise<LedgerExport>
  /**
   * Closes the chain and gives all that another profile needs to go on with this identity: a file as secret as the key.
   * Nothing is signed here afterwards.
   *
   * @throws CreditError `BAD_RECORD` while escrows are open, `MOVED` the second time
   */
  moveAway(): Promise<Uint8Array>
  /** Calls back after every change of the balance. Returns what ends it. */
  onChange(listener: () => void): () => void
}
