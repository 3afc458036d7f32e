import type { PeerIdString } from '../../wire/index.ts'

/**
 * Who does which stage: each peer one stage, each stage at least one peer, as the split and the checks want it. Then
 * the others go where a provider has most to do.
 *
 * @param able by stage: who could do it, best first
 * @param wanted peers in all
 * @param shares by stage: how much of the work it is
 * @returns by stage; undefined: some stage stays without a peer
 */
export function assignCrews(
  able: ReadonlyArray<readonly PeerIdString[]>,
  wanted: number,
  shares: readonly number[]
): PeerIdString[][] | undefined {
  const stageOf = new Map<PeerIdString, number>()
  for (const stage of able.keys()) {
    if (!place(stage, able, stageOf, new Set())) {
      return undefined
    }
  }
  const crews: PeerIdString[][] = able.map((_, stage) =>
    [...stageOf].flatMap(([peer, its]) => (its === stage ? [peer] : []))
  )
  const load = (stage: number) => (shares[stage] ?? 0) / (crews[stage]?.length ?? 1)
  for (let left = wanted - crews.length; left > 0; left--) {
    const byLoad = [...crews.keys()].sort((a, b) => load(b) - load(a))
    const next = byLoad.flatMap((stage) =>
      (able[stage] ?? []).filter((peer) => !stageOf.has(peer)).map((peer) => ({ stage, peer }))
    )[0]
    if (next === undefined) {
      break
    }
    stageOf.set(next.peer, next.stage)
    crews[next.stage]?.push(next.peer)
  }
  return crews
}

/** Kuhn's augmenting paths: a peer that another stage has is free if that one finds another. */
function place(
  stage: number,
  able: ReadonlyArray<readonly PeerIdString[]>,
  stageOf: Map<PeerIdString, number>,
  tried: Set<PeerIdString>
): boolean {
  for (const peer of able[stage] ?? []) {
    if (!tried.has(peer)) {
      tried.add(peer)
      const other = stageOf.get(peer)
      if (other === undefined || place(other, able, stageOf, tried)) {
        stageOf.set(peer, stage)
        return true
      }
    }
  }
  return false
}
