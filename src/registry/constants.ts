import { ADVERT_MAX, type Milliseconds } from '../wire/index.ts'

/** How often adverts and provider records are renewed. */
export const REFRESH_INTERVAL: Milliseconds = 60_000
/** An advert is void after so many missed refreshes. */
export const REFRESHES_MISSED = 3
export const ADVERT_LIFETIME: Milliseconds = REFRESHES_MISSED * REFRESH_INTERVAL
/** In a large swarm provider records are renewed more rarely, but not less often than this. */
export const PROVIDE_INTERVAL_MAX: Milliseconds = 180_000
/** The swarm's size is estimated afresh after this long. */
export const SIZE_LIFETIME: Milliseconds = 60_000
/** Or after this long, if nobody was found; twice as long after each walk in a row that failed. */
export const SIZE_RETRY: Milliseconds = 5_000
/** The first provide waits for the first estimate, but not longer: those who are connected hear of it at once. */
export const SIZE_WAIT: Milliseconds = 1_000
/** One DHT walk, to provide or to find. */
export const DHT_TIMEOUT: Milliseconds = 10_000
/** One question to a connected provider. */
export const ADVERT_TIMEOUT: Milliseconds = 5_000
/** One question to a provider that must be dialled first: all that a stale peer costs. */
export const DIAL_TIMEOUT: Milliseconds = 3_000
/** Provides that run side by side. */
export const PROVIDES_AT_ONCE = 2
/** A cached advert younger than this is used as it is while searching. */
export const FRESH: Milliseconds = 2_000
/** Up to so many neighbours are asked again in each search. */
export const NEIGHBOURS_ASKED = 16
/** Between two walks for a skill where this node is connected to the whole swarm. */
export const WALK_INTERVAL: Milliseconds = 10_000
/** How long a search goes on that neither walks nor asks. */
export const LISTEN: Milliseconds = 100
/** Skills of which it is known when they were last looked for. */
export const SKILLS_REMEMBERED = 256
/** Providers asked at the same time. */
export const FAN_OUT = 8
/** Providers that one search asks at most. */
export const ASKED_MAX = 64
/** Names that one search takes from the DHT at most; whom it asks is drawn from these. */
export const NAMES_MAX = 1_024
/** A search goes on to the next shard until it has so many names. */
export const NAMES_WANTED = 20
/** One message of the advert protocol in bytes. */
export const MESSAGE_MAX = ADVERT_MAX + 256
/** Connected peers that hear at once of a new offer, or of its end. */
export const NEIGHBOURS_TOLD = 64
/** How long a node that stops waits for them to have heard it. */
export const LEAVE_WAIT: Milliseconds = 200
/** Latency of a peer that told its advert unasked. */
export const LATENCY_UNKNOWN: Milliseconds = 250
/** Adverts kept. */
export const CACHE_MAX = 2_048
/** The own advert is signed afresh after this long. */
export const SIGNED_AFRESH: Milliseconds = 200
/** Adverts that a peer may tell unasked, and all peers together: a signature is checked for each. */
export const TOLD_RATE = { burst: 20, perSecond: 2 }
export const TOLD_RATE_OF_ALL = { burst: 256, perSecond: 64 }
