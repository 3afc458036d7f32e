import { describe, expect, it } from 'vitest'
import { inputFields, inputIssues, SKILLS, skillByName } from '../../../src/skills/index.ts'

describe('the fields of an input', () => {
  it.each([...SKILLS.values()])('of $manifest.name are those of its example, which has no issue', (skill) => {
    expect(inputFields(skill).map(({ name }) => name)).toEqual(Object.keys(Object(skill.example())))
    expect(inputIssues(skill, skill.example())).toEqual([])
  })

  it('have kinds and limits', () => {
    expect(inputFields(skillByName('knn-i8'))).toMatchObject([
      { name: 'database', kind: 'array', element: 'Int8Array' },
      { name: 'queries', kind: 'array' },
      { name: 'dims', kind: 'integer', least: 1, most: 2048 },
      { name: 'top', kind: 'integer', least: 1, most: 32 },
      { name: 'metric', kind: 'choice', options: ['dot', 'l2'] }
    ])
    expect(inputFields(skillByName('mandelbrot'))).toMatchObject([
      { name: 'x', kind: 'text' },
      { name: 'y', kind: 'text' },
      { name: 'span', kind: 'text' },
      { name: 'width', kind: 'integer', least: 1, most: 4096 },
      { name: 'height' },
      { name: 'iterations', most: 65_535 }
    ])
    expect(inputFields(skillByName('render-tile'))[0]).toMatchObject({ name: 'scene', kind: 'data' })
  })
})

describe('the issues of an input', () => {
  it('name the member and the place in it', () => {
    const skill = skillByName('render-tile')
    const example = Object(skill.example())
    const wrong = { ...example, width: 0, scene: { ...example.scene, camera: 5 }, more: 1 }
    expect(inputIssues(skill, wrong)).toMatchObject([
      { field: 'scene', message: expect.stringMatching(/^camera: /) },
      { field: 'width', message: 'must be at least 1' },
      { field: '' }
    ])
  })

  it.each([[undefined], [null], [5], ['text'], [[]]])('of %s are not none', (nothing) => {
    for (const skill of SKILLS.values()) {
      expect(inputIssues(skill, nothing).length).toBeGreaterThan(0)
    }
  })
})
