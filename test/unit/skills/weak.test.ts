import { describe, expect, test } from 'vitest'
import { skillByName } from '../../../src/skills/index.ts'

const int8s = (length: number) => new Int8Array(length)
const floats = (length: number) => new Float32Array(length)
const view = { x: '0', y: '0', span: '1', iterations: 100 }

/** What the plan says of the checks of a job's units. */
function checks(skill: string, input: unknown): unknown {
  const found = new Set(
    skillByName(skill)
      .plan(input)
      .units.map(({ check }) => check)
  )
  return [...found]
}

describe.each([
  ['matmul-i8', int8s],
  ['matmul-f32', floats]
])('a product of %s', (skill, make) => {
  test.each([
    [64, 64, 64, true],
    [256, 256, 256, true],
    [512, 512, 512, false],
    [1024, 1024, 1024, false],
    [1, 512, 512, true],
    [1, 4096, 4096, skill === 'matmul-i8']
  ])('%i × %i × %i', (m, k, n, isWeak) => {
    expect(checks(skill, { a: make(m * k), b: make(k * n), m, k, n })).toEqual([isWeak ? 'weak' : undefined])
  })
})

test.each([
  [16_384, 1, true],
  [16_384, 31, true],
  [16_384, 1024, false],
  [16_384, 40, true],
  [100, 100, true]
])('a search of %i rows for %i queries', (rows, queries, isWeak) => {
  const input = {
    database: int8s(rows * 128),
    queries: int8s(queries * 128),
    dims: 128,
    top: 10,
    metric: 'l2'
  }
  expect(checks('knn-i8', input)).toEqual([isWeak ? 'weak' : undefined])
})

test.each([
  [16, true],
  [32, false],
  [256, false]
])('a picture of %i pixels a side', (side, isWeak) => {
  const size = { width: side, height: side }
  const scene = skillByName('render-tile').example() as object
  expect(checks('mandelbrot', { ...view, ...size })).toEqual([isWeak ? 'weak' : undefined])
  expect(checks('render-tile', { ...scene, ...size })).toEqual([isWeak ? 'weak' : undefined])
})
