import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PeerInfo, SwarmStatus } from '../../../src/api.ts'
import {
  EMPTY_LOG,
  eventsBetween,
  KEPT_A_KIND,
  type LogEvent,
  withEvents,
  wordsOf
} from '../../../src/ui/event-log.ts'
import { rangeOf, shownValues } from '../../../src/ui/plot-scale.ts'
import {
  changeLine,
  rateLine,
  SAMPLES_MOST,
  type Sample,
  sampleOf,
  useLine,
  withSample
} from '../../../src/ui/samples.ts'
import { bandsFor, SwarmLayout } from '../../../src/ui/swarm-layout.ts'
import { VIEWS, viewAfter } from '../../../src/ui/views.ts'
import { PEERS, STATUS } from '../../fixtures/fake-swarm.ts'
import { nameOf } from '../../fixtures/peer-names.ts'

const sample = (change: Partial<Sample> & { at: number }): Sample => ({
  served: 0,
  hired: 0,
  settled: 0n,
  coming: 0n,
  latency: undefined,
  busyMs: 0,
  ...change
})

const status = (change: Partial<SwarmStatus>): SwarmStatus => ({ ...STATUS, ...change })

describe('the samples behind the plots', () => {
  it('are the newest, in the order of time, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 700 }), (times) => {
        const kept = times.reduce<readonly Sample[]>((all, at) => withSample(all, sample({ at })), [])
        expect(kept.length).toBeLessThanOrEqual(SAMPLES_MOST)
        const at = kept.map((each) => each.at)
        expect(at).toEqual([...new Set(at)].sort((left, right) => left - right))
        if (times.length > 0) expect(at.at(-1)).toBe(Math.max(...times))
      })
    )
  })

  it('give the rate of what grows evenly, however unevenly they were taken', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 0, max: 1_000 }),
        (gaps, perSecond) => {
          let at = 0
          const samples = gaps.map((gap) => {
            at += gap
            return sample({ at, served: (perSecond * at) / 1_000 })
          })
          const [first, ...line] = rateLine(samples, ({ served }) => served)
          expect(first).toBeUndefined()
          for (const rate of line) expect(rate).toBeCloseTo(perSecond, 6)
        }
      )
    )
  })

  it('show a counter that began anew as no work, and never more than the whole device in use', () => {
    const samples = [sample({ at: 0, served: 9 }), sample({ at: 1_000, served: 0, busyMs: 5_000 })]
    expect(rateLine(samples, ({ served }) => served)[1]).toBe(0)
    expect(useLine(samples)[1]).toBe(1)
  })

  it('show small changes of balances that no number holds', () => {
    const huge = 1234567890123456789012345678901234567890n
    const samples = [sample({ at: 0, settled: huge }), sample({ at: 1, settled: huge + 34n })]
    expect(changeLine(samples, ({ settled }) => settled)).toEqual([0, 0.000034])
  })

  it('take the middle and the slowest of the latencies that are known', () => {
    const trips = [30, undefined, 5, 100, 7]
    const peers = trips.map((rttMs, index): PeerInfo => {
      const peer: PeerInfo = {
        peer: nameOf(index),
        connection: 'direct',
        transport: 'webrtc',
        isRelay: false,
        skills: []
      }
      return rttMs === undefined ? peer : { ...peer, rttMs }
    })
    expect(sampleOf(status({ peers }), 0, 0).latency).toEqual({ median: 7, most: 100 })
    expect(sampleOf(status({ peers: PEERS }), 0, 0).latency).toBeUndefined()
  })
})

describe('the scale of a plot', () => {
  const value = fc.double({ min: -1e12, max: 1e12, noNaN: true })

  it('holds every value and zero, and is never flat', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (line) => {
        const [least, most] = rangeOf(Math.min(...line), Math.max(...line))
        expect(least).toBeLessThanOrEqual(Math.min(0, ...line) + 1e-12)
        expect(most).toBeGreaterThanOrEqual(Math.max(0, ...line) - 1e-12)
        expect(most).toBeGreaterThan(least)
      })
    )
    expect(rangeOf(null, null)).toEqual([0, 1])
    expect(rangeOf(0, 0)).toEqual([0, 1])
  })

  it('ends where its values cannot go beyond, and where it is known to begin', () => {
    expect(rangeOf(0, 0.4, 1)).toEqual([0, 1])
    expect(rangeOf(2, 5)[0]).toBe(0)
  })

  it('has nothing of what is no number', () => {
    expect(shownValues([1, undefined, Number.NaN, Infinity, -0.5])).toEqual([1, null, null, null, -0.5])
  })
})

describe('the picture of the swarm', () => {
  // One clock for all of them, on which no time is lost: d3 has one list of timers.
  beforeAll(() => {
    vi.useFakeTimers()
  })
  afterAll(() => {
    vi.useRealTimers()
  })

  const swarm = fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { maxLength: 200 }).map((ids) =>
    ids.map((id) => ({
      peer: nameOf(id),
      connection: id % 3 === 0 ? ('relayed' as const) : ('direct' as const)
    }))
  )
  type Peers = Parameters<SwarmLayout['place']>[0]

  function settle(layout: SwarmLayout): SwarmLayout {
    layout.run()
    vi.runAllTimers()
    return layout
  }

  function laidOut(peers: Peers): SwarmLayout {
    const layout = new SwarmLayout(() => {})
    layout.place(peers)
    return settle(layout)
  }

  const spotsOf = (layout: SwarmLayout, peers: Peers) => peers.map(({ peer }) => layout.spotOf(peer))

  it('has room for each peer, inside, and no two in one place', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        const layout = laidOut(peers)
        expect(layout.isStill).toBe(true)
        const spots = spotsOf(layout, peers)
        for (const { x, y } of spots) {
          expect(Math.hypot(x, y)).toBeLessThan(96)
          expect(Math.hypot(x, y)).toBeGreaterThan(20)
        }
        for (const [index, one] of spots.entries()) {
          for (const other of spots.slice(index + 1)) {
            expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(layout.bands.gap / 2)
          }
        }
      }),
      { numRuns: 15 }
    )
  })

  it('has the relayed ones outside of the direct ones', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        const layout = laidOut(peers)
        const { border } = layout.bands
        if (border === undefined) return
        for (const { peer, connection } of peers) {
          const { x, y } = layout.spotOf(peer)
          expect(Math.hypot(x, y) > border).toBe(connection === 'relayed')
        }
      }),
      { numRuns: 15 }
    )
  })

  it('does not depend on the order in which peers are listed', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        expect(spotsOf(laidOut(peers.toReversed()), peers)).toEqual(spotsOf(laidOut(peers), peers))
      }),
      { numRuns: 5 }
    )
  })

  it('keeps who stays about where it was while another comes', () => {
    const peers = Array.from({ length: 40 }, (_, id) => ({ peer: nameOf(id), connection: 'direct' as const }))
    const layout = laidOut(peers.slice(1))
    const before = spotsOf(layout, peers.slice(1))
    layout.place(peers)
    settle(layout)
    const moves = spotsOf(layout, peers.slice(1)).map(({ x, y }, index) =>
      Math.hypot(x - (before[index]?.x ?? 0), y - (before[index]?.y ?? 0))
    )
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length
    expect(mean).toBeLessThan(layout.bands.gap / 2)
  })

  it('stands still while it rests, goes on where it was, and is not stirred by who was there already', () => {
    const peers = [1, 2, 3].map((id) => ({ peer: nameOf(id), connection: 'direct' as const }))
    let moves = 0
    const layout = new SwarmLayout(() => {
      moves++
    })
    layout.place(peers)
    layout.run()
    vi.advanceTimersByTime(100)
    layout.rest()
    const seen = moves
    expect(seen).toBeGreaterThan(1)
    vi.advanceTimersByTime(5_000)
    expect([moves, layout.isStill]).toEqual([seen, false])
    layout.run()
    vi.runAllTimers()
    expect(layout.isStill).toBe(true)
    expect(layout.place(peers.toReversed())).toBe(false)
    expect(layout.isStill).toBe(true)
  })

  it('of a crowd moves by a few steps a frame, and is drawn at each fourth of them and the last', () => {
    const peers = Array.from({ length: 200 }, (_, id) => ({
      peer: nameOf(id),
      connection: 'direct' as const
    }))
    const stills: boolean[] = []
    const layout = new SwarmLayout(() => stills.push(layout.isStill))
    layout.place(peers)
    layout.run()
    vi.advanceTimersByTime(34)
    expect(stills).toEqual([])
    settle(layout)
    expect(stills.length).toBeLessThanOrEqual(11)
    expect([stills.indexOf(true), layout.isStill]).toEqual([stills.length - 1, true])
  })

  it('gives each kind a band of its own, with room for all', () => {
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fc.nat({ max: 500 }), (direct, relayed) => {
        const bands = bandsFor(direct, relayed)
        for (const [count, { from, to }] of [
          [direct, bands.direct],
          [relayed, bands.relayed]
        ] as const) {
          expect(from).toBeLessThan(to)
          expect(count * bands.gap ** 2).toBeLessThanOrEqual(4 * (to ** 2 - from ** 2))
        }
      })
    )
  })
})

describe('the log of events', () => {
  const [relay, provider] = PEERS

  it('says what is new, and nothing where nothing is', () => {
    if (relay === undefined || provider === undefined) throw new Error('no peers')
    const before = status({ peers: [relay] })
    expect(eventsBetween(before, before)).toEqual([])
    const after = status({
      state: 'direct',
      contributing: true,
      peers: [{ ...relay, connection: 'relayed' }, provider],
      balance: { ...STATUS.balance, settled: STATUS.balance.settled + 34n },
      work: {
        units: 3,
        running: 1,
        verifiedUnits: 2,
        now: [{ skill: 'mandelbrot', requester: provider.peer, units: 1 }]
      }
    })
    expect(eventsBetween(before, after).map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'node state',
      'node contributing',
      'peers moved',
      'peers met',
      'work taken',
      'work verified',
      'credits balance'
    ])
    expect(eventsBetween(after, before).map(({ what }) => what)).toContain('lost')
  })

  it('is bounded for each kind, and counts what it dropped', () => {
    const met = (index: number): LogEvent => ({
      kind: 'peers',
      what: 'met',
      peer: nameOf(index),
      connection: 'direct'
    })
    const state: LogEvent = { kind: 'node', what: 'state', state: 'direct' }
    let log = withEvents(EMPTY_LOG, [state], 0)
    for (let index = 0; index < KEPT_A_KIND + 50; index++) log = withEvents(log, [met(index)], index)
    expect(log.entries).toHaveLength(KEPT_A_KIND + 1)
    expect(log.dropped).toBe(50)
    expect(log.entries[0]?.event).toBe(state)
    expect(log.entries.at(-1)?.event).toEqual(met(KEPT_A_KIND + 49))
    const indices = log.entries.map(({ index }) => index)
    expect(indices).toEqual([...new Set(indices)].sort((left, right) => left - right))
  })

  it('bounds what strangers say', () => {
    const long = 'x'.repeat(10_000)
    expect(wordsOf({ kind: 'work', what: 'taken', skill: long, requester: long })?.length).toBeLessThan(200)
  })
})

describe('the keys of the tabs', () => {
  it('lead around, and to the ends', () => {
    expect(VIEWS.map((view) => viewAfter(view, 'ArrowRight'))).toEqual(['see', 'hire', 'own', 'contribute'])
    expect(VIEWS.map((view) => viewAfter(view, 'ArrowLeft'))).toEqual(['own', 'contribute', 'see', 'hire'])
    expect([viewAfter('hire', 'Home'), viewAfter('see', 'End'), viewAfter('see', 'Tab')]).toEqual([
      'contribute',
      'own',
      undefined
    ])
  })
})
