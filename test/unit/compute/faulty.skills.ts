import type { KernelVariant, Skill, UnitInput } from '../../../src/skills/index.ts'

/**
 * Skills that misbehave on purpose. Params: [what to do]. `stubborn` never yields, `endless` yields for ever,
 * `crash` ends its worker, `crash-once` only where its part was not sent before (a fresh worker), `throws`,
 * `short` returns too few bytes.
 */
export const BEHAVIOURS = ['echo', 'endless', 'stubborn', 'crash', 'throws', 'short', 'busy'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

export function faultySkill(crash: () => void, variants: readonly KernelVariant[] = []): Skill {
  return {
    manifest: {
      name: 'faulty',
      version: '1.0.0',
      description: 'Misbehaves.',
      tags: [],
      license: 'MIT',
      timeout_secs: 1,
      check: 'strong'
    },
    // the engine does not plan: these are never called
    input: undefined as never,
    example: () => undefined,
    variants,
    plan() {
      throw new Error('not planned')
    },
    checkUnit: ({ dataSize }) => ({ resultSize: dataSize, cost: 1n }),
    cpu: (unit) => behave(unit, crash),
    gpu() {
      throw new Error('CPU only')
    },
    verify(unit, result, random) {
      const work = behave(unit, crash)
      for (let step = work.next(); !step.done; step = work.next()) {}
      return random() < 1 && result.every((byte, index) => byte === unit.data[index])
    }
  }
}

function* behave(unit: UnitInput, crash: () => void): Generator<number, Uint8Array> {
  const behaviour = BEHAVIOURS[unit.params[0] ?? 0]
  const started = performance.now()
  switch (behaviour) {
    case 'endless':
      for (;;) {
        yield 0.5
      }
    case 'stubborn':
      for (;;) {
        Math.random()
      }
    case 'busy': // for params[1] ms of this machine's time
      while (performance.now() - started < (unit.params[1] ?? 0)) {
        yield (performance.now() - started) / (unit.params[1] ?? 1)
      }
      break
    case 'crash':
      crash()
      for (;;) {
        yield 0.5
      }
    case 'throws':
      throw new RangeError('nothing works')
    case 'short':
      return new Uint8Array(unit.data.length - 1)
  }
  return unit.data.slice()
}
