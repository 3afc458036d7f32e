import { describe, expect, test } from 'vitest'
import { randomOf } from '../../../bench/sim/random.ts'
import type { FoundProvider } from '../../../src/registry/index.ts'
import { SwarmRouter, type Task } from '../../../src/router/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const KERNEL = new Uint8Array(32).fill(7)
const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const task: Task = { skill: 'x', version: '1', kernel: KERNEL, rate: 1_000, excluded: new Set() }
const peerOf = (name: string) => name as PeerIdString // the router never reads into it

function provider(name: string, change: Partial<FoundProvider['advert']> = {}): FoundProvider {
  const advert = {
    v: 1 as const,
    net: KERNEL,
    peer: peerOf(name),
    seq: 1,
    ts: NOW,
    expires: NOW + HOUR,
    skills: [{ name: 'x', version: '1', kernel: KERNEL, rate: 1_000 }],
    device: { backend: 'cpu' as const, class: 'cpu-2', memory: 0 },
    load: 0,
    uptime: 0,
    ...change
  }
  return { advert, latencyMs: 10, loadAt: NOW }
}

const routerOf = (strategy: 'paper' | 'swarm', now = () => NOW) =>
  new SwarmRouter({ strategy, now, random: randomOf(1, strategy) })
const namesOf = (chosen: readonly FoundProvider[]) => chosen.map(({ advert }) => advert.peer)

test('of two alike, that which has earned nothing for a week counts as half as good', () => {
  const idleOf = (peer: PeerIdString) => (peer === 'idle' ? 168 * HOUR : 0)
  const router = new SwarmRouter({ now: () => NOW, random: randomOf(1, 'idle'), idleOf })
  const found = [provider('idle'), provider('busy')]
  const scores = Object.fromEntries(
    router.decide(found, task, 1).map(({ provider, score }) => [provider.advert.peer, score ?? 0])
  )
  expect((scores.idle ?? 0) / (scores.busy ?? 0)).toBeCloseTo(2, 9)
})

describe.each(['paper', 'swarm'] as const)('%s', (strategy) => {
  test('never names a provider that cannot, may not or should not do the work', () => {
    const found = [
      provider('good'),
      provider('stale', { expires: NOW }),
      provider('other', { skills: [] }),
      provider('dear', { skills: [{ name: 'x', version: '1', kernel: KERNEL, rate: 1_001 }] }),
      provider('old', { skills: [{ name: 'x', version: '1', kernel: new Uint8Array(32), rate: 1 }] }),
      provider('lost')
    ]
    const excluded = new Set([peerOf('lost')])
    expect(namesOf(routerOf(strategy).choose(found, { ...task, excluded }, 10))).toEqual(['good'])
  })

  test('a peer that gave a wrong result comes after one that gave right ones', () => {
    const router = routerOf(strategy)
    for (let i = 0; i < 12; i++) {
      router.learn(peerOf('right'), 'x', 'verified')
      router.learn(peerOf('wrong'), 'x', i === 0 ? 'wrong' : 'verified')
    }
    const first = Array.from(
      { length: 100 },
      () => namesOf(router.choose([provider('wrong'), provider('right')], task, 2))[0]
    )
    expect(first.filter((name) => name === 'right').length).toBeGreaterThan(60)
    expect(router.trustIn(peerOf('right'), 'x')).toBeGreaterThan(router.trustIn(peerOf('wrong'), 'x'))
  })
})

describe('swarm', () => {
  const timed = { operations: 1_000, tookMs: 100, pending: 0 }

  test('own units count at once: work goes round', () => {
    const router = routerOf('swarm')
    const found = ['a', 'b', 'c', 'd'].map((name) => provider(name))
    for (const { advert } of found) {
      for (let i = 0; i < 20; i++) {
        router.learn(advert.peer, 'x', 'verified', timed)
      }
    }
    for (let i = 0; i < 40; i++) {
      for (const name of namesOf(router.choose(found, task, 1))) {
        router.dispatched(name)
      }
    }
    const counts = found.map(({ advert }) => router.inFlight(advert.peer))
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(8)
    expect(Math.max(...counts)).toBeLessThanOrEqual(12)
    for (const { advert } of found) {
      for (let i = router.inFlight(advert.peer); i > 0; i--) {
        router.returned(advert.peer)
      }
    }
    expect(found.map(({ advert }) => router.inFlight(advert.peer))).toEqual([0, 0, 0, 0])
  })

  test('a peer four times as fast gets more than three times the work', () => {
    const router = routerOf('swarm')
    const found = [provider('slow'), provider('fast')]
    for (let i = 0; i < 30; i++) {
      router.learn(peerOf('fast'), 'x', 'verified', timed)
      router.learn(peerOf('slow'), 'x', 'verified', { ...timed, tookMs: 400 })
    }
    for (let i = 0; i < 50; i++) {
      for (const name of namesOf(router.choose(found, task, 1))) {
        router.dispatched(name)
      }
    }
    expect(router.inFlight(peerOf('fast'))).toBeGreaterThan(3 * router.inFlight(peerOf('slow')))
  })
})

test('trails are visible: stronger with success, weaker with failure and time', () => {
  let now = NOW
  const router = routerOf('swarm', () => now)
  for (let i = 0; i < 10; i++) {
    router.learn(peerOf('good'), 'x', 'verified', { operations: 1, tookMs: 10, pending: 0 })
    router.learn(peerOf('bad'), 'x', 'missed')
  }
  const [good, bad] = router.pheromones()
  expect([good?.peer, bad?.peer]).toEqual(['good', 'bad'])
  expect(good?.strength).toBeGreaterThan(0.8)
  expect(bad?.strength).toBeLessThan(0.4)
  now += HOUR
  expect(router.pheromones()[0]?.strength).toBeCloseTo((good?.strength ?? 0) / 2, 9)
})
