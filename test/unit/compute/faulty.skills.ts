import { type Skill, SkillError, type UnitInput } from '../../../src/skills/index.ts'
import { wasmMemory } from '../../../src/skills/wasm.ts'

/**
 * Skills that misbehave on purpose. Params: [what to do, ms]. `stubborn` never yields, `endless` yields for ever,
 * `busy` takes its ms, `crash` ends its worker, `short` returns too few bytes, `hungry` and `greedy` ask for more memory
 * than there is, JavaScript's and WebAssembly's. `typed` throws an error of its own.
 */
export const BEHAVIOURS = [
  'echo',
  'endless',
  'stubborn',
  'crash',
  'throws',
  'short',
  'busy',
  'hungry',
  'greedy',
  'typed'
] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/** `faulty` has time; `impatient` is the same with a second. */
export function faultySkills(crash: () => void): Array<[string, Skill]> {
  return [
    ['faulty', faultySkill('faulty', 20, crash)],
    ['impatient', faultySkill('impatient', 1, crash)]
  ]
}

function faultySkill(name: string, seconds: number, crash: () => void): Skill {
  return {
    manifest: {
      name,
      version: '1.0.0',
      description: 'Misbehaves.',
      tags: [],
      license: 'MIT',
      timeout_secs: seconds,
      check: 'strong'
    },
    // the engine does not plan: these are never called
    input: undefined as never,
    example: () => undefined,
    variants: [],
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
    case 'hungry':
      return new Uint8Array(2 ** 46) // more than an address has bits for
    case 'greedy':
      return new Uint8Array(wasmMemory({ memory: new WebAssembly.Memory({ initial: 1 }) }, 2 ** 40))
    case 'typed':
      throw new SkillError('BAD_RESULT', 'Row 3 is no row.', { retryable: true, details: { row: 3 } })
    case 'short':
      return new Uint8Array(unit.data.length - 1)
  }
  return unit.data.slice()
}
