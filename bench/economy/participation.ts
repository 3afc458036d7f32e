import type { NetworkParameters } from '../../src/wire/index.ts'
import { mean } from '../sim/statistics.ts'
import { type Agent, DAY } from './agent.ts'
import { Market } from './market.ts'
import { sampleProviders, weights } from './measures.ts'
import { Crowd } from './population.ts'

export interface Week {
  readonly day: number
  /** Share of nodes that serve. */
  readonly participation: number
  /** Mean weight of the nodes that stopped, of that of those that go on: at providers that go on. */
  readonly ratio: number
}

const DAYS = 56
/** From this day on a share of those that serve stops each day, and goes on asking as before. */
const STOPS_FROM = 14
const STOP_A_DAY = 0.04
const PROVIDERS = 40

/** The paper's falsifier: participation falls week by week; do those that became idle keep their priority? */
export function participation(network: NetworkParameters, seed: number, nodes: number): Week[] {
  const market = new Market({ network, seed })
  const crowd = new Crowd(market, nodes, 0.01)
  const stopped = new Map<Agent, number>()
  const weeks: Week[] = []
  for (let day = 1; day <= DAYS; day++) {
    for (let hour = 0; hour < 24; hour++) {
      market.hour()
    }
    crowd.turnOver()
    const serving = market.present.filter(({ profile }) => profile.serves)
    if (day >= STOPS_FROM) {
      for (const agent of serving) {
        if (agent.random() < STOP_A_DAY) {
          agent.profile = { ...agent.profile, serves: false }
          stopped.set(agent, market.now)
        }
      }
    }
    if (day > STOPS_FROM && day % 7 === 0) {
      weeks.push(weekOf(market, stopped, day))
    }
  }
  return weeks
}

function weekOf(market: Market, stopped: ReadonlyMap<Agent, number>, day: number): Week {
  const { present, now } = market
  const active = present.filter(({ profile }) => profile.serves)
  const idle = present.filter((agent) => now - (stopped.get(agent) ?? now) >= 3 * DAY)
  const providers = sampleProviders(market, PROVIDERS)
  const weightOf = (agents: readonly Agent[]) =>
    agents.length === 0 ? 0 : mean(weights(market, agents, providers))
  return {
    day,
    participation: active.length / present.length,
    ratio: weightOf(idle) / weightOf(active)
  }
}
