import * as z from 'zod/mini'
import { type Skill, SkillError, type UnitInput } from '../../src/skills/index.ts'

/**
 * A whole skill in one file, to copy: the smallest factor of each number of a range (of a prime, itself).
 * docs/SKILLS.md walks through it.
 */

export interface FactorInput {
  readonly first: number
  /** How many numbers from `first` on. */
  readonly count: number
}

export interface FactorOutput {
  readonly factors: Uint32Array<ArrayBuffer>
}

const NUMBER_MAX = 2 ** 32 - 1
const COUNT_MAX = 2 ** 20
/** Numbers a unit: 4 bytes each, and .1 to .5 s of an ordinary CPU for the largest numbers. */
const UNIT_NUMBERS = 8192
/** For a cheat on a tenth: 1 − .9^48 = .994. */
const SAMPLES = 48
const GROUP = 64

// 1. What a requester may ask for.
const input = z
  .strictObject({
    first: z.int('must be a whole number').check(z.gte(2, 'must be at least 2')),
    count: z
      .int('must be a whole number')
      .check(z.gte(1, 'must be at least 1'), z.lte(COUNT_MAX, `must be at most ${COUNT_MAX}`))
  })
  .check(
    z.refine(({ first, count }) => first + count - 1 <= NUMBER_MAX, {
      path: ['count'],
      message: 'must end below 2^32'
    })
  )

// 2. What a unit is, and what it costs: from its shape alone, the same at both ends.
const operations = (first: number, count: number): number =>
  3 * count * Math.ceil(Math.sqrt(first + count) / 2)
const costOf = (first: number, count: number): bigint =>
  BigInt(Math.ceil(operations(first, count) / 1_000_000))

function checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }) {
  const [first = 0, count = 0, ...more] = unit.params
  const isRange =
    Number.isInteger(first) && Number.isInteger(count) && first >= 2 && first + count - 1 <= NUMBER_MAX
  if (
    !isRange ||
    count < 1 ||
    count > UNIT_NUMBERS ||
    more.length + unit.dataSize + unit.partSizes.length > 0
  ) {
    throw new SkillError('BAD_UNIT', `A unit needs a first number and a count of 1 to ${UNIT_NUMBERS}.`)
  }
  return { resultSize: count * 4, cost: costOf(first, count) }
}

// 3. The same work twice: readable on the CPU, which is the definition, and in WGSL.
function smallestFactor(number: number): number {
  if (number % 2 === 0) {
    return 2
  }
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) {
    if (number % divisor === 0) {
      return divisor
    }
  }
  return number
}

const wgsl = `
struct Range { first: u32, start: u32, end: u32 }
@group(0) @binding(0) var<uniform> range: Range;
@group(0) @binding(1) var<storage, read_write> factors: array<u32>;

fn smallest_factor(number: u32) -> u32 {
  if (number % 2u == 0u) {
    return 2u;
  }
  for (var divisor = 3u; divisor <= 65535u; divisor += 2u) {
    if (divisor * divisor > number) {
      break;
    }
    if (number % divisor == 0u) {
      return divisor;
    }
  }
  return number;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = range.start + id.x;
  if (at < min(range.end, arrayLength(&factors))) {
    factors[at] = smallest_factor(range.first + at);
  }
}
`

const numbersOf = (bytes: Uint8Array): Uint32Array<ArrayBuffer> => new Uint32Array(bytes.slice().buffer)

export const smallestFactors: Skill<FactorInput, FactorOutput> = {
  manifest: {
    name: 'smallest-factor',
    version: '1.0.0',
    description: 'The smallest factor of each number of a range below 2^32.',
    tags: ['example', 'numbers'],
    license: 'MIT',
    timeout_secs: 60,
    check: 'strong'
  },
  input,
  example: () => ({ first: 1_000_000, count: 1000 }),
  sample: () => ({ first: 4_000_000_000, count: UNIT_NUMBERS }),
  variants: [{ name: 'plain', wgsl, needs: [] }],
  checkUnit,

  plan(raw, { units } = {}) {
    const parsed = input.safeParse(raw)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new SkillError('BAD_INPUT', `${issue?.path.join('.') || 'input'}: ${issue?.message}.`)
    }
    const { first, count } = parsed.data
    const size = Math.min(UNIT_NUMBERS, Math.ceil(count / Math.max(1, units ?? 1)))
    const starts = Array.from({ length: Math.ceil(count / size) }, (_, index) => index * size)
    return {
      parts: [],
      units: starts.map((start) => {
        const params = [first + start, Math.min(size, count - start)] as const
        return { params, parts: [], data: new Uint8Array(0), cost: costOf(...params), place: { start } }
      }),
      assembler() {
        const factors = new Uint32Array(count)
        const missing = new Set(starts.keys())
        return {
          accept(unit, result) {
            const start = starts[unit]
            if (start === undefined || !missing.delete(unit)) {
              throw new SkillError('BAD_RESULT', `No result of unit ${unit} is waited for.`)
            }
            factors.set(numbersOf(result), start)
          },
          finish() {
            if (missing.size > 0) {
              throw new SkillError('INCOMPLETE', `${missing.size} of ${starts.length} units are missing.`)
            }
            return { factors }
          }
        }
      }
    }
  },

  *cpu({ params: [first = 2, count = 0] }: UnitInput) {
    const factors = new Uint32Array(count)
    for (let at = 0; at < count; at++) {
      factors[at] = smallestFactor(first + at)
      if (at % 256 === 255) {
        yield (at + 1) / count // so that the worker can look at messages and keep its power limit
      }
    }
    return new Uint8Array(factors.buffer)
  },

  gpu({ params: [first = 2, count = 0] }, _variant, grain) {
    const each = operations(first, count) / count
    const stride = Math.max(GROUP, Math.floor(grain / each / GROUP) * GROUP)
    return {
      bindings: [{ kind: 'uniform' }, { kind: 'result' }],
      resultSize: count * 4,
      dispatches: Array.from({ length: Math.ceil(count / stride) }, (_, index) => {
        const start = index * stride
        const end = Math.min(count, start + stride)
        return {
          uniform: new Uint8Array(new Uint32Array([first, start, end, 0]).buffer),
          workgroups: [Math.ceil((end - start) / GROUP), 1, 1] as const,
          operations: each * (end - start)
        }
      })
    }
  },

  // 4. What the requester believes.
  /**
   * Computes 48 numbers anew and compares exactly. Catches a result that is wrong in a share f of its numbers with
   * probability 1 − (1 − f)^48: .994 for a tenth. Does not see one wrong number among many.
   */
  verify({ params: [first = 2, count = 0] }, result, random) {
    if (result.byteLength !== count * 4) {
      return false
    }
    const factors = numbersOf(result)
    return Array.from({ length: SAMPLES }, () => Math.floor(random() * count)).every(
      (at) => factors[at] === smallestFactor(first + at)
    )
  }
}
