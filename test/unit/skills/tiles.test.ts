import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutTiles } from '../../../src/skills/picture/tiles.ts'
import { UNIT_BYTES_MAX, UNITS_MAX } from '../../../src/wire/index.ts'

const side = fc.oneof(fc.constantFrom(1, 4095, 4096), fc.integer({ min: 1, max: 4096 }))
const wishes = fc.record({
  width: side,
  height: side,
  bytes: fc.constantFrom(4, 12),
  pixels: fc.oneof(fc.constantFrom(0, 1e9), fc.double({ min: 1, max: 1e6, noNaN: true })),
  count: fc.option(fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 10 ** 6 })), {
    nil: undefined
  })
})

test('tiles cover a picture once, each within 4 MiB, and are not too many', () => {
  fc.assert(
    fc.property(wishes, (wish) => {
      const tiles = cutTiles(wish)
      const sizes = tiles.map(({ columns, rows }) => columns * rows)
      expect(sizes.reduce((sum, size) => sum + size)).toBe(wish.width * wish.height)
      expect(Math.max(...sizes) * wish.bytes).toBeLessThanOrEqual(UNIT_BYTES_MAX)
      expect(Math.min(...sizes)).toBeGreaterThan(0)
      expect(tiles.length).toBeLessThanOrEqual(UNITS_MAX)
      const places = new Set(tiles.map(({ left, top }) => top * 4096 + left))
      expect(places.size).toBe(tiles.length)
      // an `expect` a tile would take longer than the cutting
      expect(Math.max(...tiles.map(({ left, columns }) => left + columns))).toBe(wish.width)
      expect(Math.max(...tiles.map(({ top, rows }) => top + rows))).toBe(wish.height)
    })
  )
})

test('a wish for a number of tiles is kept, and their sides are alike', () => {
  const wish = { width: 640, height: 400, bytes: 4, pixels: 1 }
  for (const count of [1, 4, 6, 7, 12, 24, 100]) {
    expect(cutTiles({ ...wish, count })).toHaveLength(count)
  }
  const [tile] = cutTiles({ ...wish, count: 24 })
  expect(tile).toEqual({ left: 0, top: 0, columns: 106, rows: 100 })
})
