import { crc32, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePng } from '../../../src/cli/demo/png.ts'

/** Chunks of a PNG by type, as ISO/IEC 15948 says; throws where a checksum is wrong. */
function chunksOf(file: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(file)
  expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    const body = bytes.subarray(at + 4, at + 8 + size)
    expect(bytes.readUInt32BE(at + 8 + size)).toBe(crc32(body))
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4))
    at += 12 + size
  }
  return chunks
}

test('a PNG holds the size and every pixel', () => {
  const side = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(side, side, fc.infiniteStream(fc.nat({ max: 255 })), (width, height, stream) => {
      const rgb = Uint8Array.from({ length: width * height * 3 }, () => stream.next().value ?? 0)
      const chunks = chunksOf(encodePng(width, height, rgb))
      expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND'])
      const header = chunks.get('IHDR') ?? Buffer.alloc(0)
      expect([header.readUInt32BE(0), header.readUInt32BE(4), ...header.subarray(8)]).toEqual([
        width,
        height,
        ...[8, 2, 0, 0, 0]
      ])
      const rows = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0))
      const pixels = [...rows].filter((_, at) => at % (width * 3 + 1) !== 0)
      expect(pixels).toEqual([...rgb])
    })
  )
})
