import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { BEFORE_CONSENT_MAX, measurePage, TOTAL_MAX } from '../../bench/size.ts'

test('the built page is no larger than is promised, before consent and in all', () => {
  expect([BEFORE_CONSENT_MAX, TOTAL_MAX]).toEqual([40_000, 400_000])
  const { beforeConsent, total } = measurePage(fileURLToPath(new URL('../../dist', import.meta.url)))
  expect(beforeConsent).toBeGreaterThan(10_000) // it found the page
  expect(beforeConsent).toBeLessThanOrEqual(BEFORE_CONSENT_MAX)
  expect(total).toBeGreaterThan(200_000)
  expect(total).toBeLessThanOrEqual(TOTAL_MAX)
})

test('the built page carries the licences of what is in it', () => {
  const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  expect(text('dist/third-party.txt')).toBe(text('THIRD_PARTY.md'))
})
