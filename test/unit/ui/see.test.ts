import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PeerInfo, SwarmStatus } from '../../../src/api.ts'
import {
  EMPTY_LOG,
  eventsBetween,
  KEPT_A_KIND,
  type LogEvent,
  withEvents,
  wordsOf
} from '../../../src/ui/event-log.ts'
import { BOX, pathOf, rangeOf, roundUp } from '../../../src/ui/plot-scale.ts'
import {
  changeLine,
  rateLine,
  SAMPLES_MOST,
  type Sample,
  sampleOf,
  useLine,
  withSample
} from '../../../src/ui/samples.ts'
import { layOut } from '../../../src/ui/swarm-layout.ts'
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
  const value = fc.oneof(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constant(undefined))

  it('holds every value and zero, and its ends are round', () => {
    fc.assert(
      fc.property(fc.array(value), (line) => {
        const { least, most } = rangeOf([line])
        expect(least).toBeLessThanOrEqual(0)
        expect(most).toBeGreaterThanOrEqual(0)
        expect(most).toBeGreaterThan(least)
        for (const each of line) {
          if (each === undefined) continue
          expect(each).toBeGreaterThanOrEqual(least * (1 + 1e-9) - 1e-12)
          expect(each).toBeLessThanOrEqual(most * (1 + 1e-9) + 1e-12)
        }
      })
    )
    expect([0, 0.3, 1, 1.2, 4, 5.5, 99].map(roundUp)).toEqual([0, 0.5, 1, 2, 5, 10, 100])
  })

  it('gives paths of finite numbers inside the box, broken where a value is missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(value, fc.constant(Number.NaN), fc.constant(Infinity)), { maxLength: 60 }),
        (line) => {
          const at = line.map((_, index) => index * 1_000)
          const path = pathOf(at, line, rangeOf([line]), 0, Math.max(1, line.length * 1_000))
          const points = [...path.matchAll(/[ML]([^ ]+) ([^ML]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
          expect(points).toHaveLength(line.filter((each) => Number.isFinite(each)).length)
          for (const [x = -1, y = -1] of points) {
            expect(x).toBeGreaterThanOrEqual(0)
            expect(x).toBeLessThanOrEqual(BOX.width)
            expect(y).toBeGreaterThanOrEqual(0)
            expect(y).toBeLessThanOrEqual(BOX.height)
          }
        }
      )
    )
    expect(pathOf([0, 1, 2, 3], [0, 1, undefined, 1], { least: 0, most: 1 }, 0, 3)).toBe(
      'M0.0 100.0L200.0 0.0M600.0 0.0'
    )
  })
})

describe('the picture of the swarm', () => {
  const swarm = fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { maxLength: 300 }).map((ids) =>
    ids.map((id) => ({
      peer: nameOf(id),
      connection: id % 3 === 0 ? ('relayed' as const) : ('direct' as const)
    }))
  )

  it('has room for each peer, inside, and no two in one place', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        const { places, step } = layOut(peers)
        expect(places).toHaveLength(peers.length)
        for (const { x, y } of places) expect(Math.hypot(x, y)).toBeLessThanOrEqual(1)
        for (const [index, one] of places.entries()) {
          for (const other of places.slice(index + 1)) {
            expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(step / 2.5)
          }
        }
      }),
      { numRuns: 25 }
    )
  })

  it('has the relayed ones outside of the direct ones', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        const { places, border } = layOut(peers)
        if (border === undefined) return
        for (const { peer, x, y } of places) {
          expect(Math.hypot(x, y) > border).toBe(peer.connection === 'relayed')
        }
      })
    )
  })

  it('does not depend on the order in which peers are listed', () => {
    fc.assert(
      fc.property(swarm, (peers) => {
        expect(layOut(peers.toReversed())).toEqual(layOut(peers))
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
