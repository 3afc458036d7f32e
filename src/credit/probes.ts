import type { MicroCredits, Milliseconds, NetworkParameters, PeerIdString } from '../wire/index.ts'

/**
 * Canaries between idle providers: small paid jobs on inputs of one's own, so that a node that never hires anybody
 * has edges too, and knows whose word counts.
 */

const HOUR = 3_600_000

/**
 * When the next canary is due: uniform between half and one and a half intervals after the last one, so that a
 * swarm's probes spread.
 *
 * @param draw in [0, 1), kept until the probe is made
 */
export function nextProbeAt(last: Milliseconds, draw: number, network: NetworkParameters): Milliseconds {
  return last + Math.round((0.5 + draw) * network.probeIntervalHours * HOUR)
}

export interface ProbeCandidate {
  readonly peer: PeerIdString
  /** Checked work so far (µcr). */
  readonly work: MicroCredits
}

/**
 * Whom to probe: drawn with weight 1 / (1 + work / price), so that those unknown come first, before who has had one, and
 * nobody is ever safe from a canary.
 *
 * @param draw in [0, 1)
 * @param price of the canary (µcr), above 0
 */
export function chooseProbed(
  candidates: readonly ProbeCandidate[],
  draw: number,
  price: MicroCredits
): PeerIdString | undefined {
  const weights = candidates.map(({ work }) => 1 / (1 + Number(work) / Number(price)))
  let left = draw * weights.reduce((total, weight) => total + weight, 0)
  const chosen = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  return candidates.at(chosen)?.peer // rounding may leave −1: the last
}

/** Whether a unit is small enough for a canary. */
export const isProbeSize = (cost: MicroCredits, network: NetworkParameters) => cost <= network.probeAmount
