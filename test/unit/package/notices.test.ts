import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { NOTICES, notices } from '../../../scripts/package/notices.ts'

test('THIRD_PARTY.md names what travels with us (npm run notices writes it anew)', () => {
  expect(readFileSync(NOTICES, 'utf8')).toBe(notices())
})

test('no licence among them asks for more than a notice', () => {
  const licences = [...notices().matchAll(/^\| \S+ \| \S+ \| (.+) \|$/gm)]
    .map(([, licence]) => licence)
    .slice(2)
  expect(licences.length).toBeGreaterThan(100)
  expect(
    licences.filter((licence) => !/MIT|Apache|BSD|ISC|0BSD|MPL[- ]2\.0|Unlicense|WTFPL/.test(licence ?? ''))
  ).toEqual([])
})
