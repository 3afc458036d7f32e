import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { expect, test } from 'vitest'
import { chunksOf, Reassembly } from '../../../src/jobs/chunks.ts'
import { CHUNK_MAX } from '../../../src/wire/index.ts'

test.each([0, 1, CHUNK_MAX - 1, CHUNK_MAX, CHUNK_MAX + 1, 3 * CHUNK_MAX])(
  '%i bytes come together again',
  (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 31)
    const whole = new Reassembly(size)
    for (const chunk of chunksOf(bytes)) {
      expect(chunk.bytes.byteLength).toBeLessThanOrEqual(CHUNK_MAX)
      whole.add(chunk.offset, chunk.bytes)
    }
    expect(whole.isComplete).toBe(true)
    expect(equals(whole.bytes, bytes)).toBe(true)
  }
)

test('a chunk out of order, twice, or beyond the size is refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(200), fc.nat(200), (size, offset, length) => {
      fc.pre(offset !== 0 || length > size)
      const whole = new Reassembly(size)
      expect(() => whole.add(offset, new Uint8Array(length))).toThrow(
        expect.objectContaining({ code: 'PROTOCOL' })
      )
      expect(whole.isComplete).toBe(false)
    })
  )
})
