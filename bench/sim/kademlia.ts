import type { Random } from './random.ts'

const ID_BITS = 32
/** Contacts in a bucket, and closest peers that store a record. */
const BUCKET = 20

/**
 * Kademlia without its tables: whom a node knows near a target is drawn when it is asked, which has the same
 * distribution as a full bucket (up to 20 random nodes that share one more leading bit with the target).
 */
export class Kademlia {
  private readonly ids: Uint32Array
  private readonly random: Random

  constructor(nodes: number, random: Random) {
    this.random = random
    this.ids = Uint32Array.from({ length: nodes }, () => Math.floor(random() * 2 ** ID_BITS)).sort()
  }

  /** Messages of one lookup from a random node to a random key: requests and answers. */
  lookup(): number {
    const target = Math.floor(this.random() * 2 ** ID_BITS)
    let known = this.ids[Math.floor(this.random() * this.ids.length)] ?? 0
    let messages = 0
    for (;;) {
      const [from, to] = this.sharing(target, commonBits(known, target) + 1)
      if (to - from <= BUCKET) {
        // The next answer holds all that are nearer; then the 20 closest themselves are asked.
        return messages + 2 + 2 * BUCKET
      }
      for (let i = 0; i < BUCKET; i++) {
        const contact = this.ids[from + Math.floor(this.random() * (to - from))] ?? known
        if ((contact ^ target) >>> 0 < (known ^ target) >>> 0) {
          known = contact
        }
      }
      messages += 2
    }
  }

  /** The places of the ids that share `bits` leading bits with the target. */
  private sharing(target: number, bits: number): [number, number] {
    const size = 2 ** Math.max(0, ID_BITS - bits)
    const first = Math.floor(target / size) * size
    return [this.search(first), this.search(first + size)]
  }

  private search(value: number): number {
    let low = 0
    let high = this.ids.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.ids[middle] ?? 0) < value) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

const commonBits = (a: number, b: number) => Math.clz32(a ^ b)
