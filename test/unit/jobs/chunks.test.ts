import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { describe, expect, test } from 'vitest'
import { ArrivingPart, chunkHashes, chunksOf, partHash, Reassembly } from '../../../src/jobs/chunks.ts'
import { CHUNK_MAX, PART_CHUNKS_MAX, sha256 } from '../../../src/wire/index.ts'

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

/** Of docs/PROTOCOL.md: 262,145 bytes of 0xab, and no bytes. */
const VECTOR = 'f13dff14c5380b26cf66a62c3b5d485026185760ee281dd116ac00e2072e97e8'
const VECTOR_EMPTY = '5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456'

describe('a shared part', () => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 3 * CHUNK_MAX }),
    fc.constantFrom(0, 1, CHUNK_MAX, 2 * CHUNK_MAX)
  )
  const bytesOf = (length: number, seed: number) =>
    Uint8Array.from({ length }, (_, at) => Math.imul(at + seed, 2_654_435_761) >>> 24)

  test('arrives whole by its chunks, each checked', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), async (length, seed) => {
        const bytes = bytesOf(length, seed)
        const chunks = await chunkHashes(bytes)
        expect(chunks.length).toBeLessThanOrEqual(PART_CHUNKS_MAX)
        const part = await ArrivingPart.announced(await partHash(chunks), length, chunks)
        for (const chunk of chunksOf(bytes)) {
          expect(part.isComplete).toBe(false)
          await part.add(chunk.offset, chunk.bytes)
        }
        expect(part.isComplete).toBe(true)
        expect(equals(part.bytes, bytes)).toBe(true)
      })
    )
  })

  test('is refused at the very chunk that is not its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 * CHUNK_MAX }), fc.nat(), async (length, place) => {
        const bytes = bytesOf(length, 1)
        const chunks = await chunkHashes(bytes)
        const part = await ArrivingPart.announced(await partHash(chunks), length, chunks)
        const at = place % length
        const forged = bytes.map((byte, i) => (i === at ? byte ^ 0x80 : byte))
        for (const chunk of chunksOf(forged)) {
          const arriving = part.add(chunk.offset, chunk.bytes)
          if (Math.floor(chunk.offset / CHUNK_MAX) === Math.floor(at / CHUNK_MAX)) {
            await expect(arriving).rejects.toMatchObject({ code: 'PROTOCOL' })
            return
          }
          await arriving
        }
        expect.unreachable('the forged chunk was taken')
      })
    )
  })

  test('is not announced by other hashes, by fewer, or for another size', async () => {
    const bytes = bytesOf(2 * CHUNK_MAX, 1)
    const chunks = await chunkHashes(bytes)
    const hash = await partHash(chunks)
    const [first = hash] = chunks
    for (const [name, length, list] of [
      [await sha256(bytes), bytes.length, chunks],
      [hash, bytes.length, [first, first]],
      [hash, bytes.length, [first]],
      [hash, bytes.length + 1, chunks],
      [hash, CHUNK_MAX, chunks]
    ] as const) {
      await expect(ArrivingPart.announced(name, length, list)).rejects.toMatchObject({ code: 'PROTOCOL' })
    }
  })

  test('has the name of the vector', async () => {
    const bytes = new Uint8Array(CHUNK_MAX + 1).fill(0xab)
    expect(hexOf(await partHash(await chunkHashes(bytes)))).toBe(VECTOR)
    expect(hexOf(await partHash(await chunkHashes(new Uint8Array(0))))).toBe(VECTOR_EMPTY)
  })
})

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
