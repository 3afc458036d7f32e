import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ProbeCandidate } from '../../../src/credit/index.ts'
import { type Skill, skillByName } from '../../../src/skills/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { Prober, type ProberInit } from '../../../src/swarm/prober.ts'
import { NETWORKS, type PeerIdString } from '../../../src/wire/index.ts'

const DAY = 24 * 3_600_000
const network = NETWORKS.main
const peer = (name: string) => name as PeerIdString // no wire here: a name will do
const candidate = (name: string, work = 0n): ProbeCandidate => ({ peer: peer(name), work })

beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }))
afterEach(() => void vi.useRealTimers())

function open(init: Partial<ProberInit> = {}) {
  const hired: Array<[string, PeerIdString]> = []
  const prober = new Prober({
    meta: memoryStore().table('meta'),
    network,
    skills: [skillByName('matmul-i8')],
    isIdle: () => true,
    providersOf: () => [candidate('other')],
    hire: async (skill: Skill, provider) => hired.push([skill.manifest.name, provider]),
    now: Date.now,
    random: () => 0.5,
    log: () => {},
    ...init
  })
  return { prober, hired }
}

describe('an idle provider', () => {
  test('buys a canary a day of a provider that it knows, and goes on after a failure', async () => {
    let fails = true
    const { prober, hired } = open({
      hire: async (skill, provider) => {
        hired.push([skill.manifest.name, provider])
        if (fails) {
          fails = false
          throw new Error('gone')
        }
      }
    })
    await prober.start()
    await vi.advanceTimersByTimeAsync(DAY - 1)
    expect(hired).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(hired).toEqual([['matmul-i8', 'other']])
    await vi.advanceTimersByTimeAsync(DAY)
    expect(hired).toHaveLength(2)
    prober.stop()
    await vi.advanceTimersByTimeAsync(2 * DAY)
    expect(hired).toHaveLength(2)
  })

  test('of whom nobody is known hires nobody', async () => {
    const { prober, hired } = open({ providersOf: () => [] })
    expect(await prober.probe()).toBeUndefined()
    expect(hired).toEqual([])
  })

  test('does not start anew with each life: the interval runs on', async () => {
    const meta = memoryStore().table('meta')
    const first = open({ meta })
    await first.prober.start()
    await vi.advanceTimersByTimeAsync(DAY)
    first.prober.stop()
    const second = open({ meta })
    await vi.advanceTimersByTimeAsync(DAY - 1)
    await second.prober.start()
    await vi.advanceTimersByTimeAsync(1)
    expect([first.hired.length, second.hired.length]).toEqual([1, 1])
    second.prober.stop()
  })

  test('that has work waits until it has none', async () => {
    let isIdle = false
    const { prober, hired } = open({ isIdle: () => isIdle })
    await prober.start()
    await vi.advanceTimersByTimeAsync(2 * DAY)
    expect(hired).toEqual([])
    isIdle = true
    await vi.advanceTimersByTimeAsync(2 * 3_600_000)
    expect(hired).toHaveLength(1)
    prober.stop()
  })
})
