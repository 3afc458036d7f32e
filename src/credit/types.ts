import type { CID } from 'multiformats/cid'
import type { MicroCredits, Milliseconds, PeerIdString, Signed, UnitGroup } from '../wire/index.ts'

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
  /** Payees whose vote came: only they may be sent work. */
  readonly certifiedBy: readonly PeerIdString[]
}

export interface Settlement {
  readonly escrow: CID
  readonly settle: CID
  readonly payouts: ReadonlyArray<{ peer: PeerIdString; amount: MicroCredits }>
  readonly refund: MicroCredits
  readonly groups: readonly UnitGroup[]
  /** 'detection-only' until a seat of witnesses votes. */
  readonly certainty: 'detection-only'
  readonly votes: number
}

/** The escrow that a requester's job stream names, as the provider has checked and voted on it. */
export interface EarningContract {
  readonly escrow: CID
  readonly payer: PeerIdString
  readonly jobId: Uint8Array
  readonly max: MicroCredits
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
   * Appends an escrow and collects the payees' votes.
   *
   * @throws CreditError `INSUFFICIENT_CREDIT` (details: needed, available), `NO_VOTES`
   */
  openEscrow(init: {
    jobId: Uint8Array
    channels: readonly Channel[]
    inputRoot: Uint8Array
    tClose: Milliseconds
    signal?: AbortSignal
  }): Promise<Contract>

  /** Signs and stores a cumulative receipt: `amount` is the payee's total on this escrow so far. */
  receipt(escrow: CID, payee: PeerIdString, amount: MicroCredits): Promise<Signed>

  /**
   * Appends the one settle of an escrow, collects votes, hands each payee its certificate. Payouts follow
   * from `groups` (Shapley, form `units`), and are never below a receipt given.
   */
  settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    options: { seed: Uint8Array; releases?: ReadonlyMap<PeerIdString, Signed>; signal?: AbortSignal }
  ): Promise<Settlement>

  earning(escrow: CID): Promise<EarningContract | undefined>
  /** @throws CreditError `BAD_RECEIPT` for a forged, foreign, lower, equal or too high one */
  acceptReceipt(receipt: Signed, from: PeerIdString): Promise<MicroCredits>
  release(escrow: CID): Promise<Signed>
}

/** Own signed records as stored, oldest first: input of the audit. */
export interface LedgerExport {
  readonly network: string
  readonly peer: PeerIdString
  readonly records: readonly Signed[]
}
