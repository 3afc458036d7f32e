import { expect, test } from 'vitest'
import { tabAttacks } from '../../bench/attacks/tabs.ts'
import { resultOf } from '../../bench/attacks.ts'

test('no attack on tabs of the built page earns more than honest work, or displaces more than a hundredth of it', async () => {
  const outcomes = await tabAttacks((line) => console.log(line))
  expect(outcomes.length).toBeGreaterThanOrEqual(15)
  expect(resultOf(outcomes).failures).toEqual([])
})
