import { SEARCH_INTERVAL } from '../../src/jobs/constants.ts'
import { SetAside } from '../../src/registry/set-aside.ts'
import { SwarmRouter } from '../../src/router/index.ts'
import { checked, mustReplicate, type Replication, UNCHECKED } from '../../src/trust/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import { type Random, randomOf } from '../sim/random.ts'
import { seenBy } from './checks.ts'
import { NOTHING, type Outcome, type ScenarioInit } from './scenario.ts'
import { slander } from './slander.ts'

/**
 * Providers that do not do what they are paid for, against production's checks, router, trust and replication. With
 * `verify` saying yes to everything each of the first four gains several times an honest node's income.
 */

const PROVIDERS = 30
const REQUESTERS = 10
const UNITS = 20_000
const JOBS = 4_000
/** A job that is worth hiring for (docs/BENCHMARKS.md, `worth`). */
const JOB_MS = 10_000
/** Until a new name is connected, known and asked. */
const NEW_NAME_MS = 10_000
/** A check that sees a third of such units: what replication is for. */
const WEAK = 1 / 3

interface Deed {
  /** Time that the unit takes, of the honest time. */
  readonly effort: number
  /** Chance that the skill's own check sees it, if it is not right. */
  readonly seen: number
  readonly isRight: boolean
}

interface Liar {
  /** What it does with its nth unit. */
  deed(nth: number, draw: number): Deed
  /** It comes back with a new name when it is caught. */
  readonly whitewashes?: boolean
  /** Replicas of its units that go to another name of its own: by lottery, its share of all providers. */
  readonly coReplicas?: number
}

const honestly: Deed = { effort: 1, seen: 0, isRight: true }

interface Run {
  /** Paid units of the liar in an hour of its device's time, of an honest one's. */
  readonly gain: number
  /** Units that the liar kept from being right at the first try, of all. */
  readonly displaced: number
  /** Wrong results that were paid, of all units. */
  readonly wrong: number
}

export async function workAttacks({ seed }: ScenarioInit): Promise<Outcome[]> {
  const [zeros, lazy, copied] = [
    await seenBy(['zeros'], seed),
    await seenBy(['lazy'], seed),
    await seenBy(['swapped', 'stale'], seed)
  ]
  const tenth = (seen: number): Liar => ({ deed: () => ({ effort: 0.1, seen, isRight: false }) })
  const nothing = (seen: number): Liar => ({ deed: () => ({ effort: 0.001, seen, isRight: false }) })
  const patient: Liar = {
    deed: (nth) => (nth < 300 ? honestly : { effort: 0.1, seen: lazy, isRight: false }),
    whitewashes: true
  }
  const some = (seen: number): Liar => ({
    deed: (_, draw) => (draw < 0.1 ? { effort: 0.1, seen, isRight: false } : honestly)
  })
  const weak = play(seed, some(WEAK), true)
  return [
    lie(
      'wrong-result',
      play(seed, nothing(zeros), false),
      'Every result is checked before it is paid; one wrong one weighs ten missed.'
    ),
    lie(
      'tenth-of-the-work',
      play(seed, tenth(lazy), false),
      `As above: the strong checks of the shelf saw ${(lazy * 100).toFixed(1)} % of such results.`
    ),
    lie(
      'patient-saboteur',
      play(seed, patient, false),
      'Good behaviour buys no blindness: strong checks look at every unit, for ever.'
    ),
    lie(
      'lazy-copier',
      play(seed, { ...nothing(copied), whitewashes: true }, false),
      'There is nothing right to copy: no result is shown to other providers, another unit’s answer fails the check.'
    ),
    {
      ...lie(
        'a-tenth-of-units-weak-check',
        weak,
        `A check that sees a third, with replicas: ${(weak.wrong * 100).toFixed(2)} % of all units were paid wrong. No skill of the shelf is weak.`
      ),
      hold: 'bounded'
    },
    lie(
      'co-replicas',
      play(seed, { ...some(WEAK), coReplicas: 2 / (PROVIDERS + 1) }, true),
      'Replicas are drawn by lottery, and a replica on somebody else’s input makes no edge.'
    ),
    staleFlood(seed),
    await slander(seed)
  ]
}

/**
 * Adverts of names that nobody answers for, three of four: a job opens channels to four at once. Displaced: the time
 * that jobs of ten seconds waited, because none of the four was there and they had to look again.
 */
function staleFlood(seed: number): Outcome {
  const random = randomOf(seed, 'stale')
  let now = 1_800_000_000_000
  const routers = Array.from({ length: REQUESTERS }, () => ({
    router: new SwarmRouter({ strategy: 'swarm', now: () => now, random }),
    aside: new SetAside()
  }))
  const found = [...Array(4 * PROVIDERS).keys()].map((i) =>
    provider(nameOf(i < PROVIDERS ? 'honest' : 'stale', i))
  )
  let dials = 0
  let waited = 0
  for (let job = 0; job < JOBS; job++) {
    now += 40_000
    const { router, aside } = routers[job % REQUESTERS] as (typeof routers)[number] // in range
    const here = found.filter(({ advert }) => !aside.has(advert.peer, now))
    const chosen = router.choose(here, TASK, 4).map(({ advert }) => advert.peer)
    const stale = chosen.filter((peer) => peer.startsWith('stale'))
    dials += stale.length
    waited += stale.length === chosen.length ? 1 : 0
    for (const peer of chosen) {
      if (stale.includes(peer)) {
        aside.add(peer, false, now)
        router.learn(peer, TASK.skill, 'missed')
      } else {
        router.learn(peer, TASK.skill, 'verified', { operations: 1e9, tookMs: 1_000, pending: 0 })
      }
    }
  }
  return {
    ...NOTHING,
    name: 'stale-advert-flood',
    gain: 0,
    // no unit is lost: channels are opened before work is sent
    displaced: (waited * SEARCH_INTERVAL) / (JOBS * JOB_MS),
    hold: 'bounded',
    ends: `Three names of four are nobody's: a job dialled ${(dials / JOBS).toFixed(2)} of them in vain, and ${((waited / JOBS) * 100).toFixed(1)} % of jobs found nobody at first and looked again.`
  }
}

function lie(name: string, { gain, displaced }: Run, ends: string): Outcome {
  // what the router's choice varies by: an honest run of another name has that too
  return { ...NOTHING, name, gain, displaced, hold: 'prevented', ends, bound: LUCK }
}

/** The same hardware under two names is chosen alike up to this. */
const LUCK = 1.1

function play(seed: number, liar: Liar, isWeak: boolean): Run {
  const random = randomOf(seed, 'work')
  let now = 1_800_000_000_000
  const routers = Array.from(
    { length: REQUESTERS },
    () => new SwarmRouter({ strategy: 'swarm', now: () => now, random })
  )
  const replication = routers.map(() => new Map<PeerIdString, Replication>())
  const busyUntil = new Map<PeerIdString, number>()
  const paid = new Map<PeerIdString, number>()
  let names = 0
  let liarName = nameOf('liar', names)
  let nth = 0
  let foundFrom = now
  const tally = { failed: 0, wrong: 0, liar: 0 }
  for (let unit = 0; unit < UNITS; unit++) {
    now += 1_000 / (PROVIDERS * 0.5)
    const at = unit % REQUESTERS
    const router = routers[at] as SwarmRouter // at < REQUESTERS
    const found = [...Array(PROVIDERS).keys()].map((i) => provider(nameOf('honest', i)))
    const [chosen] = router.choose(now < foundFrom ? found : [...found, provider(liarName)], TASK, 1)
    if (chosen === undefined) {
      continue
    }
    const { peer } = chosen.advert
    const isLiar = peer === liarName
    const deed = isLiar ? liar.deed(nth++, random()) : honestly
    const begin = Math.max(now, busyUntil.get(peer) ?? 0)
    const took = begin + 1_000 * deed.effort - now
    busyUntil.set(peer, begin + 1_000 * deed.effort)
    const known = replication[at]?.get(peer) ?? UNCHECKED
    const isCaught =
      !deed.isRight && (random() < deed.seen || (isWeak && isReplicaDifferent(known, liar, random)))
    router.learn(peer, TASK.skill, isCaught ? 'wrong' : 'verified', {
      operations: 1e9,
      tookMs: took,
      pending: 0
    })
    if (isWeak) {
      replication[at]?.set(peer, checked(known, !isCaught))
    }
    if (isCaught) {
      tally.failed += 1
      if (liar.whitewashes === true) {
        liarName = nameOf('liar', ++names)
        foundFrom = now + NEW_NAME_MS
        nth = 0
      }
    } else {
      tally.wrong += deed.isRight ? 0 : 1
      tally.liar += isLiar ? 1 : 0
      paid.set(peer, (paid.get(peer) ?? 0) + 1)
    }
  }
  const honest = [...paid].filter(([peer]) => peer.startsWith('honest')).map(([, units]) => units)
  const typical = honest.reduce((sum, units) => sum + units, 0) / PROVIDERS
  return { gain: tally.liar / typical, displaced: tally.failed / UNITS, wrong: tally.wrong / UNITS }
}

/** A replica by somebody else shows the lie, unless it went to a name of the liar's. */
function isReplicaDifferent(known: Replication, { coReplicas = 0 }: Liar, random: Random): boolean {
  return mustReplicate(known, random()) && random() >= coReplicas
}

const TASK = {
  skill: 'matmul',
  version: '1',
  kernel: new Uint8Array(32),
  rate: 1_000,
  excluded: new Set<PeerIdString>()
}

// the rules only compare names
const nameOf = (kind: string, i: number) => `${kind}-${i}` as PeerIdString

function provider(peer: PeerIdString) {
  return {
    advert: {
      v: 1 as const,
      net: new Uint8Array(32),
      peer,
      seq: 1,
      ts: 0,
      expires: Number.MAX_SAFE_INTEGER,
      skills: [{ name: TASK.skill, version: TASK.version, kernel: TASK.kernel, rate: TASK.rate }],
      device: { backend: 'cpu' as const, class: 'cpu', memory: 0 },
      load: 0,
      uptime: 0
    },
    latencyMs: 20,
    loadAt: 0
  }
}
