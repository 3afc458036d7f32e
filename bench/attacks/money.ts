import { NETWORKS } from '../../src/wire/index.ts'
import type { Agent } from '../economy/agent.ts'
import type { Market } from '../economy/market.ts'
import type { Outcome, ScenarioInit } from './scenario.ts'
import { besiege, type Conduct, HARDWARE, NO_SERVICE, outcomeOf, type Siege, spendAll } from './swarm.ts'

/** Friends, or names of one owner, sign whatever suits them: payments without work among themselves. */

const RING = 10
/** Chains that a forker shows an hour; the proof is out after a day. */
const BRANCHES = 20

/** Everybody's whole balance goes round once an hour, and everybody asks for work on what that shows. */
function washAndSpend(market: Market, names: readonly Agent[]): void {
  names.forEach((payer, i) => {
    const payee = names[(i + 1) % names.length]
    if (payee !== undefined && payee !== payer) {
      market.washPay(payer, payee, payer.available(market.now))
    }
  })
  spendAll(market, names)
}

const idleRing: Conduct = {
  arrive: (market, owner) => Array.from({ length: RING }, () => market.add(NO_SERVICE, owner)),
  act: washAndSpend
}

/** One device behind all names works honestly; its names pass on whatever they earn. */
const workingRing: Conduct = {
  arrive: (market, owner) =>
    Array.from({ length: RING }, () => market.add({ ...HARDWARE, speed: HARDWARE.speed / RING }, owner)),
  act: washAndSpend
}

/** A hundred grants in one purse. */
const pooled: Conduct = {
  arrive(market, owner) {
    const [head, ...purses] = Array.from({ length: 100 }, () => market.add(NO_SERVICE, owner))
    if (head === undefined) {
      return []
    }
    for (const purse of purses) {
      market.washPay(purse, head, purse.available(market.now))
    }
    return [head, ...purses]
  },
  act: (market, [head]) => spendAll(market, head === undefined ? [] : [head])
}

/**
 * A worker and its alias, with the grants of fifty more names: the alias, paid for nothing, asks where the worker
 * has worked; the worker shows its payments everywhere else.
 */
const alias: Conduct = {
  arrive(market, owner) {
    const worker = market.add(HARDWARE, owner)
    const name = market.add(NO_SERVICE, owner)
    name.guide = worker
    worker.guide = name
    const purses = Array.from({ length: 50 }, () => market.add(NO_SERVICE, owner))
    for (const purse of purses) {
      market.washPay(purse, worker, purse.available(market.now))
    }
    return [worker, name]
  },
  act(market, [worker, name]) {
    if (worker !== undefined && name !== undefined) {
      market.washPay(worker, name, worker.available(market.now) / 2n)
      spendAll(market, [worker, name])
    }
  }
}

/** Works for a week, then shows everybody at once a chain in which nothing was spent yet. */
const fork = (isPrevented: boolean): Conduct => ({
  arrive: (market, owner) => [market.add(HARDWARE, owner)],
  act(market, [worker], hour) {
    if (worker === undefined || hour < 24 * 7 || worker.isGone) {
      return
    }
    if (isPrevented && hour <= 24 * 8) {
      spendAll(market, [worker], 1)
    } else if (!isPrevented && hour <= 24 * 8) {
      // every branch has all of the balance, and as much of it as anybody recognises is asked for
      worker.forks = true
      worker.balance = 1_000_000_000n
      for (let i = 0; i < BRANCHES; i++) {
        market.order(worker, worker.done / 4n)
      }
    } else if (hour > 24 * 8) {
      market.remove(worker) // the first exchange of heads is the proof: nothing is owed to it any more
    }
  }
})

/** Earns once, then idles, and keeps its clock fresh by payments of its own other name. */
const evade: Conduct = {
  arrive: (market, owner) => [market.add(HARDWARE, owner), market.add(NO_SERVICE, owner)],
  act(market, [worker, name], hour) {
    if (worker === undefined || name === undefined) {
      return
    }
    if (hour === 24 * 3) {
      worker.profile = NO_SERVICE
    }
    if (hour > 24 * 3 && hour % 24 === 0) {
      market.washPay(name, worker, 1_000n)
    }
    if (hour > 24 * 10) {
      spendAll(market, [worker])
    }
  }
}

/** Works, and pays a tenth of what it has done for itself. */
const thief: Conduct = {
  arrive(market, owner) {
    const worker = market.add(HARDWARE, owner)
    worker.refusesToPay = true
    return [worker]
  },
  act: (market, names) => spendAll(market, names)
}

export function moneyAttacks(init: ScenarioInit, honest: Siege): Outcome[] {
  const full = { ...NETWORKS.main, edgePercent: 100, paymentPercent: 100 }
  const twice = besiege(init, alias)
  const twiceInFull = besiege(init, alias, full)
  const shown = besiege(init, fork(true))
  const forked = besiege(init, fork(false))
  return [
    outcomeOf('wash-trading', besiege(init, idleRing), honest, {
      hold: 'no profit',
      ends: 'Payments among names that worked for nobody are good nowhere: recognition starts at the provider’s own checks.'
    }),
    outcomeOf('collusion-ring', besiege(init, workingRing), honest, {
      hold: 'no profit',
      ends: 'The ring is given back what it worked, whoever of it asks.'
    }),
    outcomeOf('pooled-genesis', besiege(init, pooled), honest, {
      hold: 'no profit',
      ends: 'A full purse of a name that nobody owes anything is spent at the strangers’ counter.'
    }),
    outcomeOf('given-back-twice', twice, honest, {
      hold: 'no profit',
      ends: `Edges and payments count half each. Counted in full, as first planned, the same conduct got ${(twiceInFull.got / twiceInFull.done).toFixed(2)} of its work instead of ${(twice.got / twice.done).toFixed(2)}.`
    }),
    outcomeOf('shown-to-many', shown, honest, {
      beyond: forked.got / honest.done,
      hold: 'detected',
      ends: 'What is spent stands in the witnessed chain. With forged witnesses each provider loses its own edges once; then the fork is proof and the name is worth nothing.'
    }),
    outcomeOf('refusal-to-pay', besiege(init, thief), honest, {
      hold: 'bounded',
      ends: 'Fair exchange without a third party is impossible (Pagnini & Gärtner 1999). A payee loses its window, 64 units at most; what it delivered counts as given back, paid or not.'
    }),
    outcomeOf('drain-evasion', besiege(init, evade), honest, {
      hold: 'bounded',
      ends: 'Probing oneself evades the burn and the fading, not recognition: it is given back what it worked, once.'
    })
  ]
}
