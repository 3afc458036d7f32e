import type { PeerId } from '@libp2p/interface'
import { sha256 } from '../wire/index.ts'

/** What a DHT walk returns at most: kad-dht's bucket size. */
export const CLOSEST = 20

/**
 * The number of peers in the swarm, this one included, from those that are closest to it in the DHT's key space.
 * Fewer than a walk can return: these are all. Else from their density: the k-th closest of N keys, spread evenly,
 * lies at about k/N of the space, and (k − 1)/distance is the unbiased estimate, with a relative error of 1/√(k − 2).
 *
 * @param distances of the closest peers as shares of the key space, 0 to 1
 * @param most what the walk returns at most
 */
export function estimateSwarmSize(distances: readonly number[], most = CLOSEST): number {
  const sorted = distances.toSorted((a, b) => a - b).slice(0, most)
  const furthest = sorted.at(-1)
  if (furthest === undefined || sorted.length < most) {
    return sorted.length + 1
  }
  return Math.max(sorted.length + 1, Math.round((sorted.length - 1) / Math.max(furthest, 2 ** -48)))
}

/** XOR distance of two peers in the DHT as a share of the key space, by its first 48 bits. */
export async function distanceOf(a: PeerId, b: PeerId): Promise<number> {
  const [placeA, placeB] = await Promise.all([placeOf(a), placeOf(b)])
  return distanceBetween(placeA, placeB)
}

/** Where a peer is in the DHT's key space. */
export function placeOf(peer: PeerId): Promise<Uint8Array> {
  return sha256(peer.toMultihash().bytes)
}

/** As `distanceOf`, of two places. */
export function distanceBetween(a: Uint8Array, b: Uint8Array): number {
  let distance = 0
  for (let i = 0; i < 6; i++) {
    distance += ((a[i] ?? 0) ^ (b[i] ?? 0)) / 256 ** (i + 1)
  }
  return distance
}
