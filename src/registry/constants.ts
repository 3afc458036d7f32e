import { ADVERT_MAX, type Milliseconds } from '../wire/index.ts'

/** How often adverts and provider records are renewed. */
export const REFRESH_INTERVAL: Milliseconds = 60_000
/** An advert is void after three missed refreshes. */
export const ADVERT_LIFETIME: Milliseconds = 3 * REFRESH_INTERVAL
/** Between attempts to provide while the DHT has nobody to tell. */
export const PROVIDE_RETRY: Milliseconds = 1_000
/** One DHT walk, to provide or to find. */
export const DHT_TIMEOUT: Milliseconds = 10_000
/** One question to a provider, the dial included. */
export const ADVERT_TIMEOUT: Milliseconds = 5_000
/** A peer that did not answer is not asked again for this long. */
export const SET_ASIDE: Milliseconds = 30_000
/** A cached advert younger than this is used as it is while searching. */
export const FRESH: Milliseconds = 2_000
/** Providers asked at the same time. */
export const FAN_OUT = 8
/** One message of the advert protocol in bytes. */
export const MESSAGE_MAX = ADVERT_MAX + 256
/** Connected peers that hear at once of a new offer, or of its end. */
export const NEIGHBOURS_TOLD = 64
/** Latency of a peer that told its advert unasked. */
export const LATENCY_UNKNOWN: Milliseconds = 250
/** Adverts kept, least recently heard dropped first. */
export const CACHE_MAX = 2_048
