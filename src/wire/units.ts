/**
 * An amount of credit in microcredits (µcr). 1 credit = 10^6 µcr; 1 µcr pays for 10^6 counted operations.
 * A bigint in code and API, a CBOR integer below 2^53 on the wire.
 */
export type MicroCredits = bigint

/** A duration, or a moment since 1970-01-01 UTC, in milliseconds. */
export type Milliseconds = number

declare const peerIdBrand: unique symbol
/** The base58btc text of an Ed25519 libp2p peer id (`12D3KooW…`). */
export type PeerIdString = string & { readonly [peerIdBrand]: true }

export const MICROCREDITS_PER_CREDIT = 1_000_000n
export const OPERATIONS_PER_MICROCREDIT = 1_000_000
