import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { skillList } from '../../../src/swarm/offered-skills.ts'
import { takeFile } from '../../../src/ui/file-drop.ts'
import {
  type Draft,
  draftFrom,
  draftInput,
  exampleDraft,
  fieldProblems,
  firstDraft,
  parseBudget
} from '../../../src/ui/form-model.ts'
import { ARRAY_FILE_MAX, JSON_FILE_MAX } from '../../../src/ui/input-file.ts'
import { randomInt8 } from '../../../src/ui/random-array.ts'

const SETTLED = 10_000_000n
const SKILLS = skillList()

function skillNamed(name: string) {
  const skill = SKILLS.find((each) => each.name === name)
  if (skill === undefined) throw new Error(`no skill ${name}`)
  return skill
}

const product = skillNamed('matmul-i8')

function drafted(change: Readonly<Record<string, string>>): Draft {
  const first = firstDraft(product)
  return { ...first, texts: { ...first.texts, m: '8', k: '16', n: '4', seed: '7', ...change } }
}

describe('the fields of a product', () => {
  it.each([
    ['m', '0', 'at least 1'],
    ['k', '-1', 'at least 1'],
    ['n', '4097', 'at most 4,096'],
    ['m', 'NaN', 'digits only'],
    ['m', '1e3', 'digits only'],
    ['m', '2.5', 'digits only'],
    ['m', '0x10', 'digits only'],
    ['m', '', 'whole number'],
    ['m', '９', 'digits only'],
    ['k', '9'.repeat(41), 'at most'],
    ['seed', '4294967296', 'at most 4,294,967,295'],
    ['seed', '-1', 'at least 0']
  ] as const)('refuse %s = %s', (field, value, message) => {
    const problems = fieldProblems(product, drafted({ [field]: value }))
    expect(Object.keys(problems)).toEqual([field])
    expect(problems[field]).toContain(message)
    expect(draftInput(product, drafted({ [field]: value }))).toEqual({ problems })
  })

  it('accept what they say they accept', () => {
    const side = fc.integer({ min: 1, max: 64 })
    fc.assert(
      fc.property(side, side, side, (m, k, n) => {
        const made = draftInput(product, drafted({ m: `${m}`, k: ` ${k} `, n: `${n}`, seed: '0' }))
        expect(made).toMatchObject({ input: { m, k, n, a: randomInt8(m * k, 0) } })
      })
    )
  })
})

describe('the budget', () => {
  it.each([
    ['0', 'at least 1'],
    ['-5', 'at least 1'],
    ['NaN', 'digits only'],
    ['Infinity', 'digits only'],
    ['10000001', 'balance of 10,000,000'],
    ['9007199254740992', 'at most'],
    ['9'.repeat(100_000), 'at most']
  ])('of %s is refused', (text, message) => {
    const parsed = parseBudget(text, SETTLED)
    expect('problem' in parsed ? parsed.problem : '').toContain(message)
  })

  it('is empty, or what there is at most', () => {
    expect(parseBudget(' ', SETTLED)).toEqual({ budget: undefined })
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: SETTLED }), (budget) => {
        expect(parseBudget(`${budget}`, SETTLED)).toEqual({ budget })
      })
    )
  })
})

describe.each(SKILLS)('the form of $name', (skill) => {
  it('begins with what the skill accepts, and so is its example', () => {
    expect(draftInput(skill, firstDraft(skill))).toHaveProperty('input')
    expect(draftInput(skill, exampleDraft(skill))).toEqual({ input: skill.example() })
  })

  it('never makes an input that the skill refuses, and names a field that there is', () => {
    const names = [...skill.fields.map(({ name }) => name), 'seed', 'database-rows', 'queries-rows', '']
    const text = fc.oneof(fc.string(), fc.nat(3000).map(String), fc.double().map(String), fc.json())
    fc.assert(
      fc.property(fc.constantFrom(...names), text, (name, value) => {
        const draft = exampleDraft(skill)
        const made = draftInput(skill, { ...draft, texts: { ...draft.texts, [name]: value } })
        if ('input' in made) expect(skill.check(made.input)).toEqual([])
        else for (const field of Object.keys(made.problems)) expect(names).toContain(field)
      })
    )
  })

  it('is filled by a file with the whole input', async () => {
    const example = skill.example()
    const json = JSON.stringify(example, (_, part) =>
      ArrayBuffer.isView(part) ? Array.from(part as Int8Array) : part
    )
    const taken = await takeFile(skill, new File([json], 'input.json'), undefined)
    expect('change' in taken ? draftInput(skill, taken.change) : taken).toEqual({ input: example })
  })

  it('takes nothing from what is no input', () => {
    for (const nothing of [null, 5, 'text', undefined]) {
      expect(draftFrom(skill, nothing)).toEqual({ texts: {}, arrays: {} })
    }
  })
})

/** A file that claims to be large, and fails the test if a byte of it is read. */
function huge(name: string, size: number): File {
  const file = new File([], name)
  Object.defineProperty(file, 'size', { value: size })
  const read = () => expect.unreachable('the file was read')
  return Object.assign(file, { arrayBuffer: read, text: read })
}

describe('a file', () => {
  it.each([
    ['a.bin', 'a', ARRAY_FILE_MAX + 1],
    ['a.json', 'a', JSON_FILE_MAX + 1],
    ['all.json', undefined, JSON_FILE_MAX + 1],
    ['movie.mp4', undefined, 5e10]
  ])('%s for %s of %i bytes is refused before it is read', async (name, field, size) => {
    const taken = await takeFile(product, huge(name, size), field)
    expect(taken).toMatchObject({
      field: field ?? '',
      problem: expect.stringMatching(/more than|Only a JSON/)
    })
  })

  it('of bytes is a matrix', async () => {
    const taken = await takeFile(product, new File([new Int8Array([1, -2, 3])], 'a.bin'), 'a')
    expect(taken).toMatchObject({
      change: { arrays: { a: { kind: 'file', name: 'a.bin', values: Int8Array.of(1, -2, 3) } } }
    })
  })

  it.each([
    ['[1, 2, 300]', 'Element 2'],
    ['[1, "<b>"]', 'Element 1'],
    ['{"a": 1}', 'list of numbers'],
    ['[1,', 'no JSON'],
    ['[{"valueOf": 1, "toString": 1}]', 'Element 0'],
    ['['.repeat(50_000) + ']'.repeat(50_000), 'Element 0']
  ])('of %s is no matrix', async (text, problem) => {
    const taken = await takeFile(product, new File([text], 'a.json'), 'a')
    expect(taken).toMatchObject({ field: 'a', problem: expect.stringContaining(problem) })
  })

  it('whose lists have no end is no scene, and one of odd objects no view', async () => {
    const deep = new File(['['.repeat(100_000) + ']'.repeat(100_000)], 'scene.json')
    const taken = await takeFile(skillNamed('render-tile'), deep, 'scene')
    expect(taken).toMatchObject({ field: 'scene', problem: expect.stringContaining('no JSON') })
    const odd = await takeFile(
      skillNamed('mandelbrot'),
      new File(['{"x": {"toString": 1}}'], 'a.json'),
      undefined
    )
    expect(odd).toMatchObject({ change: { texts: { x: '{"toString":1}' } } })
  })

  it('must have whole elements', async () => {
    const taken = await takeFile(skillNamed('matmul-f32'), new File(['12345'], 'a.bin'), 'a')
    expect(taken).toMatchObject({ problem: expect.stringContaining('4 bytes each') })
  })

  it('of the wrong length is said so at its field, by the skill', () => {
    const draft = drafted({})
    const source = { kind: 'file' as const, name: 'a', values: new Int8Array(3) }
    const made = draftInput(product, { ...draft, arrays: { ...draft.arrays, a: source } })
    expect(made).toEqual({ problems: { a: 'Must have m · k elements.' } })
  })
})
