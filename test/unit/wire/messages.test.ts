import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import * as wire from '../../../src/wire/index.ts'
import { encodeLoosely, LOOSENESSES } from '../../fixtures/loose-cbor.ts'
import { optionalIn, valuesOf } from '../../fixtures/schema-arbitrary.ts'

const LIMIT = 1024 * 1024

function isSchema(value: unknown): value is z.ZodMiniType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

/** Every schema that src/wire exports, building blocks included. */
const SCHEMAS = Object.entries(wire as Record<string, unknown>).filter(
  (entry): entry is [string, z.ZodMiniType] => isSchema(entry[1])
)
const MESSAGES = SCHEMAS.filter(([, schema]) => {
  const { type } = schema._zod.def
  return type === 'object' || type === 'union'
})

/** The codes with which both decoders refuse these bytes; `accepted` for one that does not. */
function refusals(bytes: Uint8Array, schema: z.ZodMiniType, limit = LIMIT): string[] {
  return [wire.decodeStrict, wire.decode].map((decode) => {
    try {
      decode(bytes, schema, limit)
      return 'accepted'
    } catch (error) {
      return error instanceof wire.WireError ? error.code : `not a WireError: ${error}`
    }
  })
}

/** Every object inside a value, itself included, with a function that puts another in its place. */
function objectsIn(
  value: unknown,
  put: (changed: unknown) => unknown = (changed) => changed
): Array<{ at: Record<string, unknown>; put: (changed: unknown) => unknown }> {
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => objectsIn(item, (changed) => put(value.with(i, changed))))
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return []
  }
  const at = value as Record<string, unknown> // a plain object: the line above let nothing else through
  const inside = Object.entries(at).flatMap(([key, item]) =>
    objectsIn(item, (changed) => put({ ...at, [key]: changed }))
  )
  return [{ at, put }, ...inside]
}

describe.each(SCHEMAS)('%s', (_name, schema) => {
  const values = valuesOf(schema)

  it('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = wire.encode(value)
        const strict = wire.decodeStrict(bytes, schema, bytes.length)
        expect(strict).toEqual(value)
        expect(wire.decode(bytes, schema, bytes.length)).toEqual(value)
        expect(equals(wire.encode(strict), bytes)).toBe(true)
      })
    )
  })

  it('refuses any second spelling of the same value', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(...LOOSENESSES), (value, how) => {
        const loose = encodeLoosely(value, how)
        if (!equals(loose, wire.encode(value))) {
          expect(refusals(loose, schema)[0]).toMatch(/^(NOT_CANONICAL|MALFORMED)$/)
        }
      })
    )
  })

  it('refuses every part of itself, and more than itself', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (value, cut, more) => {
        const bytes = wire.encode(value)
        expect(refusals(bytes.subarray(0, cut % bytes.length), schema)).toEqual(['MALFORMED', 'MALFORMED'])
        expect(refusals(Uint8Array.of(...bytes, ...more), schema)).toEqual(['MALFORMED', 'MALFORMED'])
      })
    )
  })

  it('refuses what is longer than its limit before it looks at it', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = wire.encode(value)
        expect(refusals(bytes, schema, bytes.length - 1)).toEqual(['TOO_LARGE', 'TOO_LARGE'])
      })
    )
  })

  it('answers any bytes at all with a value or a WireError', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, flip) => {
        const bytes = wire.encode(value)
        bytes[position % bytes.length] = (bytes[position % bytes.length] ?? 0) ^ flip
        expect(refusals(bytes, schema).join()).not.toContain('not a WireError')
      })
    )
  })
})

describe.each(MESSAGES)('%s, as a message', (_name, schema) => {
  const values = valuesOf(schema)

  it('refuses a field that it does not know, at any depth', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.stringMatching(/^[a-z_]{1,12}$/), (value, pick, key) => {
        const objects = objectsIn(value)
        fc.pre(objects.length > 0)
        const { at, put } = objects[pick % objects.length] ?? { at: {}, put: () => value }
        fc.pre(!(key in at))
        expect(refusals(wire.encode(put({ ...at, [key]: 0 })), schema)).toEqual(['MALFORMED', 'MALFORMED'])
      })
    )
  })

  it('refuses a value that lacks a field, at any depth', () => {
    const optional = optionalIn(schema)
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(), (value, pick, pickKey) => {
        const objects = objectsIn(value).filter(({ at }) => Object.keys(at).length > 0)
        fc.pre(objects.length > 0)
        const { at, put } = objects[pick % objects.length] ?? { at: {}, put: () => value }
        const keys = Object.keys(at).filter((key) => !optional.has(key))
        fc.pre(keys.length > 0)
        const { [keys[pickKey % keys.length] ?? '']: _gone, ...rest } = at
        expect(refusals(wire.encode(put(rest)), schema)).toEqual(['MALFORMED', 'MALFORMED'])
      })
    )
  })

  it('refuses a fraction and a negative where it has a number', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.constantFrom(0.5, 1e-9, 2 ** 60, -2), (value, pick, bad) => {
        const places = objectsIn(value).flatMap(({ at, put }) =>
          Object.keys(at)
            .filter((key) => key !== 'params' && ['number', 'bigint'].includes(typeof at[key]))
            .map((key) => put({ ...at, [key]: bad }))
        )
        if (places.length > 0) {
          const bytes = wire.encode(places[pick % places.length])
          expect(refusals(bytes, schema)).toEqual(['MALFORMED', 'MALFORMED'])
        }
      })
    )
  })

  it('refuses a version, kind or type that it does not know', () => {
    fc.assert(
      fc.property(values, (value) => {
        for (const key of ['v', 'kind', 't', 'form'].filter((tag) => tag in Object(value))) {
          for (const unknown of [0, 2, 'later', null]) {
            const bytes = wire.encode({ ...Object(value), [key]: unknown })
            expect(refusals(bytes, schema)).toEqual(['MALFORMED', 'MALFORMED'])
          }
        }
      })
    )
  })
})

describe('hostile bytes', () => {
  it.each(LOOSENESSES)('a frame spelt with %s means nothing in a signed payload', (how) => {
    const frame = { t: 'open', data: new Uint8Array(30), list: [1, 300, 70_000], text: 'x'.repeat(30) }
    const loose = encodeLoosely(frame, how)
    expect(equals(loose, wire.encode(frame))).toBe(false)
    expect(refusals(loose, z.any())[0]).toMatch(/^(NOT_CANONICAL|MALFORMED)$/)
  })

  it('any bytes give a value or a WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(refusals(bytes, wire.record).join()).not.toMatch(/accepted|not a WireError/)
      }),
      { numRuns: 1000 }
    )
  })

  it('nesting as deep as the limit allows gives a WireError', () => {
    for (const depth of [100, 500, 1000, 1500, 2000, 3000, 5000, 60_000]) {
      for (const opener of [0x81, 0xa1]) {
        const open = opener === 0x81 ? [0x81] : [0xa1, 0x61, 0x61]
        const bytes = Uint8Array.from({ length: depth * open.length + 1 }, (_, i) =>
          i === depth * open.length ? 0 : (open[i % open.length] ?? 0)
        )
        expect(refusals(bytes, wire.record)).toEqual(['MALFORMED', 'MALFORMED'])
      }
    }
  })

  it.each([
    ['an array', 0x9b],
    ['a map', 0xbb],
    ['bytes', 0x5b],
    ['text', 0x7b]
  ])('%s that claims 2^52 items is refused without room being made for them', (_kind, head) => {
    const bytes = Uint8Array.of(head, 0, 0x10, 0, 0, 0, 0, 0, 0)
    expect(refusals(bytes, wire.record)).toEqual(['MALFORMED', 'MALFORMED'])
  })

  it('a field named __proto__ is a field like any other, and unknown', () => {
    const named = { ...JSON.parse('{"__proto__":0}'), t: 'beat' }
    Object.defineProperty(named, '__proto__', { value: 0, enumerable: true })
    expect(refusals(wire.encode(named), wire.jobRequestFrame)).toEqual(['MALFORMED', 'MALFORMED'])
  })

  it('minus zero is no natural number', () => {
    const minusZero = Uint8Array.of(0xfb, 0x80, 0, 0, 0, 0, 0, 0, 0)
    expect(refusals(minusZero, wire.natural)[0]).toBe('NOT_CANONICAL')
  })
})
