import { expect, test } from 'vitest'
import { BUSY_ASIDE_MAX, LOST_ASIDE } from '../../../src/jobs/constants.ts'
import { Exclusions } from '../../../src/jobs/exclusions.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const PEER = 'peer' as PeerIdString // the rule never reads into an id

test('a peer that was lost once may come back after a moment, one that was lost twice may not', () => {
  let now = 0
  const excluded = new Exclusions(() => now)
  expect(excluded.has(PEER)).toBe(false)
  excluded.lost(PEER)
  expect(excluded.has(PEER)).toBe(true)
  now += LOST_ASIDE
  expect(excluded.has(PEER)).toBe(false)
  excluded.lost(PEER)
  now += 1e12
  expect(excluded.has(PEER)).toBe(true)
})

test('one that was not heard is asked again, after a pause that grows, however often; a liar is not', () => {
  let now = 0
  const excluded = new Exclusions(() => now)
  let last = 0
  for (let times = 0; times < 12; times++) {
    excluded.unheard(PEER)
    let pause = 0
    while (excluded.has(PEER)) {
      now += 1_000
      pause += 1_000
    }
    expect(pause).toBeGreaterThanOrEqual(Math.max(LOST_ASIDE, last))
    expect(pause).toBeLessThanOrEqual(BUSY_ASIDE_MAX)
    last = pause
  }
  expect(last).toBe(BUSY_ASIDE_MAX)
  excluded.lied(PEER)
  excluded.unheard(PEER)
  now += 1e12
  expect(excluded.has(PEER)).toBe(true)
})

test('one that was not heard, and then is lost with work in its hands, may come back once', () => {
  let now = 0
  const excluded = new Exclusions(() => now)
  excluded.unheard(PEER)
  now += LOST_ASIDE
  excluded.lost(PEER)
  now += LOST_ASIDE
  expect(excluded.has(PEER)).toBe(false)
  excluded.lost(PEER)
  now += 1e12
  expect(excluded.has(PEER)).toBe(true)
})

test('a liar stays out', () => {
  let now = 0
  const excluded = new Exclusions(() => now)
  excluded.lied(PEER)
  now += 1e12
  expect(excluded.has(PEER)).toBe(true)
})
