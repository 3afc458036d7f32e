import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue } from '../../../src/swarm/sdk/values.ts'

const typed = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array()
)
const leaf = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  typed
)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { noNullPrototype: true }
    )
  )
})).value

describe('values as bytes', () => {
  test('come back as they were, with the kinds of their numbers and arrays', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decodeValue(encodeValue(given))).toStrictEqual(given)
      })
    )
  })

  test('keep only the part of a buffer that a view shows', () => {
    const whole = new Int32Array([1, 2, 3, 4])
    const back = decodeValue(encodeValue(whole.subarray(1, 3)))
    expect(back).toEqual(Int32Array.of(2, 3))
    expect((back as Int32Array).buffer.byteLength).toBe(8)
  })

  test('are the same for the same value, whatever the order of its members', () => {
    expect(encodeValue({ a: 1, b: [2n] })).toEqual(encodeValue({ b: [2n], a: 1 }))
  })

  test.each([[() => 1], [Symbol('x')], [new Date()], [new Map()], [{ deep: [new Set()] }]])(
    '%s is no data',
    (given) => {
      expect(() => encodeValue(given)).toThrow(TypeError)
    }
  )
})
