import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Specialism, THRESHOLD_START } from '../../../src/router/index.ts'

const names = ['a', 'b', 'c', 'd']
const skills = names.map((name) => ({ name }))

describe('a provider that performs skills', () => {
  test('starts without a preference', () => {
    const specialism = new Specialism(names)
    expect(specialism.order(skills)).toEqual(skills)
    expect(names.map((name) => specialism.of(name))).toEqual(names.map(() => THRESHOLD_START))
  })

  test('answers first what it did last and most', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names)), fc.constantFrom(...names), (before, often) => {
        const specialism = new Specialism(names)
        for (const skill of [...before, ...new Array<string>(4).fill(often)]) {
          specialism.performed(skill)
        }
        expect(specialism.order(skills)[0]?.name).toBe(often)
        expect(
          specialism
            .order(skills)
            .map(({ name }) => name)
            .sort()
        ).toEqual(names)
      })
    )
  })

  test('goes on where its last life ended, without the skills that are no more', () => {
    const before = new Specialism([...names, 'gone'])
    before.performed('gone')
    before.performed('c')
    const after = new Specialism(names)
    after.remember(before.entries())
    expect(after.order(skills)[0]?.name).toBe('c')
    expect(after.entries().map(([name]) => name)).toEqual(names)
  })
})
