import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrames, FrameDecoder } from '../../../src/net/frame-codec.ts'
import { encode } from '../../../src/wire/index.ts'

const LIMIT = 64 * 1024

test('frames written together are the same frames, in fewer writes', () => {
  const sizes = fc.oneof(fc.nat(200), fc.integer({ min: 10_000, max: 40_000 }))
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 8 }), (lengths) => {
      const frames = lengths.map((length, i) => ({ i, bytes: new Uint8Array(length).fill(i) }))
      const writes = encodeFrames(frames, LIMIT)
      const decoder = new FrameDecoder(LIMIT)
      const bodies: string[] = []
      for (const write of writes) {
        decoder.push(write, (body) => {
          bodies.push(Buffer.from(body).toString('base64'))
          return true
        })
      }
      expect(bodies).toEqual(frames.map((frame) => Buffer.from(encode(frame)).toString('base64')))
      const allSmall = lengths.every((length) => length <= 200)
      expect(writes.length).toBeLessThanOrEqual(allSmall ? 1 : frames.length)
    })
  )
})
