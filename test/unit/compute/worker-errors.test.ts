import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { expose, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { RelayError } from '../../../relay/index.ts'
import { ComputeError } from '../../../src/compute/index.ts'
import { keepErrorsTyped } from '../../../src/compute/protocol.ts'
import { CreditError } from '../../../src/credit/index.ts'
import { JobError } from '../../../src/jobs/index.ts'
import { NetError } from '../../../src/net/index.ts'
import { RegistryError } from '../../../src/registry/index.ts'
import { SkillError } from '../../../src/skills/index.ts'
import { StoreError } from '../../../src/store/index.ts'
import { ViewError } from '../../../src/swarm/view/errors.ts'
import { type ErrorDetails, SwarmError, WireError } from '../../../src/wire/index.ts'

// What an engine and its workers throw at each other, through comlink and the structured clone as in the product.

type AnyError = new (
  code: string,
  message: string,
  options: { retryable?: boolean; details?: ErrorDetails }
) => SwarmError

// each class takes codes of its own only: that any code passes is the point
const CLASSES = [
  SwarmError,
  WireError,
  NetError,
  StoreError,
  SkillError,
  ComputeError,
  RegistryError,
  CreditError,
  JobError,
  ViewError,
  RelayError
] as unknown as readonly AnyError[]

keepErrorsTyped()
const { port1, port2 } = new MessageChannel()
const thrown: { next: unknown } = { next: undefined }
const worker = {
  fail(): void {
    throw thrown.next
  },
  async failLater(): Promise<void> {
    throw thrown.next
  }
}
expose(worker, nodeEndpoint(port1))
const remote = wrap<typeof worker>(nodeEndpoint(port2))
afterAll(() => port1.close())

async function across(error: unknown, how: 'fail' | 'failLater'): Promise<unknown> {
  thrown.next = error
  return remote[how]().then(
    () => expect.unreachable('It did not throw.'),
    (caught: unknown) => caught
  )
}

describe('an error that leaves a worker', () => {
  const details = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean()),
    { noNullPrototype: true }
  )

  test('keeps class name, code, sentence, retryable and details, whatever its class', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CLASSES),
        fc.string(),
        fc.string(),
        fc.boolean(),
        details,
        fc.constantFrom('fail' as const, 'failLater' as const),
        async (Class, code, message, retryable, given, how) => {
          const error = new Class(code, message, { retryable, details: given })
          const back = await across(error, how)
          expect(back).toBeInstanceOf(SwarmError)
          expect(back).toMatchObject({ code, message, retryable, name: error.name })
          expect((back as SwarmError).details).toEqual(given)
          expect(back instanceof ComputeError).toBe(error instanceof ComputeError)
        }
      )
    )
  })

  test.each([
    ['an error of the engine', new RangeError('nothing works'), 'nothing works'],
    ['an abort', new DOMException('gone', 'AbortError'), 'gone'],
    ['a text', 'just so', 'just so'],
    ['nothing', undefined, 'undefined'],
    ['an object', { code: 'BAD_UNIT' }, 'object']
  ])('gets a code if it is %s', async (_, error, words) => {
    const back = await across(error, 'fail')
    expect(back).toBeInstanceOf(SwarmError)
    expect(back).toMatchObject({
      code: 'INTERNAL',
      retryable: false,
      message: expect.stringContaining(words)
    })
  })

  test('with details that cannot be copied is an error still', async () => {
    const details = { act: () => {} } as unknown as ErrorDetails
    expect(await across(new JobError('BUSY', 'Later.', { details }), 'fail')).toMatchObject({
      code: 'INTERNAL'
    })
  })
})

test('every class of error is tried', () => {
  const root = resolve(import.meta.dirname, '../../..')
  const classes = globSync('{src,relay}/**/*.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/class (\w+) extends SwarmError/g)].map(
      ([, name]) => name
    )
  )
  expect(CLASSES.map(({ name }) => name).sort()).toEqual(['SwarmError', ...classes].sort())
})
