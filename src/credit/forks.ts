import type { CID } from 'multiformats/cid'
import {
  decodeStrict,
  type ForkProof,
  type LedgerRecord,
  type Network,
  type PeerIdString,
  SIGNED_PAYLOAD_MAX,
  type Signed,
  statement
} from '../wire/index.ts'
import { openRecord, verifyStatement } from './envelope.ts'
import { ensure } from './errors.ts'

/** What proves a fork. Pure rules: everything follows from the bytes. */

/** A record with its id. */
export interface Named {
  readonly id: CID
  readonly record: Pick<LedgerRecord, 'author' | 'seq' | 'prev'>
}

/**
 * Whether two records of one author name two ids for one place: of each, its own place is looked at, and the one
 * before it, to which it links. An honest author never signs such a pair, in whatever order they come to light.
 */
export function contradict(a: Named, b: Named): boolean {
  if (a.record.author !== b.record.author) {
    return false
  }
  const [first, second] = a.record.seq <= b.record.seq ? [a, b] : [b, a]
  switch (second.record.seq - first.record.seq) {
    case 0:
      return !first.id.equals(second.id)
    case 1:
      return second.record.prev?.equals(first.id) !== true
    default:
      return false
  }
}

/** Who forked, and up to which place a `heal` must come after; a witness's double vote cannot be healed. */
export interface Fork {
  readonly author: PeerIdString
  readonly seq: number
}

/**
 * Checks a proof by itself. Costs two signatures.
 *
 * @throws CreditError `BAD_PROOF`, or WireError: then it says nothing about anybody but its sender
 */
export async function verifyForkProof(proof: ForkProof, network: Network): Promise<Fork> {
  const { kind, one, two } = proof
  if (kind === 'records') {
    const [a, b] = await Promise.all([openRecord(one, network), openRecord(two, network)])
    ensure(contradict(a, b), 'BAD_PROOF', 'The two records are of two places, or of two authors: no fork.')
    return { author: a.record.author, seq: Math.max(a.record.seq, b.record.seq) }
  }
  const [a, b] = await Promise.all([vote(one, network), vote(two, network)])
  const isOnePlace = a.author === b.author && a.subject === b.subject && a.seq === b.seq
  ensure(isOnePlace && isOther(a, b), 'BAD_PROOF', 'The two votes do not contradict each other: no fork.')
  return { author: a.author, seq: Number.MAX_SAFE_INTEGER }
}

async function vote(envelope: Signed, network: Network) {
  const { kind } = decodeStrict(envelope.payload, statement, SIGNED_PAYLOAD_MAX)
  ensure(kind === 'vote' || kind === 'reseat', 'BAD_PROOF', `A ${kind} is no vote: no fork.`)
  return verifyStatement(envelope, kind, network)
}

type AnyVote = Awaited<ReturnType<typeof vote>>

/** A vote and a reseat may both be for the seat that came: only two of a kind contradict each other. */
function isOther(a: AnyVote, b: AnyVote): boolean {
  if (a.kind === 'vote') {
    return b.kind === 'vote' && !a.record.equals(b.record)
  }
  return b.kind === 'reseat' && (!a.prev.equals(b.prev) || a.members.join() !== b.members.join())
}
