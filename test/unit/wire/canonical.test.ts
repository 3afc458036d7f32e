import { decode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { equals } from 'uint8arrays/equals'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { decodePlainly } from '../../../src/wire/canonical.ts'
import { cid, decodeStrict, encode, ledgerRequest, record, statement } from '../../../src/wire/index.ts'
import { valuesOf } from '../../fixtures/schema-arbitrary.ts'

/** That a value is decoded at all only if it is the one that the library reads there, and would write so. */
function expectRight(bytes: Uint8Array): void {
  const plain = decodePlainly(new Uint8Array(bytes)) // the encoder gives a Buffer in Node
  if (plain !== undefined) {
    expect(plain.value).toEqual(decode(bytes))
    expect(equals(encode(plain.value), bytes)).toBe(true)
  }
}

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('what is called canonical', () => {
  const messages = fc.oneof(...[record, statement, ledgerRequest].map((schema) => valuesOf(schema)))
  /** Any data, with what messages have most of. */
  const data: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeNat(),
      fc.constantFrom(
        0,
        23,
        24,
        255,
        256,
        65_535,
        65_536,
        2 ** 32 - 1,
        2 ** 32,
        Number.MAX_SAFE_INTEGER,
        -1,
        1.5
      ),
      fc.string({ maxLength: 30 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(true, false, null),
      fc.array(tie('value'), { maxLength: 30 }),
      fc.dictionary(fc.string({ maxLength: 26 }), tie('value'), { maxKeys: 30 })
    )
  })).value

  test('is canonical, whatever is done to the bytes of a message', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), drop: fc.nat(2), insert: fc.nat(2) })
    fc.assert(
      fc.property(fc.oneof(messages, data), fc.array(change, { maxLength: 2 }), (value, changes) => {
        let bytes: Uint8Array = encode(value)
        for (const { at, byte, drop, insert } of changes) {
          const place = at % (bytes.byteLength + 1)
          const more = new Uint8Array(insert).fill(byte)
          bytes = new Uint8Array([...bytes.subarray(0, place), ...more, ...bytes.subarray(place + drop)])
        }
        expectRight(bytes)
      }),
      { numRuns: 3_000 }
    )
  })

  test('is canonical, of random bytes too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        expectRight(bytes)
      }),
      { numRuns: 3_000 }
    )
  })

  test.each([
    ['an integer longer than it need be', '1817'],
    ['the same in four bytes', '1a0000ffff'],
    ['an integer beyond 2^53', '1b0020000000000000'],
    ['a float', 'fb3ff0000000000000'],
    ['a half float', 'f93c00'],
    ['undefined', 'f7'],
    ['an indefinite list', '9f01ff'],
    ['keys in the order of the alphabet alone', 'a2 62 6161 01 61 62 02'],
    ['keys of one length out of order', 'a2 61 62 01 61 61 02'],
    ['a key twice', 'a2 61 61 01 61 61 02'],
    ['a key that no object has', 'a1 69 5f5f70726f746f5f5f a0'],
    ['text that is no UTF-8', '62 c328'],
    ['something behind it', '0000'],
    ['an end before its time', '4261'],
    ['a CID of another hash', `d82a 5825 0001711320 ${'00'.repeat(32)}`],
    ['nothing', '']
  ])('is not %s', (_, text) => {
    expect(decodePlainly(hex(text))).toBeUndefined()
  })

  test('is every message in plain text: nothing has to be encoded again', () => {
    fc.assert(
      fc.property(messages, (value) => {
        const bytes = encode(value)
        expect(decodePlainly(new Uint8Array(bytes))?.value).toEqual(decode(bytes))
      })
    )
  })

  test('has memory of its own: whoever holds it holds no more than the message, and nobody changes it', () => {
    const value = {
      a: Uint8Array.of(1, 2, 3),
      b: CID.createV1(0x71, create(0x12, new Uint8Array(32).fill(4)))
    }
    const bytes = Buffer.from(encode(value)) // whose `slice` shares its memory
    const schema = z.object({ a: z.instanceof(Uint8Array), b: cid })
    const plain = decodeStrict(bytes, schema, bytes.length)
    bytes.fill(0)
    expect(plain).toEqual(value)
    expect(Object.getPrototypeOf(plain.a)).toBe(Uint8Array.prototype)
    expect(plain.a.buffer.byteLength).toBe(bytes.length)
  })

  test('is right of texts whose hashes are the same, and of more texts than are remembered', () => {
    const texts = [
      'Aa',
      'BB',
      'AaAa',
      'BBBB',
      'AaBB',
      ...Array.from({ length: 3_000 }, (_, i) => `text ${i}`)
    ]
    for (const text of [...texts, ...texts]) {
      expect(decodePlainly(new Uint8Array(encode({ [text]: text })))?.value).toEqual({ [text]: text })
    }
  })

  test('is nothing that is nested too deeply, however deeply that is', () => {
    expect(decodePlainly(new Uint8Array(1_000_000).fill(0x81))).toBeUndefined()
    expect(decodePlainly(hex(`${'81'.repeat(30)}00`))).toBeDefined()
  })
})
