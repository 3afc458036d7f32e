import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PlaneView } from '../../../src/ui/mandelbrot-zoom.ts'
import { PLANE_KEY, PlaneBook } from '../../../src/ui/plane-book.ts'

/** As much of a browser's as the book uses. */
function storage(kept = new Map<string, string>()): Storage {
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => void kept.set(key, text),
    removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    key: () => null,
    get length() {
      return kept.size
    }
  }
}

const view = fc.record({
  x: fc.constantFrom('-0.75', '1e-20', '2'),
  y: fc.constantFrom('0', '-1.25'),
  span: fc.constantFrom('3.2', '1e-40'),
  width: fc.integer({ min: 1, max: 4096 }),
  height: fc.integer({ min: 1, max: 4096 }),
  iterations: fc.integer({ min: 1, max: 65_535 })
}) satisfies fc.Arbitrary<PlaneView>
const job = fc.constantFrom(...Array.from({ length: 90 }, (_, index) => `job-${index}`))

describe('the book of views', () => {
  test('has what each job looks at, over a reload: of the newest 64', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(job, view), { maxLength: 120 }), (given) => {
        const kept = storage()
        for (const [id, each] of given) new PlaneBook(() => kept).put(id, each)
        const newest = new Map<string, PlaneView>()
        for (const [id, each] of given) {
          newest.delete(id)
          newest.set(id, each)
        }
        const order = [...newest].toReversed()
        for (const [place, [id, each]] of order.entries()) {
          expect(new PlaneBook(() => kept).get(id)).toEqual(place < 64 ? each : undefined)
        }
      })
    )
  })

  test('that is damaged has only what is a view, and takes the next one', () => {
    const good = { x: '0', y: '0', span: '1', width: 2, height: 2, iterations: 9 }
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const kept = storage(new Map([[PLANE_KEY, text]]))
        const book = new PlaneBook(() => kept)
        expect(() => book.get('job')).not.toThrow()
        book.put('job', good)
        expect(book.get('job')).toEqual(good)
      })
    )
    const odd = JSON.stringify([['a', { ...good, x: '<b>' }], null, ['b', good], ['c']])
    const book = new PlaneBook(() => storage(new Map([[PLANE_KEY, odd]])))
    expect([book.get('a'), book.get('b'), book.get('c')]).toEqual([undefined, good, undefined])
  })

  test('where nothing may be stored is empty, and says nothing', () => {
    const book = new PlaneBook(() => {
      throw new DOMException('Denied.', 'SecurityError')
    })
    book.put('job', { x: '0', y: '0', span: '1', width: 2, height: 2, iterations: 9 })
    expect(book.get('job')).toBeUndefined()
  })
})
