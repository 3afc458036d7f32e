import { decode, encode } from '@ipld/dag-cbor'
import { isTypedArrayName, TYPED_ARRAYS, typedArrayName } from '../../wire/index.ts'

/**
 * Inputs and outputs of skills as bytes: plain objects, lists, typed arrays and every kind of number. For this
 * node's own store; nobody else reads them.
 */

/** @throws TypeError for what is no data: functions, symbols, instances of other classes */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  // cborg allocates plain ArrayBuffers; its type says ArrayBufferLike
  return encode(tag(value)) as Uint8Array<ArrayBuffer>
}

/** @throws Error for bytes that `encodeValue` did not make */
export function decodeValue(bytes: Uint8Array): unknown {
  return untag(decode(bytes))
}

/** Whatever CBOR would not give back as it was becomes a list that begins with a word. */
function tag(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'undefined':
      return ['undefined']
    case 'bigint':
      return ['bigint', `${value}`]
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? value
        : ['number', `${Object.is(value, -0) ? '-0' : value}`]
    case 'object':
      return value === null ? null : tagObject(value)
    default:
      throw new TypeError(`A ${typeof value} is no data.`)
  }
}

function tagObject(value: object): unknown {
  if (Array.isArray(value)) {
    return ['list', ...value.map(tag)]
  }
  const kind = typedArrayName(value)
  if (kind !== undefined && ArrayBuffer.isView(value)) {
    return [kind, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`A ${value.constructor.name} is no plain data.`)
  }
  return ['object', Object.fromEntries(Object.entries(value).map(([key, part]) => [key, tag(part)]))]
}

function untag(value: unknown): unknown {
  if (!Array.isArray(value)) {
    return value
  }
  const [kind, first] = value
  if (isTypedArrayName(kind) && first instanceof Uint8Array) {
    const { buffer } = new Uint8Array(first) // a copy: aligned, and no view of the whole message
    return new TYPED_ARRAYS[kind](buffer)
  }
  switch (kind) {
    case 'undefined':
      return undefined
    case 'bigint':
      return BigInt(first)
    case 'number':
      return Number(first)
    case 'list':
      return value.slice(1).map(untag)
    case 'object':
      return Object.fromEntries(Object.entries(first).map(([key, part]) => [key, untag(part)]))
    default:
      throw new TypeError('These bytes are no value.')
  }
}
