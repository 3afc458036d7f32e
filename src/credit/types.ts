import type { CID } from 'multiformats/cid'
import type {
  ChainStart,
  MicroCredits,
  Milliseconds,
  PeerIdString,
  PipelineLane,
  SettleBody,
  Signed,
  UnitGroup
} from '../wire/index.ts'
import type { RecognitionShare } from './standing.ts'

export interface Balance {
  /** Spendable now, drain applied (µcr). */
  readonly settled: MicroCredits
  /** Receipted to this node by requesters, not yet claimed. */
  readonly verified: MicroCredits
  /** Computed, not yet receipted: filled in by `jobs/`. */
  readonly pending: MicroCredits
  /** Locked in this node's own open escrows. */
  readonly escrowed: MicroCredits
}

export interface Channel {
  readonly peer: PeerIdString
  readonly max: MicroCredits
}

/** An open escrow of this node as requester. */
export interface Contract {
  readonly escrow: CID
  readonly channels: readonly Channel[]
  readonly tClose: Milliseconds
  /** Payees that have taken the escrow: only they may be sent work. */
  readonly certifiedBy: readonly PeerIdString[]
}

export interface Settlement {
  readonly escrow: CID
  /** Undefined while `certainty` is 'pending' because payees have not released the escrow yet. */
  readonly settle: CID | undefined
  readonly payouts: ReadonlyArray<{ peer: PeerIdString; amount: MicroCredits }>
  readonly refund: MicroCredits
  readonly split: SettleBody['split']
  /**
   * `witnessed`: a quorum of the escrow's witnesses has voted for it. `detection-only`: there are none, or not any
   * more. `pending`: the witnesses have not answered yet, or wait for tClose because a payee has not released the
   * escrow; the ledger sees to it that the payees are paid.
   */
  readonly certainty: 'witnessed' | 'detection-only' | 'pending'
  readonly votes: number
}

/** The escrow that a requester's job stream names, as the provider has checked and voted on it. */
export interface EarningContract {
  readonly escrow: CID
  readonly payer: PeerIdString
  readonly jobId: Uint8Array
  readonly max: MicroCredits
  /** On whose account the payer asks to be served, by this node's own word before. */
  readonly on: readonly RecognitionShare[]
  readonly receipted: MicroCredits
  readonly tClose: Milliseconds
}

/**
 * SwarmCredit as jobs/ uses it. Requester side: `openEscrow`, `receipt`, `settle`. Provider side: `earning`,
 * `acceptReceipt`, `release`. Everything signed is stored first.
 */
export interface Ledger {
  readonly peer: PeerIdString
  balance(): Promise<Balance>

  /**
   * Appends an escrow, collects the votes of a quorum of its witnesses and shows them to the payees. Where nobody
   * can be a witness, the payees vote.
   *
   * @throws CreditError `INSUFFICIENT_CREDIT` (details: needed, available), `NO_VOTES`, `CLOCK`, `RECOVERING`
   */
  openEscrow(init: {
    jobId: Uint8Array
    channels: readonly Channel[]
    inputRoot: Uint8Array
    tClose: Milliseconds
    /** The escrow of the job that this one works for. */
    parent?: CID | undefined
    signal?: AbortSignal
  }): Promise<Contract>

  /** Signs and stores a cumulative receipt: `amount` is the payee's total on this escrow so far. */
  receipt(escrow: CID, payee: PeerIdString, amount: MicroCredits): Promise<Signed>

  /**
   * Appends the one settle of an escrow, collects votes, hands each payee its certificate. Payouts follow
   * from `groups` (Shapley, form `units`), or where `lanes` are given, from these (form `pipeline`); they are never
   * below a receipt given.
   */
  settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    options: {
      seed: Uint8Array
      lanes?: readonly PipelineLane[] | undefined
      releases?: ReadonlyMap<PeerIdString, Signed>
      signal?: AbortSignal
    }
  ): Promise<Settlement>

  earning(escrow: CID): Promise<EarningContract | undefined>
  /** @throws CreditError `BAD_RECEIPT` for a forged, foreign, lower, equal or too high one */
  acceptReceipt(receipt: Signed, from: PeerIdString): Promise<MicroCredits>
  /**
   * The word that this node wants no more of an escrow than was receipted.
   *
   * @param delivered work (µcr): what was sent must be receipted first. @default 0n
   * @throws CreditError `UNDERPAID` where less was receipted than delivered
   */
  release(escrow: CID, delivered?: MicroCredits): Promise<Signed>
}

export interface LedgerExportOptions {
  /**
   * `checkpoint`: from the older of the last two certified checkpoints on, where there is one. Such an export can be
   * verified, as far as its witnesses are believed, but not audited. @default 'genesis': all of it
   */
  readonly from?: 'genesis' | 'checkpoint'
}

/** A gift that is on its way. */
export interface Transferred {
  readonly transfer: CID
  /** Its receiver has it in its chain; else it gets it when it is there, within the claim window. */
  readonly isTaken: boolean
}

/** Own signed records as stored, oldest first: input of the audit. */
export interface LedgerExport {
  readonly network: string
  readonly peer: PeerIdString
  /** Of a chain that starts at a certified checkpoint, its first record. @default it is whole */
  readonly start?: ChainStart | undefined
  readonly records: readonly Signed[]
}
