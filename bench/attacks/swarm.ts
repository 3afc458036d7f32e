import { NETWORKS, type NetworkParameters } from '../../src/wire/index.ts'
import type { Agent, Profile } from '../economy/agent.ts'
import { Market } from '../economy/market.ts'
import { Crowd } from '../economy/population.ts'
import type { Outcome, ScenarioInit } from './scenario.ts'

/** The attacker's hardware, in one device: there always, and all of it for others. */
export const HARDWARE: Profile = {
  kind: 'both',
  speed: 200_000,
  presence: 1,
  serves: true,
  jobsADay: 1e-9,
  jobSize: 1
}
export const NO_SERVICE: Profile = { ...HARDWARE, serves: false }

/** Share of the honest devices' time that is for others: plenty at first, then so little that requesters wait. */
const WARM_POWER = 0.003
const POWER = 0.0001
const WARM_UP_DAYS = 7

/** What an owner of names does each hour. */
export interface Conduct {
  /** Once, when the swarm has run for a week. @returns the owner's names */
  arrive(market: Market, owner: number): Agent[]
  /** Each hour, before the swarm's. May add names to the list. */
  act(market: Market, names: Agent[], hour: number): void
}

export interface Siege {
  /** Recognised work got (µcr), by all names. */
  readonly got: number
  readonly strangers: number
  /** Work done for others, and paid. */
  readonly done: number
  readonly displaced: number
  /** Work done, of all that the honest devices could do. */
  readonly busy: number
  /** Hours that somebody recognised waited. */
  readonly longestWait: number
  readonly market: Market
}

const OWNER = 1_000_000

/** An honest swarm with one owner of names in it who does as it likes. */
export function besiege(
  init: ScenarioInit,
  conduct: Conduct,
  network: NetworkParameters = NETWORKS.main
): Siege {
  const market = new Market({
    network,
    seed: init.seed,
    power: WARM_POWER,
    patience: 6,
    isAttacker: ({ owner }) => owner === OWNER
  })
  const crowd = new Crowd(market, init.nodes, 0.01)
  const day = () => {
    for (let hour = 0; hour < 24; hour++) {
      market.hour()
    }
    crowd.turnOver()
  }
  for (let i = 0; i < WARM_UP_DAYS; i++) {
    day()
  }
  market.resetTally()
  market.floor.power = POWER
  const names = conduct.arrive(market, OWNER)
  for (let hour = 0; hour < 24 * init.days; hour++) {
    conduct.act(market, names, hour)
    market.hour()
    if (hour % 24 === 23) {
      crowd.turnOver()
    }
  }
  const tally = market.resetTally()
  const of = (pick: (agent: Agent) => bigint) => names.reduce((sum, agent) => sum + Number(pick(agent)), 0)
  const capacity = market.present
    .filter(({ profile, owner }) => profile.serves && owner !== OWNER)
    .reduce((sum, { profile }) => sum + profile.speed * profile.presence * 86_400 * POWER * init.days, 0)
  return {
    got: of(({ got }) => got.recognised),
    strangers: of(({ got }) => got.strangers) / capacity,
    done: of(({ done }) => done),
    displaced: Number(tally.displaced) / Number(tally.recognisedWanted),
    busy: Number(tally.recognised + tally.strangers + tally.probes) / capacity,
    longestWait: tally.longestWait,
    market
  }
}

/** One node that works all day with the same hardware, and has everything done that it is owed. */
export const HONEST: Conduct = {
  arrive: (market, owner) => [market.add(HARDWARE, owner)],
  act: (market, names) => spendAll(market, names)
}

/** Every name orders as much as its balance allows, spread over hours. */
export function spendAll(market: Market, names: readonly Agent[], hours = 6): void {
  for (const agent of names) {
    const amount = agent.available(market.now) / BigInt(hours)
    if (amount > 1_000n) {
      market.order(agent, amount)
    }
  }
}

/** The income of honest work: what the hardware earned. */
export function honestIncome(init: ScenarioInit): Siege {
  return besiege(init, HONEST)
}

/** Whoever works more than the reference, because it is hired more often, is measured by its own work. */
export function outcomeOf(
  name: string,
  siege: Siege,
  honest: Siege,
  rest: Pick<Outcome, 'hold' | 'ends'> & Partial<Outcome>
): Outcome {
  return {
    name,
    gain: siege.got / Math.max(honest.done, siege.done),
    displaced: siege.displaced,
    strangers: siege.strangers,
    ...rest
  }
}
