import type { Milliseconds } from '../wire/index.ts'
import { PROVIDE_INTERVAL_MAX, REFRESH_INTERVAL } from './constants.ts'

/**
 * Where in the DHT a skill's providers are looked for. Level l cuts a skill into 2^l shards; each holds about
 * `shardSize` providers, however many there are, so that no key is hot. All rules here are pure.
 *
 * A provider has one fixed place, 32 bits drawn from its id and the skill. At level l its shard is the first l
 * bits. It announces itself in its shard at the level L that it believes in, and in its shard at a lower level l
 * only if bits l to L − 1 of its place are all zero: of the 2^(L−l) times as many providers of that shard, one in
 * 2^(L−l) does. So the shards of every level up to L hold equally many, a finder that believes in any of these
 * levels looks into one shard and finds enough, and one that believes in more goes down.
 */
export interface Shard {
  readonly level: number
  /** 0 to 2^level − 1. */
  readonly index: number
}

/** Providers that one shard is made for. */
export const SHARD_SIZE = 500
/** 4,096 shards: two million providers. */
export const LEVEL_MAX = 12
/** A level is left when its shards hold this much more, or less, than what they are made for. */
const SPLIT = 1.5
const MERGE = 0.3

/** The level at which `providers` fill shards of `shardSize` at most. */
export function levelFor(providers: number, shardSize = SHARD_SIZE): number {
  return Math.min(LEVEL_MAX, Math.max(0, Math.ceil(Math.log2(Math.max(providers, 1) / shardSize))))
}

/** The level of a provider that counted `count` providers in its own shard, itself included. */
export function nextLevel(level: number, count: number, shardSize = SHARD_SIZE): number {
  const isCrowded = count > SPLIT * shardSize
  const isEmpty = level > 0 && count < MERGE * shardSize
  return isCrowded || isEmpty ? levelFor(count * 2 ** level, shardSize) : level
}

/** @param place 32 bits, unsigned */
export function shardAt(place: number, level: number): Shard {
  return { level, index: level === 0 ? 0 : place >>> (32 - level) }
}

/** The shards in which a provider announces itself: that of its level, and those of lower ones that draw it. */
export function announcedIn(place: number, level: number): Shard[] {
  const lower = Array.from({ length: level }, (_, l) => l).filter(
    (l) => (place << l) >>> (32 - (level - l)) === 0
  )
  return [...lower, level].map((l) => shardAt(place, l))
}

/**
 * Where to look, in this order, until enough are found: a random shard of the level believed in, then of half
 * that level, and so on to the one key that a small swarm uses.
 *
 * @param random in [0, 1)
 */
export function probes(level: number, random: () => number): Shard[] {
  const shards: Shard[] = []
  for (let l = level; l > 0; l = l >> 1) {
    shards.push({ level: l, index: Math.floor(random() * 2 ** l) })
  }
  return [...shards, { level: 0, index: 0 }]
}

/** Acknowledgements below which the swarm does not yet know of a provider. */
const ACKNOWLEDGED = 3
const RETRY_FIRST: Milliseconds = 1_000

/**
 * How long after a provide to the next one. Nobody took the record: soon, doubling. Few did: the routing table was
 * still filling, so in a sixth of the interval. Else 60 s in a swarm of up to 1,000, in proportion beyond, to 180 s:
 * each provide costs a walk, and records stay for ten minutes. Spread by a tenth, so that a swarm that started
 * together does not provide together.
 *
 * @param acknowledged peers that took the record
 * @param attempts in a row that nobody took
 * @param random in [0, 1)
 */
export function nextProvide(state: {
  readonly acknowledged: number
  readonly attempts: number
  readonly swarmSize: number
  readonly random: number
  readonly refreshInterval?: Milliseconds
}): Milliseconds {
  const { refreshInterval = REFRESH_INTERVAL } = state
  const regular = Math.min(
    (refreshInterval / REFRESH_INTERVAL) * PROVIDE_INTERVAL_MAX,
    refreshInterval * Math.max(1, state.swarmSize / 1_000)
  )
  const interval =
    state.acknowledged === 0
      ? Math.min(regular, RETRY_FIRST * 2 ** Math.min(Math.max(0, state.attempts - 1), 16))
      : state.acknowledged < Math.min(ACKNOWLEDGED, state.swarmSize - 1)
        ? regular / 6
        : regular
  return interval * (0.9 + 0.2 * state.random)
}
