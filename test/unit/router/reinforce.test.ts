import { expect, test } from 'vitest'
import { type Crew, copiesLimit, wantsMore } from '../../../src/router/index.ts'

const crew = (change: Partial<Crew> = {}): Crew => ({
  working: 1,
  wanted: 4,
  waiting: 10,
  isShort: false,
  leftMs: 60_000,
  sinceMs: 60_000,
  ...change
})

test.each<[string, Partial<Crew>, boolean]>([
  ['long work with fewer than there may be', {}, true],
  ['as many as there may be', { working: 4 }, false],
  ['nothing that waits', { waiting: 0 }, false],
  ['work that is done before another one could help', { leftMs: 4_999 }, false],
  ['the same in place of one that was lost', { leftMs: 4_999, isShort: true }, true],
  ['the very end, in place of one that was lost', { leftMs: 999, isShort: true }, false],
  ['nothing back yet, and a moment since the last was hired', { leftMs: undefined, sinceMs: 4_999 }, false],
  ['nothing back for long', { leftMs: undefined, sinceMs: 5_000 }, true],
  ['nobody at work', { working: 0, leftMs: undefined, sinceMs: 1_000, isShort: true }, true]
])('more are hired for %s: %s', (_, change, wants) => {
  expect(wantsMore(crew(change))).toBe(wants)
})

test('copies may cost a twentieth of the job and one unit', () => {
  expect([copiesLimit(1_000n, 10n), copiesLimit(8n, 1n), copiesLimit(0n, 0n)]).toEqual([1_060n, 9n, 0n])
})
