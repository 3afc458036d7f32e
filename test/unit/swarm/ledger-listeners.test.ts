import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Priorities } from '../../../src/credit/index.ts'
import { SwarmRouter } from '../../../src/router/index.ts'
import { SKILLS } from '../../../src/skills/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { ledgerListeners } from '../../../src/swarm/ledger-listeners.ts'
import { encode, NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { nameOf } from '../../fixtures/peer-names.ts'

const hashOf = (pieces: readonly Uint8Array[]) =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash('sha256')).digest('hex')
const DAY = 24 * 3_600_000
const START = 1_800_000_000_000

async function openParts() {
  const clock = { now: START }
  const now = () => clock.now
  const router = new SwarmRouter({ now })
  const network = await networkOf(NETWORKS.main)
  const priorities = new Priorities({ store: memoryStore(), network, self: nameOf(0), now })
  const log = (message: string, error: unknown) => expect.unreachable(`${message}: ${error}`)
  return {
    clock,
    router,
    priorities,
    network,
    listeners: ledgerListeners(() => ({ router, priorities }), log)
  }
}

test('who has forked is not trusted; healed, it may be hired again and earn when its probation is over', async () => {
  const { clock, router, priorities, listeners } = await openParts()
  const [forker, healed] = [nameOf(1), nameOf(2)]
  for (const peer of [forker, healed]) {
    router.learn(peer, 'sort', 'verified')
    listeners.forked(peer, undefined)
  }
  listeners.forked(healed, START)
  const work = { cost: 1_000n, inputBy: 'self', verdict: 'verified' } as const
  for (const [day, isFree] of [
    [30 * DAY - 1, false],
    [30 * DAY, true]
  ] as const) {
    clock.now = START + day
    await priorities.learnEdge(healed, work)
    expect([router.trustIn(healed, 'sort') > 0, priorities.edges.has(healed)]).toEqual([isFree, isFree])
    expect(router.trustIn(forker, 'sort')).toBe(0)
  }
})

test('a peer is known by as much work as a canary is, not by a crumb', async () => {
  const { priorities, listeners } = await openParts()
  const peer = nameOf(1)
  const known: boolean[] = []
  for (const cost of [1n, 98n, 1n]) {
    await priorities.learnEdge(peer, { cost, inputBy: 'self', verdict: 'verified' })
    known.push(listeners.knows(peer))
  }
  expect(known).toEqual([false, false, true])
})

test.each([...SKILLS.values()].map((skill) => [skill.manifest.name, skill] as const))(
  'a canary of %s is worth as much, and nobody can have its answer beforehand',
  (_, skill) => {
    const different = new Set(
      [undefined, 5, 6, 2 ** 32 - 1].map((seed) => {
        const { parts, units } = skill.plan(skill.sample?.(seed), { units: 1 })
        expect(units).toHaveLength(1)
        expect(units[0]?.cost).toBeGreaterThanOrEqual(100n)
        expect(units[0]?.cost).toBeLessThanOrEqual(NETWORKS.main.probeAmount)
        return hashOf([...parts, ...units.map(({ data }) => data), encode(units.map(({ params }) => params))])
      })
    )
    expect(different.size).toBe(4)
  }
)
