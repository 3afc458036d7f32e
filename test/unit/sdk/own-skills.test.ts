import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { factors } from '../../../examples/own-skill/skill.ts'
import type { FactorOutput } from '../../../examples/smallest-factor/skill.ts'
import { type CreateSwarmInit, createSwarm, type Job, type OwnSkill } from '../../../src/index.ts'
import { createTestSwarm } from '../../../src/testing.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

// A skill that a program brings along: its code here, its kernels in a worker of the program's own.

const WORKER = new URL('../../../examples/own-skill/worker.ts', import.meta.url)
const OURS = new URL('../../../workers/compute.node.ts', import.meta.url)
const input = { first: 1_000_000, count: 600 }

function isRight({ factors: found }: FactorOutput, { first, count } = input): boolean {
  const smallest = (number: number) => {
    let divisor = 2
    while (number % divisor !== 0) {
      divisor += 1
    }
    return divisor
  }
  return found.length === count && found.every((factor, at) => factor === smallest(first + at))
}

describe('a skill of the program’s own', () => {
  let house: NodeHouse
  beforeAll(async () => {
    house = await NodeHouse.open()
  })
  afterAll(() => house.close())

  test('is hired and served by workers of its own, beside those of the build', async () => {
    const own = { skills: [factors], worker: WORKER }
    const [requester, provider] = await Promise.all([house.swarm(own), house.provider(own)])
    const job = requester.submit(factors, input, { units: 3 })
    expectTypeOf(job).toEqualTypeOf<Job<FactorOutput>>()
    const { value, receipt } = await job.result
    expect(isRight(value)).toBe(true)
    expect(receipt.providers).toMatchObject([{ peer: provider.peer, units: 3 }])
    const product = { a: Int8Array.of(2), b: Int8Array.of(3), m: 1, k: 1, n: 1 }
    expect((await requester.submit('matmul-i8', product).result).value.c).toEqual(Int32Array.of(6))
    expect((await requester.quote(factors, input)).units).toBe(1)
  })

  test('is refused where the worker does not serve it, and nothing is paid', async () => {
    const requester = await house.swarm({ skills: [factors], worker: OURS })
    await expect(requester.submit(factors, input).result).rejects.toMatchObject({ code: 'NO_WORKER' })
    await expect(requester.contribute()).rejects.toMatchObject({ code: 'NO_WORKER' })
    expect(requester.status.contributing).toBe(false)
  })

  test('needs, in Node, the URL of a file', async () => {
    const worker = () => expect.unreachable('It was made.') as Worker
    const requester = await house.swarm({ skills: [factors], worker })
    await expect(requester.contribute()).rejects.toMatchObject({ code: 'NO_WORKER' })
  })
})

test('a skill of one’s own runs in test swarms: submit, map, stream, by name, and in the list', async () => {
  await using house = await createTestSwarm({ peers: 3, skills: [factors] })
  const { requester } = house
  expect(requester.skills.find(({ name }) => name === 'smallest-factor')?.check({ first: 1 })).not.toEqual([])
  const inputs = [input, { first: 2, count: 40 }]
  for await (const { index, value } of requester.map(factors, inputs)) {
    expectTypeOf(value).toEqualTypeOf<FactorOutput>()
    expect(isRight(value, inputs[index])).toBe(true)
  }
  await house.providers[0]?.contribute({ skills: [factors, 'matmul-i8'] })
  let bytes = 0
  for await (const piece of requester.stream(factors, input, { units: 4 })) {
    bytes += piece.bytes.byteLength
  }
  expect(bytes).toBe(4 * input.count)
  const { value } = await requester.submit<FactorOutput>('smallest-factor', input).result
  expect(isRight(value)).toBe(true)
  expect(() => requester.submit(factors, { first: 1, count: 1 })).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT' })
  )
  expect((await house.audit()).balanced).toBe(true)
})

describe('createSwarm refuses', () => {
  const without = (member: string) => ({ ...factors, [member]: undefined }) as unknown as OwnSkill
  const named = (manifest: object) => ({ ...factors, manifest: { ...factors.manifest, ...manifest } })
  test.each<[string, string, unknown]>([
    ['own skills without a worker', 'BAD_OPTION', { skills: [factors], worker: undefined }],
    ['a worker that is none', 'BAD_OPTION', { worker: 'worker.js' }],
    ['skills that are no list', 'BAD_OPTION', { skills: factors }],
    ['nothing in the place of a skill', 'BAD_SKILL', { skills: [undefined] }],
    ['one twice', 'BAD_SKILL', { skills: [factors, factors] }],
    ['a name that is taken', 'BAD_SKILL', { skills: [named({ name: 'matmul-i8' })] }],
    ['a name that no network takes', 'BAD_SKILL', { skills: [named({ name: 'My Skill' })] }],
    ['no version', 'BAD_SKILL', { skills: [named({ version: undefined })] }],
    ['no time', 'BAD_SKILL', { skills: [named({ timeout_secs: 0 })] }],
    ['a check that is neither', 'BAD_SKILL', { skills: [named({ check: 'good' })] }],
    ...['manifest', 'input', 'variants', 'example', 'plan', 'checkUnit', 'cpu', 'gpu', 'verify'].map(
      (member): [string, string, unknown] => [
        `a skill without ${member}`,
        'BAD_SKILL',
        { skills: [without(member)] }
      ]
    )
  ])('%s', async (_, code, init) => {
    const given = { worker: WORKER, relays: [], ...(init as CreateSwarmInit) }
    await expect(createSwarm(given)).rejects.toMatchObject({ code })
  })
})
