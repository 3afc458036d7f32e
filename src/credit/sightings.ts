import type { CID } from 'multiformats/cid'
import type { ForkProof, LedgerRecord, PeerIdString, Signed } from '../wire/index.ts'
import { decodeStatement } from './envelope.ts'
import { contradict } from './forks.ts'

/** Places of other chains that are remembered: some 2 kB each. */
const SIGHTINGS_MAX = 1_024

/** A verified record of another author, with votes on it where there are any. */
export interface Sighting {
  readonly id: CID
  readonly record: LedgerRecord
  readonly signed: Signed
  readonly votes?: readonly Signed[]
}

/** The records that this node was shown last, so that a second one for the same place meets the first. */
export class Sightings {
  private readonly seen = new Map<string, Sighting>()

  /** The proofs that a record makes together with those seen before it: of its author, and of who voted for both. */
  see(sighting: Sighting): ForkProof[] {
    const { author, seq } = sighting.record
    const proofs = [-1, 0, 1].flatMap((step): ForkProof[] => {
      const other = this.seen.get(`${author}/${seq + step}`)
      return other !== undefined && contradict(sighting, other)
        ? [{ kind: 'records', one: other.signed, two: sighting.signed }, ...doubleVotes(other, sighting)]
        : []
    })
    if (proofs.length === 0) {
      this.remember(`${author}/${seq}`, sighting)
    }
    return proofs
  }

  private remember(key: string, sighting: Sighting): void {
    const votes = sighting.votes ?? this.seen.get(key)?.votes ?? []
    this.seen.delete(key)
    this.seen.set(key, { ...sighting, votes })
    for (const oldest of this.seen.keys()) {
      if (this.seen.size <= SIGHTINGS_MAX) {
        break
      }
      this.seen.delete(oldest)
    }
  }
}

function doubleVotes(a: Sighting, b: Sighting): ForkProof[] {
  const first = new Map<PeerIdString, Signed>()
  for (const vote of a.votes ?? []) {
    first.set(decodeStatement(vote, 'vote').author, vote)
  }
  return (b.votes ?? []).flatMap((two): ForkProof[] => {
    const one = a.record.seq === b.record.seq ? first.get(decodeStatement(two, 'vote').author) : undefined
    return one === undefined ? [] : [{ kind: 'votes', one, two }]
  })
}
