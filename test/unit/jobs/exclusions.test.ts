import { expect, test } from 'vitest'
import { LOST_ASIDE } from '../../../src/jobs/constants.ts'
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

test('a liar stays out', () => {
  let now = 0
  const excluded = new Exclusions(() => now)
  excluded.lied(PEER)
  now += 1e12
  expect(excluded.has(PEER)).toBe(true)
})
