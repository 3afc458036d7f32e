import {
  isEligible,
  paperStrategy,
  type Strategy,
  type SwarmCandidate,
  type SwarmStrategyInit,
  swarmStrategy
} from '../../src/router/index.ts'
import type { Policy } from './fleet.ts'
import type { Pair } from './pair.ts'
import type { Random } from './random.ts'

/** The rivals, and the production strategies behind the same interface. All but one filter first. */

export const random: Policy = {
  name: 'random',
  choose: (pairs, _unit, draw) => indexOf(pairs, capable(pairs)[Math.floor(draw() * capable(pairs).length)])
}

export function roundRobin(): Policy {
  const last = new Map<number, number>()
  return {
    name: 'round-robin',
    choose(pairs, { router }, draw) {
      const nodes = capable(pairs)
      const next = ((last.get(router) ?? Math.floor(draw() * nodes.length)) + 1) % nodes.length
      last.set(router, next)
      return indexOf(pairs, nodes[next])
    }
  }
}

export const speedWeighted: Policy = {
  name: 'speed-weighted',
  choose(pairs, _unit, draw) {
    const nodes = capable(pairs)
    let left = draw() * nodes.reduce((sum, { speed }) => sum + speed, 0)
    return indexOf(
      pairs,
      nodes.find(({ speed }) => {
        left -= speed
        return left < 0
      }) ?? nodes.at(-1)
    )
  }
}

/** Two drawn by speed, the least (pending + 1)/speed of them: the rule whose figures credit.md states. */
export const twoChoices: Policy = {
  name: 'two-choices',
  choose(pairs, unit, draw, fleet) {
    const one = speedWeighted.choose(pairs, unit, draw, fleet)
    const other = speedWeighted.choose(pairs, unit, draw, fleet)
    const priceOf = (pair: Pair | undefined) => (pair === undefined ? 0 : (pair.pending + 1) / pair.speed)
    return priceOf(pairs[one]) <= priceOf(pairs[other]) ? one : other
  }
}

/** The least (pending + 1)/speed of all, own units counted at once. */
export const leastLoaded: Policy = {
  name: 'least-loaded',
  choose: (pairs, _unit, draw) => leastOf(pairs, draw, ({ pending, speed }) => (pending + 1) / speed)
}

/** Knows every queue's work to the digit, and when the running unit will end. */
export const omniscient: Policy = {
  name: 'omniscient',
  choose: (pairs, { work }, draw, { loop }) =>
    leastOf(pairs, draw, ({ node }) => {
      const computed = node.pending > 0 ? (loop.now - node.startedAt) * node.speed : 0
      return (node.backlog - computed + work) / node.speed
    })
}

/** What is expected of a unit; an unequal one is not known better than by its mean. */
const MEAN_WORK = 1

export const paper = production('paper', paperStrategy)

/** Equation 1 alone: an incapable node only lacks w1. */
export const paperUnfiltered: Policy = {
  name: 'paper-unfiltered',
  choose: (pairs, { work }, draw) => indexOf(pairs, paperStrategy.choose(pairs, { work }, draw)?.chosen)
}

export const swarm = (init?: SwarmStrategyInit) => production('swarm', swarmStrategy(init))

function production(name: string, strategy: Strategy<SwarmCandidate>): Policy {
  return {
    name,
    choose: (pairs, _unit, draw) =>
      indexOf(pairs, strategy.choose(capable(pairs), { work: MEAN_WORK }, draw)?.chosen)
  }
}

function leastOf(pairs: readonly Pair[], draw: Random, priceOf: (pair: Pair) => number): number {
  let least = Number.POSITIVE_INFINITY
  let chosen = -1
  let equals = 0
  pairs.forEach((pair, index) => {
    const price = pair.capable ? priceOf(pair) : Number.POSITIVE_INFINITY
    if (price < least) {
      least = price
      chosen = index
      equals = 1
    } else if (price === least && draw() * ++equals < 1) {
      chosen = index
    }
  })
  return chosen
}

/** Only where there are incapable ones is there anything to filter, and a list to make. */
function capable(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.every(isEligible) ? pairs : pairs.filter(isEligible)
}

function indexOf(pairs: readonly Pair[], pair: Pair | undefined): number {
  return pair === undefined ? -1 : pairs.indexOf(pair)
}
