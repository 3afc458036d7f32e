export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += values[i] as number // i < length
  }
  return sum / values.length
}

/** @param sorted ascending @param share 0 to 1: .99 is the 99th percentile */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The slope of log y over log x by least squares: y grows as x to that power. */
export function logSlope(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const meanX = mean(logs.map(([x]) => x))
  const meanY = mean(logs.map(([, y]) => y))
  const products = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return products / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

/** Mutual information in bits of the two places of the pairs. */
export function mutualInformation(pairs: readonly (readonly [number, number])[]): number {
  const joint = new Map<string, number>()
  const left = new Map<number, number>()
  const right = new Map<number, number>()
  for (const [a, b] of pairs) {
    joint.set(`${a} ${b}`, (joint.get(`${a} ${b}`) ?? 0) + 1)
    left.set(a, (left.get(a) ?? 0) + 1)
    right.set(b, (right.get(b) ?? 0) + 1)
  }
  const total = pairs.length
  let bits = 0
  for (const [key, count] of joint) {
    const [a, b] = key.split(' ').map(Number)
    const expected = (left.get(a ?? -1) ?? 0) * (right.get(b ?? -1) ?? 0)
    bits += (count / total) * Math.log2((count * total) / expected)
  }
  return bits
}
