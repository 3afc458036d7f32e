import type { Milliseconds } from '../wire/index.ts'

/** A job that names no deadline. */
export const DEADLINE_DEFAULT: Milliseconds = 600_000
/** How long a job waits for a provider when it knows none. */
export const PROVIDER_WAIT_DEFAULT: Milliseconds = 30_000
/** After the first provider is found, others may join for this long. */
export const GATHER: Milliseconds = 150
/** Between two searches of a waiting job, when no advert comes by itself. */
export const SEARCH_INTERVAL: Milliseconds = 1_000
/** Providers of one job by default. */
export const PROVIDERS_DEFAULT = 4
/** Dial, or hand a stream over. */
export const CONNECT_TIMEOUT: Milliseconds = 10_000
/** Answer to `open`, and to `finish`. */
export const ANSWER_TIMEOUT: Milliseconds = 5_000
/** First frame of a job stream: the requester may be opening its other streams meanwhile. */
export const OPEN_TIMEOUT: Milliseconds = 15_000
/** Time after the deadline in which the books can still be closed with the payees. */
export const SETTLE_GRACE: Milliseconds = 60_000
/** A unit that failed this often ends the job. */
export const UNIT_ATTEMPTS = 4
/** Failures, other than lies, after which a provider is left out of the job. */
export const PROVIDER_FAILURES = 3
/** When a refused requester may ask again, if the provider cannot say better. */
export const RETRY_AFTER: Milliseconds = 1_000
/** Units that a provider takes unreceipted: starts at one, doubles with each receipt up to this. */
export const WINDOW_MAX = 64
/** Escrows whose windows a provider keeps: as many as its ledger keeps earnings. */
export const WINDOWS_MAX = 16_384
/** How long a job leaves a peer alone that it lost for the first time. */
export const LOST_ASIDE: Milliseconds = 3_000
/** The longest that a provider's "busy, try in n ms" is believed. */
export const BUSY_ASIDE_MAX: Milliseconds = 60_000
/** Job streams that a provider serves side by side. */
export const SESSIONS_MAX = 32
/** When all places are taken, a stranger's stream that has had nothing to compute for so long ends for another one. */
export const IDLE_STRANGER: Milliseconds = 5_000
/** Likewise a recognised requester's, for another recognised one: it may be checking, or waiting for its other streams. */
export const IDLE_RECOGNISED: Milliseconds = 60_000
/** How long a node that finishes waits for the receipts of what it has done. */
export const FINISH_WAIT: Milliseconds = 10_000
/** Shared inputs of all jobs that a provider keeps, in bytes. */
export const KEPT_PART_BYTES = 256 * 1024 * 1024
/** Input bytes of the units of one job stream that wait. */
export const SESSION_UNIT_BYTES = 64 * 1024 * 1024
/** Units of all requesters that wait at a provider, and the bytes of their own inputs. */
export const QUEUE_UNITS_MAX = 1_024
export const QUEUED_BYTES_MAX = 256 * 1024 * 1024
/** A provider with more than this to do takes no further job. */
export const QUEUE_WAIT_MAX: Milliseconds = 30_000
/** When a stranger may ask again that has had its share of the hour. */
export const STRANGER_RETRY: Milliseconds = 60_000
/** Least time between two progress frames of one unit. */
export const PROGRESS_INTERVAL: Milliseconds = 100
/** Providers that have one unit in hand at once, as copies of a late one. */
export const COPIES_MAX = 3
/** Between two looks for units that are late. */
export const LOOK_INTERVAL: Milliseconds = 100
/** Between two looks whether a job could use more providers than it has. */
export const REINFORCE_LOOK: Milliseconds = 500
/** Between two searches for them, when no advert comes by itself; and after one that came to nothing. */
export const REINFORCE_PAUSE: Milliseconds = 10_000
/** Tries to sign an escrow or a settle while the witnesses of this node are being changed, and the time between two. */
export const BUSY_ATTEMPTS = 240
export const BUSY_PAUSE: Milliseconds = 250
/** A unit of a pipeline is not given up sooner: its provider may still be fetching what it needs. */
export const STEP_LATE_MIN: Milliseconds = 10_000
/** Streams by which other providers fetch parts here, side by side. */
export const PULLS_MAX = 32
/** Bytes that a provider gives other providers within an hour on the word of one requester. */
export const PULL_GIVEN_MAX = 16 * 256 * 1024 * 1024
/** The longest that fetching the parts of one unit from another provider may take. */
export const PULL_TIMEOUT: Milliseconds = 20_000
/** How long a requester's leave to fetch parts holds. */
export const TICKET_LIFETIME: Milliseconds = 3_600_000
/** Bytes that the streams of one escrow may have a provider fetch before a further receipt comes. */
export const PULL_BYTES_MAX = 256 * 1024 * 1024
/** Checks of a next stage's results that a provider makes for each unit that it computed. */
export const CHECKS_A_UNIT = 64
