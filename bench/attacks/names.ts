import type { Agent } from '../economy/agent.ts'
import type { Market } from '../economy/market.ts'
import type { Outcome, ScenarioInit } from './scenario.ts'
import { besiege, type Conduct, NO_SERVICE, outcomeOf, type Siege, spendAll } from './swarm.ts'

/** Names are free: many at once, or a new one as often as it helps. */

const join = (market: Market, owner: number, count: number) =>
  Array.from({ length: count }, () => market.add(NO_SERVICE, owner))

const sybil = (count: number): Conduct => ({
  arrive: (market, owner) => join(market, owner, count),
  act: (market, names) => spendAll(market, names)
})

/** Every day the name is thrown away, and another one begins with its grant. */
const whitewash: Conduct = {
  arrive: (market, owner) => join(market, owner, 1),
  act(market, names, hour) {
    const last = names.at(-1)
    if (hour % 24 === 0 && last !== undefined) {
      market.remove(last)
      names.push(market.add(NO_SERVICE, last.owner))
    }
    spendAll(
      market,
      names.filter(({ isGone }: Agent) => !isGone)
    )
  }
}

export function nameAttacks(init: ScenarioInit, honest: Siege): Outcome[] {
  return [
    ...[10, 100, 1_000].map((count) =>
      outcomeOf(`sybil-${count}`, besiege(init, sybil(count)), honest, {
        hold: 'no profit',
        ends: 'Nobody owes a new name anything: all names together get of each node at most its strangers’ share.'
      })
    ),
    outcomeOf('whitewashing', besiege(init, whitewash), honest, {
      hold: 'no profit',
      ends: 'A new name is a stranger again; a bad name had nothing to lose but what it had earned.'
    })
  ]
}
