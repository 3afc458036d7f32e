import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { dispatchVectors } from '../../fixtures/dispatch-vectors.ts'

test('the published vectors of dispatch and of both strategies are what this build does', async () => {
  const text = await readFile(new URL('../../../docs/vectors/dispatch.json', import.meta.url), 'utf8')
  const published = JSON.parse(text)
  expect(published).toEqual(dispatchVectors())
  expect(published.lanes.map(({ chosen }: { chosen: number | null }) => chosen)).toEqual([
    1,
    null,
    0,
    0,
    null,
    0,
    null,
    null
  ])
  expect(published.copies.map(({ most }: { most: number }) => most)).toEqual([1_060, 68, 38, 0])
  expect(published.crews.map(({ more }: { more: boolean }) => more)).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
    false
  ])
  expect(published.utility[0].utility).toBeCloseTo(1, 12)
  expect(published.cost.map(({ cost }: { cost: number }) => cost)).toEqual([5, 40, 500])
})
