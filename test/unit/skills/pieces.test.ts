import { expect, test } from 'vitest'
import type {
  KnnOutput,
  MandelbrotOutput,
  MatmulOutput,
  RenderOutput,
  Skill
} from '../../../src/skills/index.ts'
import { SKILLS, skillByName } from '../../../src/skills/index.ts'

// Who streams an output has only what docs/SKILLS.md says of each piece: here outputs are put together by that alone.

interface Piece {
  readonly place: Readonly<Record<string, number>>
  readonly view: DataView
}

function computed(skill: Skill, input: unknown, units: number): { pieces: Piece[]; output: unknown } {
  const plan = skill.plan(input, { units })
  const assembler = plan.assembler()
  const pieces = plan.units.map(({ params, data, parts, place = {} }, unit) => {
    const work = skill.cpu({ params, data, parts: parts.map((part) => plan.parts[part] ?? new Uint8Array()) })
    let step = work.next()
    while (step.done !== true) {
      step = work.next()
    }
    assembler.accept(unit, step.value)
    return { place, view: new DataView(step.value.slice().buffer) }
  })
  expect(pieces.length).toBeGreaterThan(1)
  return { pieces, output: assembler.finish() }
}

/** Rectangles of `channels` 32-bit numbers. */
function laid<Numbers extends Float32Array | Int32Array | Uint32Array>(
  pieces: readonly Piece[],
  into: Numbers,
  width: number,
  channels: number,
  read: (view: DataView, at: number) => number
): Numbers {
  for (const { place, view } of pieces) {
    const { top = 0, left = 0, rows = 0, columns = 0 } = place
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < columns * channels; i++) {
        into[((top + row) * width + left) * channels + i] = read(view, (row * columns * channels + i) * 4)
      }
    }
  }
  return into
}

const int32 = (view: DataView, at: number) => view.getInt32(at, true)
const uint32 = (view: DataView, at: number) => view.getUint32(at, true)
const float32 = (view: DataView, at: number) => view.getFloat32(at, true)

test.each([
  ['matmul-i8', Int8Array, Int32Array, int32],
  ['matmul-f32', Float32Array, Float32Array, float32]
] as const)('blocks of %s', (name, Matrix, Result, read) => {
  const [m, k, n] = [37, 20, 41]
  const matrix = (length: number) => new Matrix(Array.from({ length }, (_, i) => ((i * 37) % 19) - 9))
  const { pieces, output } = computed(skillByName(name), { a: matrix(m * k), b: matrix(k * n), m, k, n }, 6)
  expect(laid(pieces, new Result(m * n), n, 1, read)).toEqual((output as MatmulOutput).c)
})

test('tiles of mandelbrot', () => {
  const input = { x: '-0.75', y: '0.1', span: '0.05', width: 90, height: 70, iterations: 60 }
  const { pieces, output } = computed(skillByName('mandelbrot'), input, 6)
  expect(laid(pieces, new Uint32Array(90 * 70), 90, 1, uint32)).toEqual((output as MandelbrotOutput).counts)
})

test('tiles of render-tile', () => {
  const example = skillByName('render-tile').example() as object // a scene and its numbers
  const input = { ...example, width: 40, height: 30, samples: 1, depth: 2 }
  const { pieces, output } = computed(skillByName('render-tile'), input, 4)
  expect(laid(pieces, new Float32Array(40 * 30 * 3), 40, 3, float32)).toEqual(
    (output as RenderOutput).radiance
  )
})

test('lists of knn-i8', () => {
  const [dims, rows, queries, top] = [512, 9_000, 5, 3] // rows of more than one shard
  const vectors = (count: number, salt: number) =>
    Int8Array.from({ length: count * dims }, (_, i) => Math.imul(i + salt, 2_654_435_761) >>> 25)
  const input = { database: vectors(rows, 1), queries: vectors(queries, 9), dims, top, metric: 'dot' }
  const { pieces, output } = computed(skillByName('knn-i8'), input, 4)
  const found = Array.from({ length: queries }, (): Array<{ id: number; score: number }> => [])
  for (const { place, view } of pieces) {
    const { firstQuery = 0, firstRow = 0, queries: count = 0 } = place
    for (let query = 0; query < count; query++) {
      for (
        let at = (query * view.byteLength) / count;
        at < ((query + 1) * view.byteLength) / count;
        at += 8
      ) {
        if (uint32(view, at) !== 2 ** 32 - 1) {
          found[firstQuery + query]?.push({ id: firstRow + uint32(view, at), score: int32(view, at + 4) })
        }
      }
    }
  }
  const best = found.flatMap((list) => list.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, top))
  const { ids, scores } = output as KnnOutput
  expect(best.map(({ id }) => id)).toEqual([...ids])
  expect(best.map(({ score }) => score)).toEqual([...scores])
})

test('every skill says the place of its units', () => {
  for (const skill of SKILLS.values()) {
    for (const { place } of skill.plan(skill.example()).units) {
      expect(Object.keys(place ?? {}).length, skill.manifest.name).toBeGreaterThan(0)
    }
  }
})
