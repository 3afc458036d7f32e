import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { MicroCredits, PeerIdString } from './units.ts'

/** The building blocks of every message and record. Everything unknown is refused (`z.strictObject`). */

export const natural = z.int().check(z.nonnegative())

/** µcr: a CBOR integer 0 … 2^53 − 1, a bigint in code. */
export const microCredits = z.pipe(
  z.union([natural, z.bigint().check(z.gte(0n), z.lte(BigInt(Number.MAX_SAFE_INTEGER)))]),
  z.transform((amount): MicroCredits => BigInt(amount))
)

/** Milliseconds since 1970 UTC. */
export const timestamp = natural

export const bytes = (length: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.byteLength === length,
    `not ${length} bytes`
  )

export const bytesUpTo = (limit: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.byteLength <= limit,
    `not bytes of at most ${limit}`
  )

export const hash = bytes(32)
export const signature = bytes(64)

/** A CIDv1 of DAG-CBOR by SHA-256, and nothing else: another hash (identity) could be of any length. */
export const cid = z.custom<CID>((value) => {
  const id = CID.asCID(value)
  return (
    id?.version === 1 &&
    id.code === 0x71 &&
    id.multihash.code === 0x12 &&
    id.multihash.digest.byteLength === 32
  )
}, 'not a dag-cbor sha2-256 CIDv1')

const knownPeerIds = new Map<string, boolean>()
const KNOWN_PEER_IDS_MAX = 4_096

/** True for the canonical base58btc text of an Ed25519 peer id. */
export function isPeerIdString(text: unknown): text is PeerIdString {
  if (typeof text !== 'string' || text.length < 40 || text.length > 64) {
    return false
  }
  const known = knownPeerIds.get(text)
  if (known !== undefined) {
    return known
  }
  let valid = false
  try {
    const peer = peerIdFromString(text)
    valid = peer.type === 'Ed25519' && peer.toString() === text
  } catch {
    valid = false // any parse failure means the same: this is no peer id
  }
  if (knownPeerIds.size >= KNOWN_PEER_IDS_MAX) {
    knownPeerIds.clear()
  }
  knownPeerIds.set(text, valid)
  return valid
}

export const peerId = z.custom<PeerIdString>(isPeerIdString, 'not an Ed25519 peer id')

/** A name of a skill, a network or an error code. */
export const name = z.string().check(z.regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/))

/** Text for people: bounded, shown as text only, never as HTML. */
export const shortText = z.string().check(z.maxLength(512))
