import { afterAll, beforeAll, expect, test } from 'vitest'
import { chainInput, chainOutput, chainStages } from '../../fixtures/chain-input.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

let house: NodeHouse
beforeAll(async () => {
  house = await NodeHouse.open()
  await Promise.all([house.provider(), house.provider(), house.provider()])
}, 60_000)
afterAll(() => house.close())

test('providers that have never met fetch from each other over real connections', async () => {
  const requester = await house.swarm()
  const input = chainInput(40)
  const job = requester.pipeline(chainStages(input), { units: 5 })
  const { value, receipt } = await job.result
  expect({ ids: value.ids, scores: value.scores }).toEqual(chainOutput(input))
  expect(receipt.split).toBe('pipeline')
}, 60_000)
