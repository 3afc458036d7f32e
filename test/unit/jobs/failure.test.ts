import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ComputeError } from '../../../src/compute/index.ts'
import { detailsOf, failureOf } from '../../../src/jobs/failure.ts'
import { JobError } from '../../../src/jobs/index.ts'
import {
  decode,
  type ErrorDetails,
  encode,
  JOB_FRAME_MAX,
  jobResponseFrame
} from '../../../src/wire/index.ts'
import { EngineHouse } from '../../fixtures/engine-house.ts'
import { product } from '../../fixtures/node-house.ts'

// What a requester is told of a unit that failed at a provider.

const small = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}$/).filter((name) => name !== 'code'),
  fc.oneof(fc.string({ maxLength: 100 }), fc.maxSafeNat(), fc.boolean()),
  { noNullPrototype: true, maxKeys: 8 }
)
const any = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), fc.boolean()), {
  noNullPrototype: true
})

function overTheWire(error: unknown) {
  const bytes = encode({ t: 'failed', index: 0, ...failureOf(error) })
  const frame = decode(bytes, jobResponseFrame, JOB_FRAME_MAX)
  return frame.t === 'failed' ? frame : expect.unreachable('It became another frame.')
}

test('comes over the wire with code, sentence, retryable and details', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 512 }), fc.boolean(), small, (message, retryable, details) => {
      const frame = overTheWire(new JobError('BUSY', message, { retryable, details }))
      expect(frame).toMatchObject({ code: 'BUSY', message, retryable })
      const { code: _, ...carried } = detailsOf(frame)
      expect(carried).toEqual(details)
    })
  )
})

test('never breaks the protocol, whatever is thrown at a provider, and tells nothing of what has no code', () => {
  fc.assert(
    fc.property(fc.string(), any, (message, details) => {
      const given = details as ErrorDetails
      overTheWire(new JobError('UNIT_FAILED', message.repeat(60), { details: given }))
    })
  )
  expect(overTheWire(new Error('/home/somebody/secret'))).toEqual({
    t: 'failed',
    index: 0,
    code: 'INTERNAL',
    message: 'The unit could not be computed.',
    retryable: false
  })
})

test('is what the job fails with: its code and details beside the unit', async () => {
  const late = () => ({
    run: () =>
      Promise.reject(new ComputeError('TIMEOUT', 'Too long.', { retryable: true, details: { seconds: 60 } }))
  })
  const house = await EngineHouse.open([late, late])
  try {
    const job = house.requester.submit('matmul-i8', product(16), { units: 1 })
    await expect(job.result).rejects.toMatchObject({
      code: 'UNIT_FAILED',
      message: expect.stringContaining('TIMEOUT: Too long.'),
      details: { unit: 0, attempts: 4, code: 'TIMEOUT', seconds: 60 }
    })
  } finally {
    await house.close()
  }
})

test('is named where it leaves nobody who may do the work', async () => {
  const broken = () => ({ run: () => Promise.reject(new ComputeError('KERNEL_FAILED', 'It is broken.')) })
  const house = await EngineHouse.open([broken])
  try {
    const job = house.requester.submit('matmul-i8', product(16), { units: 1, providerWaitMs: 100 })
    await expect(job.result).rejects.toMatchObject({
      code: 'NO_PROVIDER',
      retryable: true,
      message: expect.stringMatching(/Unit 0 had come back: KERNEL_FAILED: It is broken\.$/),
      details: { unit: 0 }
    })
  } finally {
    await house.close()
  }
})

test('says its code, whatever details a provider makes up', () => {
  const failure = {
    code: 'TIMEOUT',
    message: '',
    retryable: true,
    details: [{ name: 'code', value: 'BUSY' }]
  }
  expect(detailsOf(failure)).toEqual({ code: 'TIMEOUT' })
})
