import { inflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, smallPng } from '../../../scripts/shots/small-png.ts'
import { encodePng } from '../../../src/cli/demo/png.ts'

/** Data of the first chunk of that type. */
function chunkOf(png: Uint8Array, type: string): Buffer {
  const bytes = Buffer.from(png)
  const at = bytes.indexOf(type, 8, 'latin1')
  return bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4))
}

/** Colours of a palette picture, row by row. */
function paletteColours(png: Uint8Array, width: number): number[] {
  const palette = chunkOf(png, 'PLTE')
  const rows = inflateSync(chunkOf(png, 'IDAT'))
  return [...rows].filter((_, at) => at % (width + 1) !== 0).map((index) => palette.readUIntBE(index * 3, 3))
}

const picture = fc
  .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }) })
  .chain(({ width, height }) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      rgb: fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
    })
  )

describe('a picture of the page', () => {
  it('of at most 256 colours keeps each of them', () => {
    fc.assert(
      fc.property(picture, ({ width, height, rgb }) => {
        const png = encodePng(width, height, rgb)
        expect(decode(png)).toEqual({ width, height, rgb })
        const colours = Array.from({ length: width * height }, (_, at) =>
          Buffer.from(rgb).readUIntBE(at * 3, 3)
        )
        expect(paletteColours(smallPng(png), width)).toEqual(colours)
      })
    )
  })

  it('of more has the nearest of the commonest', () => {
    // 300 colours of one pixel each
    const rgb = Uint8Array.from({ length: 300 * 3 }, (_, at) =>
      at % 3 === 0 ? Math.floor(at / 3) >> 8 : Math.floor(at / 3)
    )
    const shown = paletteColours(smallPng(encodePng(300, 1, rgb)), 300)
    expect(new Set(shown).size).toBeLessThanOrEqual(256)
    expect(shown[0]).toBe(0)
  })

  it('that is no RGB is refused', () => {
    const grey = Buffer.from(encodePng(1, 1, new Uint8Array(3)))
    grey[25] = 0
    expect(() => smallPng(grey)).toThrow('8-bit RGB')
  })
})
