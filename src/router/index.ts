/** SwarmRouter: a hard filter, then the utility of the paper's equation 1; learns from every unit. */
export { type RouterInit, SwarmRouter, type Task } from './router.ts'
export {
  type Candidate,
  isEligible,
  LATENCY_MAX,
  PAPER_WEIGHTS,
  rank,
  type UtilityWeights,
  utility
} from './utility.ts'
