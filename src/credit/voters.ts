import type { EscrowBody, PeerIdString } from '../wire/index.ts'

/** Who certifies the records of a contract: `members` may vote, `quorum` of them must. */
export interface Certifiers {
  readonly members: readonly PeerIdString[]
  readonly quorum: number
}

/**
 * The seam of the witnesses: an escrow's witnesses with their quorum; where it names none, its payees, and then
 * every vote is welcome and none is needed ("detection only": the claim is its payee's own signature).
 */
export function certifiersOf(escrow: EscrowBody): Certifiers {
  return escrow.witnesses.length > 0
    ? { members: escrow.witnesses, quorum: escrow.quorum }
    : { members: escrow.payees.map(({ peer }) => peer), quorum: 0 }
}
