import type { WorthPoint } from './shapley-capacity.ts'

/** F as F(x) = Σ bend · max(0, x − at) + Σ jump · 1[x ≥ at], which is easy to integrate; and F itself. */
export interface CapacityWorth {
  at(x: number): number
  readonly kinks: ReadonlyArray<{ at: number; bend: number; jump: number }>
}

export function worthFunction(points: readonly WorthPoint[]): CapacityWorth {
  const corners = [
    { at: 0, value: 0 },
    ...points.map(({ at, value }) => ({ at: Number(at), value: Number(value) }))
  ]
  const kinks: Array<{ at: number; bend: number; jump: number }> = []
  let slope = 0
  for (const [i, { at, value }] of corners.entries()) {
    const next = corners[i + 1]
    const jump = next?.at === at ? next.value - value : 0
    const after = next === undefined ? 0 : next.at > at ? (next.value - value) / (next.at - at) : slope
    kinks.push({ at, bend: after - slope, jump })
    slope = after
  }
  return {
    at: (x) => interpolate(corners, x),
    kinks: kinks.filter(({ bend, jump }) => bend !== 0 || jump !== 0)
  }
}

function interpolate(corners: ReadonlyArray<{ at: number; value: number }>, x: number): number {
  let before = { at: 0, value: 0 }
  for (const corner of corners) {
    if (corner.at > x) {
      return before.value + ((corner.value - before.value) * (x - before.at)) / (corner.at - before.at)
    }
    before = corner
  }
  return before.value
}
