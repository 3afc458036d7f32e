import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Material,
  type RenderInput,
  type RenderOutput,
  type Scene,
  skillByName,
  type UnitInput,
  type Vector
} from '../../../src/skills/index.ts'
import { UNIT_BYTES_MAX } from '../../../src/wire/index.ts'
import { seeded as random } from '../../fixtures/random.ts'
import { skillHouse } from '../../fixtures/skill-house.ts'

const skill = skillByName('render-tile')
const example = skill.example() as RenderInput // the skill's own input

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const vector = (min: number, max: number): fc.Arbitrary<Vector> =>
  fc.tuple(number(min, max), number(min, max), number(min, max))
const colour = vector(0, 1)
const materials: fc.Arbitrary<Material> = fc.oneof(
  fc.record({ kind: fc.constant('diffuse' as const), colour }),
  fc.record({ kind: fc.constant('metal' as const), colour, fuzz: number(0, 1) }),
  fc.record({ kind: fc.constant('glass' as const), colour, index: number(1, 3) }),
  fc.record({ kind: fc.constant('light' as const), colour: vector(0, 16) })
)
const scenes: fc.Arbitrary<Scene> = fc.record({
  camera: fc.record({
    from: fc.constant<Vector>([0, 1, 8]),
    to: vector(-1, 1),
    angle: number(10, 90)
  }),
  sky: fc.record({ bottom: vector(0, 2), top: vector(0, 2) }),
  materials: fc.array(materials, { minLength: 2, maxLength: 5 }),
  spheres: fc.array(
    fc.record({ centre: vector(-3, 3), radius: number(0.1, 2), material: fc.nat({ max: 1 }) }),
    { maxLength: 6 }
  ),
  triangles: fc.array(
    fc.record({ a: vector(-4, 4), b: vector(-4, 4), c: vector(-4, 4), material: fc.nat({ max: 1 }) }),
    { maxLength: 6 }
  )
})
const inputs: fc.Arbitrary<RenderInput> = fc.record({
  scene: scenes,
  width: fc.integer({ min: 1, max: 12 }),
  height: fc.integer({ min: 1, max: 12 }),
  samples: fc.integer({ min: 1, max: 4 }),
  depth: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 })
})
const units = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })

const { compute, planned } = skillHouse(skill)

function rendered(input: RenderInput, count?: number): Float32Array {
  const { plan, unitInputs } = planned(input, count)
  const assembler = plan.assembler()
  for (const [index, unit] of [...unitInputs.entries()].reverse()) {
    assembler.accept(index, compute(unit))
  }
  return (assembler.finish() as RenderOutput).radiance
}

function firstUnit(input: RenderInput, count = 1): UnitInput {
  const [unit] = planned(input, count).unitInputs
  if (unit === undefined) {
    throw new Error('no unit')
  }
  return unit
}

const code = (expected: string) => expect.objectContaining({ name: 'SkillError', code: expected })

/** A ball that fills the middle of the picture, under a sky that shines alike from everywhere. */
const furnace = (material: Material, sky: Vector): RenderInput => ({
  scene: {
    camera: { from: [0, 0, 4], to: [0, 0, 0], angle: 20 },
    sky: { bottom: sky, top: sky },
    materials: [material],
    spheres: [{ centre: [0, 0, 0], radius: 1, material: 0 }],
    triangles: []
  },
  width: 24,
  height: 24,
  samples: 4,
  depth: 8,
  seed: 3
})

function expectAll(radiance: Float32Array, [red, green, blue]: Vector, places = 5) {
  for (let at = 0; at < radiance.length; at += 3) {
    expect(radiance[at]).toBeCloseTo(red, places)
    expect(radiance[at + 1]).toBeCloseTo(green, places)
    expect(radiance[at + 2]).toBeCloseTo(blue, places)
  }
}

describe('light', () => {
  test('without anything is the sky, by how far up a pixel looks', () => {
    const { scene } = furnace({ kind: 'light', colour: [1, 1, 1] }, [0, 0, 0])
    const sky = { bottom: [0, 1, 2], top: [2, 1, 0] } satisfies Scene['sky']
    const height = 40
    const radiance = rendered({
      ...example,
      scene: { ...scene, sky, spheres: [] },
      width: 1,
      height,
      samples: 64
    })
    for (let row = 0; row < height; row++) {
      const slope = ((height / 2 - row - 0.5) / height) * 2 * Math.tan((10 * Math.PI) / 180)
      const up = 0.5 * (1 + slope / Math.hypot(1, slope))
      expect(radiance[row * 3]).toBeCloseTo(2 * up, 2)
      expect(radiance[row * 3 + 1]).toBeCloseTo(1, 5)
      expect(radiance[row * 3 + 2]).toBeCloseTo(2 - 2 * up, 2)
    }
  })

  test('of a ball of any material and colour c, under a sky of 1 from everywhere, is c (energy is kept)', () => {
    const whole: Material = { kind: 'glass', colour: [1, 1, 1], index: 1 }
    expectAll(rendered(furnace({ kind: 'diffuse', colour: [0.5, 0.25, 1] }, [1, 1, 1])), [0.5, 0.25, 1])
    expectAll(
      rendered(furnace({ kind: 'metal', colour: [0.5, 0.25, 1], fuzz: 0 }, [1, 1, 1])),
      [0.5, 0.25, 1]
    )
    expectAll(rendered(furnace(whole, [0.3, 0.6, 0.9])), [0.3, 0.6, 0.9])
    expectAll(rendered(furnace({ kind: 'light', colour: [7, 8, 9] }, [0, 0, 0])), [7, 8, 9])
  })

  test('goes through glass by Snell’s law: a ball turns the view upside down', () => {
    const sky = { bottom: [1, 0, 0], top: [0, 0, 1] } satisfies Scene['sky']
    const base = furnace({ kind: 'glass', colour: [1, 1, 1], index: 1.5 }, [0, 0, 0])
    const radiance = rendered({ ...base, scene: { ...base.scene, sky }, samples: 64 })
    const blue = (row: number) => radiance[(row * 24 + 12) * 3 + 2] ?? 0
    expect(blue(4)).toBeLessThan(blue(19) - 0.1) // above: what lies below, and the other way round
  })

  test('comes back from a mirror of two triangles as if from behind it', () => {
    const glass = furnace({ kind: 'metal', colour: [1, 1, 1], fuzz: 0 }, [0, 0, 0])
    const sky = { bottom: [0, 0, 0], top: [1, 1, 1] } satisfies Scene['sky']
    const mirror: Scene = {
      ...glass.scene,
      sky,
      camera: { from: [0, 5, 0], to: [5, 0, 0], angle: 2 },
      spheres: [],
      triangles: [
        { a: [-100, 0, -100], b: [-100, 0, 100], c: [100, 0, 100], material: 0 },
        { a: [-100, 0, -100], b: [100, 0, 100], c: [100, 0, -100], material: 0 }
      ]
    }
    // 45 degrees down, so 45 degrees up again: (1 + sin 45°) / 2
    const radiance = rendered({ ...glass, scene: mirror, width: 9, height: 9 })
    expect(radiance[(4 * 9 + 4) * 3]).toBeCloseTo((1 + Math.SQRT1_2) / 2, 2)
  })

  test('is never negative, endless or above 16, in any scene', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(rendered(input).every((value) => value >= 0 && value <= 16)).toBe(true)
      })
    )
  })
})

describe('plan', () => {
  test('any cut gives the same picture, and the same seed the same paths', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        expect(rendered(input, count)).toEqual(rendered(input, 1))
      }),
      { numRuns: 30 }
    )
    expect(rendered({ ...example, seed: 2 })).not.toEqual(rendered({ ...example, seed: 3 }))
  })

  test('units pass the check of strangers’ units, in the size and at the cost that it names', () => {
    fc.assert(
      fc.property(inputs, units, (input, count) => {
        const { plan, unitInputs } = planned(input, count)
        for (const [index, unit] of unitInputs.entries()) {
          const partSizes = unit.parts.map((part) => part.length)
          const checked = skill.checkUnit({ params: unit.params, dataSize: unit.data.length, partSizes })
          expect(checked.resultSize).toBe(compute(unit).length)
          expect(checked.cost).toBe(plan.units[index]?.cost)
        }
      }),
      { numRuns: 30 }
    )
  })

  test('no picture makes a unit beyond 4 MiB or too many of them', () => {
    const length = fc.oneof(fc.constantFrom(1, 4095, 4096), fc.integer({ min: 1, max: 4096 }))
    fc.assert(
      fc.property(length, length, fc.integer({ min: 1, max: 64 }), units, (width, height, samples, count) => {
        const { plan } = planned({ ...example, width, height, samples }, count)
        const pixels = plan.units.map(({ params }) => (params[2] ?? 0) * (params[3] ?? 0))
        expect(pixels.reduce((sum, each) => sum + each)).toBe(width * height)
        expect(Math.max(...pixels) * 12).toBeLessThanOrEqual(UNIT_BYTES_MAX)
        expect(pixels.length).toBeLessThanOrEqual(65_536)
      }),
      { numRuns: 30 }
    )
  })

  test('long units yield on the way', () => {
    const shares = [...skill.cpu(firstUnit({ ...example, samples: 16 }))]
    expect(shares.length).toBeGreaterThanOrEqual(4)
    expect(shares).toEqual([...shares].sort((x, y) => x - y))
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true)
  })
})

describe('verify', () => {
  test('accepts every right result', () => {
    fc.assert(
      fc.property(inputs, units, fc.nat(), (input, count, seed) => {
        for (const unit of planned(input, count).unitInputs) {
          expect(skill.verify(unit, compute(unit), random(seed))).toBe(true)
        }
      }),
      { numRuns: 30 }
    )
  })

  const spoiler = (unit: UnitInput) => {
    const right = new Float32Array(compute(unit).buffer)
    /** The share of results refused where `share` of the pixels is off by `factor`. */
    return (share: number, factor: number, tries: number) => {
      const next = random(1 + Math.round(share * 1000))
      let refused = 0
      for (let i = 0; i < tries; i++) {
        const found = right.slice()
        for (let at = 0; at < found.length; at += 3) {
          if (next() < share) {
            for (const channel of [at, at + 1, at + 2]) {
              found[channel] = Math.min(16, (found[channel] ?? 0) * factor + 0.01)
            }
          }
        }
        refused += skill.verify(unit, new Uint8Array(found.buffer), next) ? 0 : 1
      }
      return refused / tries
    }
  }

  test('sees a tenth of the pixels off with .99, forgives the 1 % that paths of honest devices turn', () => {
    const refused = spoiler(firstUnit(example, 4))
    expect(refused(0.1, 1.5, 200)).toBeGreaterThan(0.975)
    expect(refused(0.01, 1.02, 200)).toBe(0)
    expect(refused(1, 1.0001, 1)).toBe(1)
  })

  test('refuses gross errors in fewer pixels than it forgives', () => {
    const refused = spoiler(firstUnit(furnace({ kind: 'diffuse', colour: [0.1, 0.1, 0.1] }, [1, 1, 1])))
    expect(refused(0.04, 100, 100)).toBeGreaterThan(0.6)
  })

  test('refuses zeros, another tile, other paths, a wrong length, what is no radiance', () => {
    const { unitInputs } = planned(example, 4)
    const [first, second] = unitInputs
    if (first === undefined || second === undefined) {
      throw new Error('two units expected')
    }
    const right = compute(first)
    const judge = (result: Uint8Array) => skill.verify(first, result, random(7))
    expect(judge(right)).toBe(true)
    expect(judge(new Uint8Array(right.length))).toBe(false)
    expect(judge(compute(second).slice(0, right.length))).toBe(false)
    expect(judge(compute(firstUnit({ ...example, seed: 2 }, 4)))).toBe(false)
    expect(judge(compute(firstUnit({ ...example, samples: 7 }, 4)))).toBe(false)
    expect(judge(right.subarray(4))).toBe(false)
    expect(judge(new Uint8Array(0))).toBe(false)
    for (const bad of [Number.NaN, Infinity, -1, 16.5]) {
      const spoilt = right.slice()
      new DataView(spoilt.buffer).setFloat32(spoilt.length - 4, bad, true)
      expect(judge(spoilt)).toBe(false)
    }
  })
})

describe('bad input', () => {
  const { scene } = example
  const withSphere = (sphere: object) => ({ ...example, scene: { ...scene, spheres: [sphere] } })
  const ball = { centre: [0, 0, 0], radius: 1, material: 0 }
  test.each([
    [
      'NaN in a place',
      withSphere({ ...ball, centre: [0, Number.NaN, 0] }),
      /spheres.0.centre.1: must be a number/
    ],
    ['an endless radius', withSphere({ ...ball, radius: Infinity }), /spheres.0.radius: must be/],
    ['a radius of 0', withSphere({ ...ball, radius: 0 }), /radius: must be at least 0.01/],
    ['a place of two numbers', withSphere({ ...ball, centre: [0, 0] }), /spheres.0.centre/],
    [
      'a material that is not there',
      withSphere({ ...ball, material: 20 }),
      /materials: must have every index/
    ],
    ['an unknown material', { ...example, scene: { ...scene, materials: [{ kind: 'gas' }] } }, /materials.0/],
    [
      'no material',
      { ...example, scene: { ...scene, materials: [], spheres: [], triangles: [] } },
      /at least one/
    ],
    [
      'a colour above 1',
      { ...example, scene: { ...scene, materials: [{ kind: 'diffuse', colour: [2, 0, 0] }] } },
      /colour.0: must be at most 1/
    ],
    [
      'too many spheres',
      { ...example, scene: { ...scene, spheres: Array(257).fill(ball) } },
      /spheres: must be at most 256/
    ],
    [
      'a camera that looks straight down',
      { ...example, scene: { ...scene, camera: { from: [0, 5, 0], to: [0, 0, 0], angle: 40 } } },
      /camera.to: must lie beside/
    ],
    ['no pixels', { ...example, width: 0 }, /width: must be at least 1/],
    ['one pixel too many', { ...example, height: 4097 }, /height: must be at most 4096/],
    ['too many paths', { ...example, samples: 65 }, /samples: must be at most 64/],
    ['too long paths', { ...example, depth: 9 }, /depth: must be at most 8/],
    ['a seed beyond 32 bits', { ...example, seed: 2 ** 32 }, /seed: must be at most/],
    ['something unknown', { ...example, x: 1 }, /nrecognized|input/],
    ['nothing', undefined, /input/]
  ])('%s is refused with a message that says what is wrong', (_, input, message) => {
    expect(() => skill.plan(input)).toThrow(code('BAD_INPUT'))
    expect(() => skill.plan(input)).toThrow(message)
  })

  test('strangers’ units out of range are refused', () => {
    const { params, parts } = firstUnit(example)
    const unit = { params, dataSize: 0, partSizes: parts.map((part) => part.length) }
    expect(skill.checkUnit(unit).resultSize).toBe(160 * 100 * 12)
    const changed = (at: number, value: number) => ({ ...unit, params: params.with(at, value) })
    for (const bad of [
      { ...unit, params: [] },
      { ...unit, params: [...params, 0] },
      changed(0, 4096),
      changed(1, -1),
      changed(2, 0),
      changed(3, 4097),
      changed(4, 65),
      changed(5, 9),
      changed(6, 2 ** 32),
      changed(7, 0),
      changed(8, 257),
      changed(9, 6),
      changed(9, Number.NaN),
      { ...unit, params: params.with(2, 4096).with(3, 4096) },
      { ...unit, dataSize: 1 },
      { ...unit, partSizes: [] },
      { ...unit, partSizes: [...unit.partSizes, 4] }
    ]) {
      expect(() => skill.checkUnit(bad)).toThrow(code('BAD_UNIT'))
    }
  })

  test('a stranger’s scene of nonsense harms nothing', () => {
    const { params, parts } = firstUnit({ ...example, width: 4, height: 4 })
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (bytes) => {
        const part = Uint8Array.from({ length: parts[0]?.length ?? 0 }, () => bytes.next().value ?? 0)
        expect(compute({ params, data: new Uint8Array(0), parts: [part] })).toHaveLength(4 * 4 * 12)
      }),
      { numRuns: 20 }
    )
  })
})
