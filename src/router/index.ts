/**
 * SwarmRouter: a hard filter, then a strategy: equation 1 of the paper, or our own; learns from every unit. The rules
 * are pure, one a file, and `bench/sim` runs the same ones.
 */
export { AHEAD, type Lane, medianSpeed, pickLane } from './dispatch.ts'
export { type Experience, experience, judge, neverMet, type UnitOutcome } from './experience.ts'
export {
  copiesLimit,
  earn,
  HEDGE_SHARE,
  type Hedge,
  hedgeAt,
  isLate,
  NO_HEDGE,
  spend,
  time
} from './hedge.ts'
export { Hedges } from './hedges.ts'
export {
  AS_PREDICTED,
  FAILURE_SLOWDOWN,
  observe,
  observeFailure,
  type Slowdown,
  slowdownAt,
  slowdownFactor
} from './peak-ewma.ts'
export {
  PHEROMONE_MIN,
  PHEROMONE_START,
  type Pheromone,
  reinforce,
  strengthAt
} from './pheromone.ts'
export { follow, NO_SAMPLES, QUANTILE_SEEN_MIN, type Quantile } from './quantile.ts'
export { type Crew, wantsMore } from './reinforce.ts'
export {
  type Considered,
  type Memory,
  type RouterInit,
  SwarmRouter,
  type Task,
  type Trail,
  type UnitTime
} from './router.ts'
export { Specialism } from './specialism.ts'
export {
  chooseMany,
  type Decision,
  paperStrategy,
  type Reason,
  type Request,
  type Strategy,
  type StrategyName,
  type SwarmCandidate
} from './strategy.ts'
export { cost, EXPLORED, type SwarmStrategyInit, swarmStrategy } from './swarm-strategy.ts'
export {
  adaptThreshold,
  responseProbability,
  THRESHOLD_MAX,
  THRESHOLD_MIN,
  THRESHOLD_RATES,
  THRESHOLD_START,
  type ThresholdRates
} from './threshold.ts'
export {
  type Candidate,
  isEligible,
  LATENCY_MAX,
  PAPER_WEIGHTS,
  rank,
  type UtilityWeights,
  utility
} from './utility.ts'
