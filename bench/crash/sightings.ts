import type { AuditedRecord } from '../../src/credit/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'

/** Every record that anybody has seen, by author and place. */
export class Sightings {
  /** Places with two different records. */
  readonly forks: string[] = []
  private readonly places = new Map<PeerIdString, Map<number, string>>()

  note({ id, record: { author, seq } }: AuditedRecord): void {
    const known = this.places.get(author) ?? new Map<number, string>()
    this.places.set(author, known)
    const text = id.toString()
    const before = known.get(seq)
    if (before !== undefined && before !== text) {
      this.forks.push(`place ${seq} of ${author}`)
    }
    known.set(seq, text)
  }

  /** Records of that author that somebody has seen, and that this chain does not hold. */
  lostFrom(author: PeerIdString, chain: readonly AuditedRecord[]): number[] {
    const held = new Set(chain.map(({ record }) => record.seq))
    return [...(this.places.get(author) ?? new Map<number, string>()).keys()].filter((seq) => !held.has(seq))
  }
}
