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

// Limits of a job. Here and not beside the frames: a compute worker needs them, and nothing else of `wire/`.

/** A unit's own input, and its output, in bytes. */
export const UNIT_BYTES_MAX = 4 * 1024 * 1024
/** One shared, content-addressed input part in bytes. */
export const PART_BYTES_MAX = 64 * 1024 * 1024
export const UNITS_MAX = 65_536
