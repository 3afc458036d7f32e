import { expect, test } from 'vitest'
import { ComputeError } from '../../../src/compute/index.ts'
import { chainInput, chainStages } from '../../fixtures/chain-input.ts'
import { EngineHouse } from '../../fixtures/engine-house.ts'

test('a pipeline that cannot be done says which unit of which stage, how often, and why', async () => {
  const late = () => ({
    run: () =>
      Promise.reject(new ComputeError('TIMEOUT', 'Too long.', { retryable: true, details: { seconds: 60 } }))
  })
  const house = await EngineHouse.open([late, late, late, late])
  try {
    const [first, second] = chainStages(chainInput(8))
    const job = house.requester.pipeline([first, second], { units: 1, maxProviders: 4 })
    await expect(job.result).rejects.toMatchObject({
      code: 'UNIT_FAILED',
      message: expect.stringMatching(
        /^Rows 0 to 8 .* unit 0, at stage 0 \(matmul-i8\); .* TIMEOUT: Too long\./
      ),
      details: {
        ...{ lane: 0, stage: 0, unit: 0, skill: 'matmul-i8', attempts: 8 }, // over two rounds: two providers each
        ...{ code: 'TIMEOUT', seconds: 60 }
      }
    })
  } finally {
    await house.close()
  }
})
