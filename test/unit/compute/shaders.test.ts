import { describe, expect, test } from 'vitest'
import { faultsOf } from '../../../scripts/validate-shaders.ts'
import { findUnboundedLoops } from '../../../scripts/wgsl-lint.ts'
import { SKILLS, type Skill } from '../../../src/skills/index.ts'

const variants = [...SKILLS.values()].flatMap((skill) =>
  skill.variants.map((variant) => [`${skill.manifest.name}/${variant.name}`, skill, variant] as const)
)

describe('every shader', () => {
  test.each(variants)(
    '%s compiles with Tint, fits its bindings, and has no endless loop',
    async (_, skill, variant) => {
      expect(await faultsOf(skill, variant)).toEqual([])
    }
  )

  test.each([
    ['a type error', 'fn main() { let x: i32 = 1.5; }', /line 1: .*i32/],
    [
      'another binding',
      '@group(0) @binding(7) var<storage, read_write> c: array<u32>; @compute @workgroup_size(1) fn main() { c[0] = 1u; }',
      /[Bb]inding/
    ],
    ['no entry point', 'fn other() {}', /entry point|main/i]
  ])('%s is found', async (_, wgsl, expected) => {
    const [skill] = SKILLS.values()
    const faults = await faultsOf(skill as Skill, { name: 'broken', wgsl, needs: [] })
    expect(faults.join('\n')).toMatch(expected)
  })

  test('a feature that no device has is a fault of the variant', async () => {
    const [skill] = SKILLS.values()
    await expect(faultsOf(skill as Skill, { name: 'x', wgsl: '', needs: ['quantum'] })).rejects.toThrow(
      /quantum/
    )
  })
})

const body = (text: string) =>
  `const SIDE = 64u;\nfn f(n: u32, p: Shape) {\n  let clamped = clamp(n, 1u, 4096u);\n  let half = (clamped + 3u) / 2u;\n  ${text}\n}`

describe('the lint for endless loops', () => {
  test.each([
    'for (var i = 0u; i < 16u; i++) { x += i; }',
    'for (var i = 0u; i < SIDE; i += 4u) { }',
    'for (var i = 0u; i < clamped; i++) { for (var j = 0u; j < half; j++) { x[j] = i; } }',
    'for (var i = 0; i <= i32(min(p.rows, 100u)); i++) { if (x) { break; } }',
    'for (var i = 0u; i < min(n, SIDE * 2u); i++) { }',
    'for (var i = 0u; i < max(clamped, SIDE); i += SIDE) { y.i = 3; }',
    'for (var i = 0u; i < clamped >> 2u; i++) { }',
    'for (var i = 0u; i < (p.rows & 255u); i++) { }',
    'for (var i = clamped; i > 0u; i--) { }',
    '/* for (;;) { } */ // while (true) { }'
  ])('allows %s', (text) => {
    expect(findUnboundedLoops(body(text))).toEqual([])
  })

  test.each([
    'loop { if (x) { break; } }',
    'while (x < 3) { x++; }',
    'for (;;) { }',
    'for (var i = 0u; i < n; i++) { }',
    'for (var i = 0u; i < p.rows; i++) { }',
    'for (var i = 0u; i < data[0]; i++) { }',
    'for (var i = 0u; i < arrayLength(&data); i++) { }',
    'for (var i = 0u; i < max(n, 4u); i++) { }',
    'for (var i = 0u; i < clamped - 1u; i++) { }',
    'for (var i = 0u; i < 4294967295u; i++) { }',
    'for (var i = 0u; i < clamped * clamped * 2u; i++) { }',
    'for (var i = 0u; i < 16u; i += 0u) { }',
    'for (var i = 0u; i < 16u; i += n) { }',
    'for (var i = 1u; i < 16u; i *= 2u) { }',
    'for (var i = 0u; i < 16u; i--) { }',
    'for (var i = 0u; j < 16u; i++) { }',
    'for (var i = 0u; i < 16u; i++) { i = 0u; }',
    'for (var i = 0u; i < 16u; i++) { reset(&i); }',
    'for (var i = 0u; i < 16u; i++) { let p = &i; }',
    'for (var i = 0.0; i < 16.0 / 0.001; i += 1.0) { }',
    'for (var i = 0u; i < clamped / p.rows; i++) { }',
    'for (var i = n; i > 0u; i--) { }',
    'for (var i = 9i; i >= 0i; i--) { }',
    'var bound = 16u; for (var i = 0u; i < bound; i++) { }',
    '{ let n = 4u; } for (var i = 0u; i < n; i++) { }',
    '{ let clamped = n; for (var i = 0u; i < clamped; i++) { } }'
  ])('refuses %s', (text) => {
    const faults = findUnboundedLoops(body(text))
    expect(faults).toHaveLength(1)
    expect(faults[0]?.line).toBe(5)
  })

  test('a limit of one function is none of the next, and a module’s variable has none', () => {
    const wgsl = `var<private> n: u32;\nfn a() { let n = 4u; }\nfn b() { for (var i = 0u; i < n; i++) { } }`
    expect(findUnboundedLoops(wgsl).map(({ line }) => line)).toEqual([3])
  })
})
