import { mean, percentile } from '../sim/statistics.ts'
import { type Agent, DAY, HOUR, type Kind } from './agent.ts'
import type { Tally } from './floor.ts'
import type { Market } from './market.ts'

const CREDIT = 1_000_000

/** 0: all have the same; 1: one has all. */
export function gini(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const total = sorted.reduce((sum, value) => sum + value, 0)
  const weighted = sorted.reduce((sum, value, i) => sum + (2 * (i + 1) - sorted.length - 1) * value, 0)
  return total === 0 ? 0 : weighted / (sorted.length * total)
}

/** How a swarm stands, and what one day brought. Amounts in credits. */
export interface Day {
  readonly day: number
  readonly gini: number
  readonly quantiles: readonly [p10: number, p50: number, p90: number]
  /** What the richest hundredth has of all credit. */
  readonly topHundredth: number
  /** Share of all credit that drains now: its owner was idle for more than the grace time. */
  readonly idleShare: number
  /** Work done a day for one credit in the swarm. */
  readonly velocity: number
  /** Work done, a node. */
  readonly work: number
  /** Of what was asked for by nodes that had worked before: done on recognition. */
  readonly recognisedShare: number
  /** Of all work done: strangers'. */
  readonly strangersShare: number
  /** Of all work wished for: not asked for, for want of credit. */
  readonly unaffordableShare: number
  readonly meanOf: Readonly<Record<Kind, number>>
}

export function dayOf(market: Market, tally: Tally, days = 1): Day {
  const agents = market.present
  const balances = agents.map((agent) => credits(agent.available(market.now)))
  const sorted = balances.toSorted((a, b) => a - b)
  const supply = balances.reduce((sum, balance) => sum + balance, 0)
  const idleFrom = market.now - market.network.drainGraceHours * HOUR
  const idle = agents.filter(({ idleSince }) => idleSince < idleFrom)
  const done = credits(tally.recognised + tally.strangers)
  const top = sorted.slice(-Math.max(1, Math.round(sorted.length / 100)))
  const wished = credits(tally.wanted + tally.wantedByRest + tally.unaffordable)
  return {
    day: Math.round(market.hours / 24),
    gini: gini(balances),
    quantiles: [percentile(sorted, 0.1), percentile(sorted, 0.5), percentile(sorted, 0.9)],
    topHundredth: top.reduce((sum, balance) => sum + balance, 0) / supply,
    idleShare: idle.reduce((sum, { balance }) => sum + credits(balance), 0) / supply,
    velocity: done / days / supply,
    work: done / days / agents.length,
    recognisedShare: ratio(tally.recognisedWanted, tally.wanted),
    strangersShare: ratio(tally.strangers, tally.recognised + tally.strangers),
    unaffordableShare: wished === 0 ? 0 : credits(tally.unaffordable) / wished,
    meanOf: {
      contributor: meanBalance(agents, 'contributor'),
      both: meanBalance(agents, 'both'),
      requester: meanBalance(agents, 'requester'),
      idler: meanBalance(agents, 'idler')
    }
  }
}

export interface Waits {
  readonly median: number
  readonly p95: number
  /** Share of newcomers that waited for more than a week. */
  readonly never: number
}

/** Hours from joining to an event, of those who joined in the given days and had a week. */
export function newcomers(
  market: Market,
  days: readonly [from: number, to: number],
  event: (agent: Agent) => number | undefined,
  concerns: (agent: Agent) => boolean
): Waits {
  const first = market.agents[0]?.joined ?? 0
  const waits = market.agents
    .filter((agent) => {
      const day = (agent.joined - first) / DAY
      const hadTime = !agent.isGone || event(agent) !== undefined
      return day >= days[0] && day < days[1] && hadTime && concerns(agent)
    })
    .map((agent) => ((event(agent) ?? Number.POSITIVE_INFINITY) - agent.joined) / HOUR)
    .toSorted((a, b) => a - b)
  const late = waits.filter((hours) => hours > 24 * 7).length
  return { median: percentile(waits, 0.5), p95: percentile(waits, 0.95), never: late / waits.length }
}

/** A node's mean weight in the queues of some providers. */
export function weights(market: Market, agents: readonly Agent[], providers: readonly Agent[]): number[] {
  return agents.map((agent) =>
    mean(providers.map((provider) => (provider === agent ? 0 : provider.weightOf(agent, market.now))))
  )
}

/** Evenly spread over the present ones that serve. */
export function sampleProviders(market: Market, count: number): Agent[] {
  const servers = market.present.filter(({ profile }) => profile.serves)
  const step = Math.max(1, Math.floor(servers.length / count))
  return servers.filter((_, i) => i % step === 0).slice(0, count)
}

export const credits = (amount: bigint) => Number(amount) / CREDIT

function meanBalance(agents: readonly Agent[], kind: Kind): number {
  const balances = agents
    .filter(({ profile }) => profile.kind === kind)
    .map(({ balance }) => credits(balance))
  return balances.length === 0 ? 0 : mean(balances)
}

const ratio = (of: bigint, to: bigint) => (to === 0n ? 0 : Number(of) / Number(to))
