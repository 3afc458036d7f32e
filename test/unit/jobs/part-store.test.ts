import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PartStore } from '../../../src/jobs/part-store.ts'

const LIMIT = 100
const bytes = (size: number) => new Uint8Array(size)

function bring(store: PartStore, payer: string, hash: string, size: number) {
  const shelf = store.shelf(payer)
  shelf.expect(hash, size)
  shelf.keep(hash, bytes(size))
  return shelf
}

describe('the inputs that a provider keeps', () => {
  test('are there for the next job of the same payer, and of no other', () => {
    const store = new PartStore(LIMIT)
    bring(store, 'alice', 'matrix', 10).close()
    const next = store.shelf('alice')
    expect(next.recall('matrix')).toBe(true)
    expect(next.get('matrix')).toHaveLength(10)
    expect(store.shelf('bob').recall('matrix')).toBe(false)
  })

  test('make room least recently used first, but not while a job holds them', () => {
    const store = new PartStore(LIMIT)
    const running = bring(store, 'alice', 'held', 40)
    bring(store, 'alice', 'old', 20).close()
    bring(store, 'alice', 'older', 20).close()
    store.shelf('alice').recall('nothing')
    const again = store.shelf('alice')
    again.recall('old') // used again: now `older` is the oldest
    again.close()
    bring(store, 'alice', 'new', 40).close()
    const look = store.shelf('alice')
    expect(['held', 'old', 'older', 'new'].filter((hash) => look.recall(hash))).toEqual([
      'held',
      'old',
      'new'
    ])
    look.close()
    const code = expect.objectContaining({ code: 'BUSY', retryable: true })
    expect(() => store.shelf('bob').expect('huge', 61)).toThrow(code)
    running.close()
    store.shelf('bob').expect('huge', 61)
  })

  test('the same part from two streams at once is kept once', () => {
    const store = new PartStore(LIMIT)
    const [one, two] = [store.shelf('alice'), store.shelf('alice')]
    one.expect('matrix', 30)
    two.expect('matrix', 30)
    expect(store.bytes).toBe(60)
    one.keep('matrix', bytes(30))
    two.keep('matrix', bytes(30))
    expect(store.bytes).toBe(30)
    one.close()
    store.clear()
    expect(two.get('matrix')).toHaveLength(30)
    expect(store.bytes).toBe(30)
    two.close()
    store.clear()
    expect(store.bytes).toBe(0)
  })

  test('never exceed the quota, and all of it comes free again, whatever happens in whatever order', () => {
    const step = fc.record({
      act: fc.constantFrom('expect', 'keep', 'recall', 'close'),
      shelf: fc.nat(3),
      hash: fc.constantFrom('a', 'b', 'c', 'd')
    })
    const sizes: Record<string, number> = { a: 10, b: 30, c: 50, d: 70 }
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new PartStore(LIMIT)
        const shelves = [0, 1, 2, 3].map((i) => ({
          shelf: store.shelf(`payer${i % 2}`),
          coming: new Set<string>()
        }))
        for (const { act, shelf: i, hash } of steps) {
          const { shelf, coming } = shelves[i] as (typeof shelves)[0]
          if (act === 'expect' && !coming.has(hash)) {
            try {
              shelf.expect(hash, sizes[hash] ?? 0)
              coming.add(hash)
            } catch {} // no room: as it should be
          } else if (act === 'keep' && coming.delete(hash)) {
            shelf.keep(hash, bytes(sizes[hash] ?? 0))
            expect(shelf.get(hash)).toHaveLength(sizes[hash] ?? 0)
          } else if (act === 'recall') {
            expect(shelf.recall(hash)).toBe(shelf.get(hash) !== undefined)
          } else if (act === 'close') {
            shelf.close()
            coming.clear()
          }
          expect(store.bytes).toBeLessThanOrEqual(LIMIT)
        }
        for (const { shelf } of shelves) {
          shelf.close()
        }
        store.clear()
        expect(store.bytes).toBe(0)
      })
    )
  })
})
