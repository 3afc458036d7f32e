/** Times in ms, sizes in bytes. */

/** How long an escrow's votes are waited for. */
export const ESCROW_VOTE_MS = 5_000
/** Who has not answered for so long is asked something small; so long again, and it is waited for no more. */
export const SILENT_MS = 1_500
/** How long a provider is asked on whose account it serves; who does not say serves a stranger. */
export const TERMS_MS = 500
/** How long the members of a new seat are asked for their time. */
export const CLOCK_MS = 500
/** Witnesses set this node's clock by so much at most: what they could freeze its chain for, and a wrong time zone. */
export const CLOCK_TRUST_MS = 2 * 3_600_000
/** How long a seat's votes on its successor are waited for. */
export const RESEAT_VOTE_MS = 2_000
/** So long a peer that gave no vote is not thought of as a witness. */
export const MUTE_MS = 10 * 60_000
/** One question to one witness: who does not answer in that time is silent. */
export const ASK_MS = 3_000
/** How often a node that waits for its witnesses looks again. */
export const LOOK_AGAIN_MS = 250
/** After tClose a requester that is there may still settle; then the witnesses pay. */
export const PAYOUT_GRACE_MS = 60_000
/** So long before tClose a payee lodges what is receipted and not settled. */
export const LODGE_BEFORE_MS = 60_000
/** How long a settle's votes, and then the answers to `paid`, are waited for: who is late asks later. */
export const SETTLE_VOTE_MS = 2_000
export const PAID_MS = 3_000
/** How often open earnings are asked after at payers that are connected. */
export const ASK_AGAIN_MS = 15_000
/** How often old certificates, and a voter's old receipts, are looked for, and how soon after a start. */
export const SWEEP_MS = 24 * 3_600_000
export const SWEEP_AFTER_MS = 60_000
/** So long after tClose an escrow is over: its witnesses vote no more on it, and nobody claims from it. */
export const ESCROW_KEPT_MS = 8 * 24 * 3_600_000

/** Tail of own records in one `certify`, in records and bytes: well below LEDGER_MESSAGE_MAX. */
export const TAIL_RECORDS = 256
export const TAIL_BYTES = 256 * 1024
/** Rounds of `certify` and `need` with one witness: a chain of 65,536 records. */
export const TAIL_ROUNDS_MAX = 256

/** From one checkpoint to the next: so many records, or so long and another record. */
export const CHECKPOINT_RECORDS = 256
export const CHECKPOINT_MS = 24 * 3_600_000

/** Certified checkpoints that are kept, with their states. */
export const STARTS_KEPT = 2
/** Who knows nothing of a chain, or only a part, reads from a checkpoint if that spares it more than so many records. */
export const START_BEYOND = CHECKPOINT_RECORDS
export const START_BEYOND_KNOWN = 4_096

/** The least that is given or taken as a gift (µcr): each one adds a record of 3 kB to its receiver's chain. */
export const TRANSFER_MIN = 10_000n

/** Gifts of peers whose work this node has not seen that it takes within an hour, all of them together. */
export const STRANGERS_GIFTS_PER_HOUR = 32
/** Of these, of one giver. */
export const STRANGERS_GIFTS_PER_GIVER = 2

/** What a witness bears from others. */
/** Records of one chain that are read before the first vote: what is longer is read from a checkpoint. */
export const CHAIN_READ_MAX = 65_536
export const CHAIN_READ_BYTES = 32 * 1024 * 1024
/** The open escrows of one chain: each vote may write all of them. No larger a state can be certified, either. */
export const OPEN_BYTES_MAX = 256 * 1024
/** Verified states of chains on which this node has voted, all rows together, but for small ones in use. */
export const CHAINS_BYTES = 64 * 1024 * 1024
/** A state that is written with each vote, larger ones in proportion less often; and that always finds room. */
export const SMALL_STATE = 8 * 1024
/** Of all chains together: beyond it those that were read longest ago are read anew. */
export const UNVOTED_BYTES = 64 * 1024 * 1024
/** Chains: what was voted is never forgotten, and names are free. Whose work this node has seen have as much room again. */
export const AUTHORS_MAX = 10_000
/**
 * What one peer, and all together, may ask for, in KiB, answers included: once the longest chain, then some hundred
 * records a second.
 */
export const ASKED_RATE = { burst: 64 * 1024, perSecond: 128 }
export const ASKED_RATE_OF_ALL = { burst: 128 * 1024, perSecond: 1_024 }
/** As much again is kept for peers whose work this node has seen, and for those that ask for little: names are free. */
export const ASKED_RATE_OF_KNOWN = { burst: 64 * 1024, perSecond: 512 }
export const ASKED_SELDOM = {
  perPeer: { burst: 64, perSecond: 2 },
  perAll: { burst: 64 * 1024, perSecond: 512 }
}
export const WAITING_PER_AUTHOR_MAX = 8
export const EARNINGS_PER_PAYER_MAX = 256
/** Of all payers, names being free: beyond it the oldest on which nothing was receipted goes. */
export const EARNINGS_MAX = 16_384
/**
 * Receipts of others, about 1 kB each. Of peers whose work this node has not seen three quarters as many, where it
 * follows the escrow, and else half.
 */
export const LODGED_MAX = 32_768
/** Escrows of which a witness remembers, in memory, what it had no room for. */
export const TURNED_AWAY_MAX = 4_096
/** Places kept of a chain with their records and votes: to repeat a vote, prove a fork, bring an author back. */
export const PLACES_KEPT = 32
export const PLACES_BYTES = 64 * 1024
/** Older records of all authors together, for those who have lost more than that. */
export const ARCHIVE_BYTES = 64 * 1024 * 1024
/** Of these, one answer: small enough for a relayed connection. */
export const PAGE_RECORDS = 256
export const PAGE_BYTES = 64 * 1024
/** Peers that a node asks for what it has lost. */
export const SOURCES_MAX = 32
/** Authors with unsure seats whose former witnesses are asked. */
export const WATCHED_MAX = 256
/** The longest branch that is put together from what witnesses keep, in records. */
export const BRANCH_MAX = 4_096
/** Verified states kept in memory; the others are in the store. */
export const STATES_IN_MEMORY = 64
