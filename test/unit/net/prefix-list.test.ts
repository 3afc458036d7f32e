import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import prefixes, { preimageOf } from '../../../src/net/prefix-list.ts'

test('gives an id whose place in the DHT begins as asked for, to 10 bits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), (place) => {
      const id = Buffer.alloc(34)
      id.writeUInt8(0x12, 0)
      id.writeUInt8(32, 1)
      id.writeUInt32BE(prefixes[place] ?? -1, 2)
      const found = createHash('sha256').update(id).digest().readUInt16BE()
      expect(found >> 6).toBe(place >> 6)
      expect(preimageOf(place)).toBe(prefixes[place])
    })
  )
})
