import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chargeStranger,
  STRANGER_USES_MAX,
  type StrangersUse,
  strangerAllowance
} from '../../../src/credit/index.ts'
import { NETWORKS } from '../../../src/wire/index.ts'
import { INVARIANT_RUNS } from '../../fixtures/invariant-runs.ts'
import { nameOf } from '../../fixtures/peer-names.ts'

const network = NETWORKS.main
const HOUR = 3_600_000
const NOW = 1_800_000_000_000

test('strangers get at most the share of any hour, each at most its minute, with any number of names', {
  timeout: 600_000
}, () => {
  const asks = fc.array(fc.tuple(fc.nat(120_000), fc.nat(12), fc.integer({ min: 1, max: 90_000 })), {
    maxLength: 80
  })
  fc.assert(
    fc.property(asks, fc.integer({ min: 1, max: 3 }), (list, lanes) => {
      let uses: StrangersUse = []
      let now = NOW
      const done: Array<{ at: number; peer: string; ms: number }> = []
      for (const [pause, name, wanted] of list) {
        now += pause
        const ms = Math.min(wanted, strangerAllowance(uses, nameOf(name), now, network, { lanes }))
        if (ms > 0) {
          uses = chargeStranger(uses, nameOf(name), ms, now)
          done.push({ at: now, peer: nameOf(name), ms })
        }
      }
      for (const { at, peer } of done) {
        const window = done.filter((use) => use.at > at - HOUR && use.at <= at)
        const sum = (of: typeof window) => of.reduce((total, { ms }) => total + ms, 0)
        expect(sum(window)).toBeLessThanOrEqual(0.1 * lanes * HOUR + 1e-6)
        expect(sum(window.filter((use) => use.peer === peer))).toBeLessThanOrEqual(60_000 * lanes + 1e-6)
      }
    }),
    { numRuns: INVARIANT_RUNS }
  )
})

test('the first job in a swarm of strangers happens at once, and the share comes back after an hour', () => {
  expect(strangerAllowance([], nameOf(1), NOW, network)).toBe(60_000)
  let uses: StrangersUse = []
  for (let i = 0; i < 6; i++) {
    uses = chargeStranger(uses, nameOf(i), 60_000, NOW)
  }
  expect(strangerAllowance(uses, nameOf(99), NOW, network)).toBe(0)
  expect(strangerAllowance(uses, nameOf(99), NOW + HOUR + 60_000, network)).toBe(60_000)
  expect(chargeStranger(uses, nameOf(1), 5, NOW + 2 * HOUR)).toHaveLength(1)
})

test('the person’s setting counts; on `local` strangers are welcome', () => {
  expect(strangerAllowance([], nameOf(1), NOW, network, { share: 0 })).toBe(0)
  expect(strangerAllowance([], nameOf(1), NOW, network, { share: 1 })).toBe(36_000)
  expect(strangerAllowance([], nameOf(1), NOW, NETWORKS.local)).toBe(HOUR)
})

test('remembers so many names and no more', () => {
  const uses = Array.from({ length: STRANGER_USES_MAX }, (_, i) => ({
    minute: NOW / 60_000,
    peer: nameOf(i),
    ms: 0.001
  }))
  expect(strangerAllowance(uses, nameOf(-1), NOW, network)).toBe(0)
})
