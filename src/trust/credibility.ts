/** How likely a result is right (Sarmenta 2002, "Sabotage-tolerance mechanisms for volunteer computing systems"). */

/** f: the assumed share of faulty peers. */
export const FAULTY_SHARE = 0.2
/** ε: a result is accepted from credibility 1 − ε on. */
export const ERROR_MAX = 0.01

/**
 * 1 − f/k of a peer that passed k checks; 1 − f before the first. Names are free, so a blacklist would not help and
 * is not assumed.
 */
export function credibility(checksPassed: number, faulty = FAULTY_SHARE): number {
  return 1 - faulty / Math.max(1, checksPassed)
}

/**
 * The credibility of each group of equal results for one unit, given the credibilities of the peers in it: the
 * probability that this group is right and all others are wrong, among the cases with at most one right group.
 *
 * @param groups one entry a different result: credibilities of the peers that gave it
 * @returns in the order of the groups
 */
export function groupCredibilities(groups: readonly (readonly number[])[]): number[] {
  const right = groups.map((peers) => peers.reduce((product, credible) => product * credible, 1))
  const wrong = groups.map((peers) => peers.reduce((product, credible) => product * (1 - credible), 1))
  const only = right.map((chance, i) =>
    wrong.reduce((product, other, j) => (j === i ? product : product * other), chance)
  )
  const total = only.reduce((sum, chance) => sum + chance, 0) + wrong.reduce((product, w) => product * w, 1)
  return only.map((chance) => (total === 0 ? 0 : chance / total))
}

/** The index of the group that is credible enough, if there is one. */
export function accepted(groups: readonly (readonly number[])[], errorMax = ERROR_MAX): number | undefined {
  const index = groupCredibilities(groups).findIndex((credible) => credible >= 1 - errorMax)
  return index === -1 ? undefined : index
}

/** The chance that m or more of 2m − 1 independent voters, each wrong with chance f, outvote the rest. */
export function majorityError(m: number, faulty: number): number {
  const voters = 2 * m - 1
  let term = (1 - faulty) ** voters // of j = 0 wrong votes
  let error = 0
  for (let j = 0; j <= voters; j++) {
    error += j >= m ? term : 0
    term *= ((voters - j) / (j + 1)) * (faulty / (1 - faulty))
  }
  return error
}
