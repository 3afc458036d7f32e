import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSwarm, SwarmError } from '../../../src/index.ts'
import { SKILLS, type Skill } from '../../../src/skills/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'

// Programs without types: whatever they pass, they get an error with a code, and nothing else breaks.

let house: TestSwarm
beforeAll(async () => {
  house = await createTestSwarm({ peers: 2, seed: 3 })
})
afterAll(() => house?.stop())

const junk = fc.oneof(
  fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, maxDepth: 2 }),
  fc.constantFrom(undefined, null, 0, '', 5n, () => {}, Symbol('odd'), new Date(0), [], [null], {})
)
const NAMES = [
  ...['budget', 'deadlineMs', 'providerWaitMs', 'units', 'maxProviders', 'providers', 'rate', 'redundancy'],
  ...[
    'signal',
    'subtaskBudget',
    'parent',
    'key',
    'window',
    'ordered',
    'windowBytes',
    'linkMbps',
    'power',
    'strangers'
  ],
  ...['skills', 'from', 'strangers']
]
const options = fc.oneof(junk, fc.dictionary(fc.constantFrom(...NAMES), junk, { maxKeys: 3 }))
const skill = fc.oneof(fc.constantFrom('matmul-i8', 'render-tile', { name: 'knn-i8' }), junk)
const example = (SKILLS.get('matmul-i8') as Skill).example() as object // a product is an object
const input = fc.oneof(
  junk,
  fc.constant(example),
  fc
    .tuple(fc.constantFrom(...Object.keys(example)), junk)
    .map(([name, value]) => ({ ...example, [name]: value }))
)
const stages = fc.oneof(
  junk,
  fc.array(fc.oneof(junk, fc.record({ skill, input, via: junk }, { requiredKeys: [] })), { maxLength: 3 })
)

type Loose = Record<string, (...given: unknown[]) => unknown>
const CALLS: Record<string, fc.Arbitrary<unknown[]>> = {
  submit: fc.tuple(skill, input, options),
  map: fc.tuple(skill, fc.oneof(junk, fc.array(input, { maxLength: 2 })), options),
  stream: fc.tuple(skill, input, options),
  quote: fc.tuple(skill, input, options),
  pipeline: fc.tuple(stages, options),
  job: fc.tuple(junk),
  contribute: fc.tuple(options),
  exportLedger: fc.tuple(options),
  on: fc.tuple(fc.oneof(fc.constantFrom('change', 'state', 'submitted', 'settled'), junk), junk, options)
}

/** What a call came to, with all that it started ended again. */
async function outcomeOf(name: string, given: unknown[]): Promise<void> {
  const swarm = house.requester as unknown as Loose // as a program without types sees it
  const result = (await swarm[name]?.(...given)) as {
    cancel?: () => Promise<void>
    job?: { cancel(): Promise<void> }
  }
  if (name === 'map') {
    const results = result as unknown as AsyncGenerator<unknown>
    const first = results.next()
    first.catch(() => {}) // an input that is none ends the loop with an error: awaited below
    await results.return(undefined)
    await first
  }
  await (name === 'stream' ? result.job : result)?.cancel?.()
}

/** Each was taken, and threw later, where nobody could catch it. */
const LISTENERS: unknown[][] = [
  ['change'],
  ['settled', 5],
  ['submitted', {}],
  ['state', () => {}, null],
  ['state', () => {}, { signal: 5 }]
]

const TEST_SWARMS: unknown[] = [
  null,
  5,
  'x',
  { peers: Symbol('odd') },
  { seed: Object.create(null) },
  { network: 'mian' },
  { faults: null },
  { faults: 5 },
  { faults: { 1: null } },
  { faults: { 1: 'wrong' } },
  { faults: { 1: { kind: 'wrong', share: '1' } } },
  { faults: { 1: { kind: 'slow', delayMs: 'x' } } },
  { faults: { 3: { kind: 'slow' } } }
]

describe('a node that is called with wrong types', () => {
  test.each(LISTENERS)('on refuses a listener that is none: %s, %s, %s', (...given) => {
    expect(() => (house.requester as unknown as Loose).on?.(...given)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })

  test('what returns a promise rejects, and throws nothing at once', async () => {
    const swarm = house.requester as unknown as Loose // as a program without types sees it
    for (const result of [
      swarm.quote?.(42),
      swarm.exportLedger?.({ from: 'x' }),
      swarm.exportLedger?.(null)
    ]) {
      await expect(result).rejects.toMatchObject({ code: 'BAD_OPTION' })
    }
  })

  test.each(TEST_SWARMS)('createTestSwarm refuses %o', async (init) => {
    await expect(createTestSwarm(init as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test.each(Object.keys(CALLS))('%s refuses with a code, or does it', async (name) => {
    await fc.assert(
      fc.asyncProperty(CALLS[name] ?? fc.constant<unknown[]>([]), async (given) => {
        await outcomeOf(name, given).catch((error: unknown) => {
          expect(error, String(error)).toBeInstanceOf(SwarmError)
          expect((error as SwarmError).code).not.toBe('INTERNAL')
        })
      })
    )
    expect(house.requester.status.state).not.toBe('stopped')
  })

  test('createSwarm refuses with a code', async () => {
    const bad = fc.dictionary(
      fc.constantFrom(
        'relays',
        'network',
        'iceServers',
        'dataFolder',
        'backend',
        'workers',
        'listen',
        'skills'
      ),
      fc.oneof(fc.constantFrom(null, 0, '', 'x', [0], [{}]), fc.double(), fc.object({ maxDepth: 1 })),
      { minKeys: 1, maxKeys: 2 }
    )
    await fc.assert(
      fc.asyncProperty(bad, async (init) => {
        const thrown = await createSwarm({ relays: 0, ...init } as never).catch((error: unknown) => error)
        expect(thrown).toBeInstanceOf(SwarmError)
        expect((thrown as SwarmError).code).toMatch('BAD_OPTION')
      })
    )
    for (const init of [null, 5, 'x', []]) {
      await expect(createSwarm(init as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    }
  })
})

test.each([...SKILLS])(
  '%s copies its input: what becomes of the arrays afterwards changes nothing',
  (_, skill) => {
    const given = structuredClone(skill.example())
    const plan = skill.plan(given)
    const bytes = () =>
      [...plan.parts, ...plan.units.map(({ data }) => data)].map((each) => Buffer.from(each))
    const before = bytes()
    for (const value of Object.values(given as object)) {
      if (ArrayBuffer.isView(value)) {
        new Uint8Array(value.buffer).fill(0x55)
      }
    }
    expect(bytes()).toEqual(before)
  }
)
