import type { PeerInfo } from '../api.ts'

/** A peer's place in the picture of the swarm: this node is at (0, 0), the picture ends at ±1. */
export interface Place<Peer> {
  readonly peer: Peer
  readonly x: number
  readonly y: number
}

export interface Layout<Peer> {
  readonly places: ReadonlyArray<Place<Peer>>
  /** Radii of the rings that are in use, innermost first. */
  readonly rings: readonly number[]
  /** Outside of this ring are the relayed ones. */
  readonly border: number | undefined
  /** Distance of two rings. */
  readonly step: number
}

/** Places on the first ring; the k-th has k times as many, so that neighbours are equally far apart everywhere. */
const FIRST_RING = 10
const EDGE = 0.92

/**
 * Peers on rings about this node: direct ones inside, relayed ones outside. A peer's place follows from its id, and who
 * finds it taken goes on to the next free one: so most stay where they are while others come and go. Only a ring more or
 * less moves all. No forces: the swarm as one node sees it is a star, of which they would make a ball of wool.
 */
export function layOut<Peer extends Pick<PeerInfo, 'peer' | 'connection'>>(
  peers: readonly Peer[]
): Layout<Peer> {
  const sorted = peers.toSorted((left, right) => (left.peer < right.peer ? -1 : 1))
  const direct = sorted.filter(({ connection }) => connection === 'direct')
  const relayed = sorted.filter(({ connection }) => connection !== 'direct')
  const inner = ringsFor(direct.length, 0)
  const outer = ringsFor(relayed.length, inner)
  const step = EDGE / Math.max(1, inner + outer)
  return {
    places: [...placed(direct, 1, inner, step), ...placed(relayed, inner + 1, outer, step)],
    rings: Array.from({ length: inner + outer }, (_, ring) => (ring + 1) * step),
    border: relayed.length > 0 && direct.length > 0 ? (inner + 0.5) * step : undefined,
    step
  }
}

/** How many rings after the first `before` hold so many. */
function ringsFor(count: number, before: number): number {
  let rings = 0
  for (let room = 0; room < count; rings++) room += (before + rings + 1) * FIRST_RING
  return rings
}

function placed<Peer extends Pick<PeerInfo, 'peer'>>(
  peers: readonly Peer[],
  first: number,
  rings: number,
  step: number
): Array<Place<Peer>> {
  const slots = Array.from({ length: rings }, (_, index) => first + index).flatMap((ring) =>
    Array.from({ length: ring * FIRST_RING }, (_, at) => {
      // Every other ring is turned by half a place: no spokes.
      const angle = (2 * Math.PI * (at + (ring % 2) / 2)) / (ring * FIRST_RING) - Math.PI / 2
      return { x: ring * step * Math.cos(angle), y: ring * step * Math.sin(angle) }
    })
  )
  const taken = new Set<number>()
  return peers.map((peer) => {
    let at = hash(peer.peer) % slots.length
    while (taken.has(at)) at = (at + 1) % slots.length
    taken.add(at)
    const { x, y } = slots[at] ?? { x: 0, y: 0 }
    return { peer, x, y }
  })
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  }
  return value >>> 0
}
