import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { encodeFrame, FrameDecoder } from '../../../src/net/frame-codec.ts'
import { decode, encode, WireError } from '../../../src/wire/index.ts'

const LIMIT = 70_000

function decodeAll(chunks: Uint8Array[], limit = LIMIT) {
  const decoder = new FrameDecoder(limit)
  const frames: unknown[] = []
  let total = 0
  for (const chunk of chunks) {
    decoder.push(chunk, (body, wireSize) => {
      frames.push(decode(body.slice(), z.unknown(), limit))
      total += wireSize
      return true
    })
  }
  return { frames, total, partial: decoder.partial }
}

function cut(bytes: Uint8Array, points: number[]): Uint8Array[] {
  const ends = [...new Set(points.map((point) => point % (bytes.byteLength + 1)))].sort((a, b) => a - b)
  const starts = [0, ...ends]
  return starts.map((start, i) => bytes.slice(start, starts[i + 1]))
}

const frame = fc.oneof(
  fc.record({ t: fc.string(), n: fc.integer() }),
  fc
    .integer({ min: 0, max: 17_000 })
    .map((size) => ({ size, hex: Buffer.alloc(size, size).toString('latin1') }))
)

describe('frame codec', () => {
  test('frames survive any cutting into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (frames, points) => {
          const encoded = frames.map((one) => encodeFrame(one, LIMIT))
          const bytes = new Uint8Array(Buffer.concat(encoded))
          const decoded = decodeAll(cut(bytes, points))
          expect(decoded.frames).toEqual(frames)
          expect(decoded.total).toBe(bytes.byteLength)
          expect(decoded.partial).toBe(false)
        }
      ),
      { numRuns: 100 }
    )
  })

  test('any bytes at all give frames, a partial frame or a WireError, never more memory than the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const decoder = new FrameDecoder(64)
        try {
          decoder.push(bytes, (body) => {
            expect(body.byteLength).toBeLessThanOrEqual(64)
            return true
          })
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      })
    )
  })

  test('stops in mid-chunk when told to', () => {
    const bytes = new Uint8Array(Buffer.concat([encodeFrame(1, 9), encodeFrame(2, 9)]))
    let seen = 0
    new FrameDecoder(9).push(bytes, () => ++seen < 1)
    expect(seen).toBe(1)
  })

  test.each([
    ['a length that never ends', [0xff, 0xff, 0xff, 0xff, 0xff], 'MALFORMED'],
    ['an empty frame', [0], 'MALFORMED'],
    ['a length in a longer form than needed', [0x81, 0x00, 1], 'MALFORMED'],
    ['a length above the limit', [0xff, 0xff, 0x7f], 'TOO_LARGE']
  ])('refuses %s', (_, bytes, code) => {
    expect(() => decodeAll([new Uint8Array(bytes)])).toThrow(expect.objectContaining({ code }))
  })

  test('refuses to encode beyond the limit', () => {
    const value = { bytes: new Uint8Array(100) }
    const size = encode(value).byteLength
    expect(encodeFrame(value, size).byteLength).toBe(size + 1)
    expect(() => encodeFrame(value, size - 1)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })
})
