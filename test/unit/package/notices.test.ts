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

test('the text of each licence is there, but of the one that asks for nothing', () => {
  const [, ...sections] = notices().split(/^## /m)
  const told = new Set(sections.flatMap((section) => section.split('\n', 1)[0]?.split(', ') ?? []))
  const silent = [...notices().matchAll(/^\| (\S+) \| \S+ \| (.+) \|$/gm)]
    .slice(2)
    .filter(([, name = '']) => !told.has(name))
  expect(silent.map(([, , licence]) => licence)).toEqual(['WTFPL'])
  expect(sections.filter((section) => section.includes('Apache License')).length).toBeGreaterThan(0)
  expect(
    sections.some((section) => section.startsWith('@ipld/dag-cbor') && /^MIT License/m.test(section))
  ).toBe(true)
})
