import * as dagCbor from '@ipld/dag-cbor'
import { sha256 as hashHere } from '@noble/hashes/sha2.js'
import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import type * as z from 'zod/mini'
import { cidOfDigest, decodePlainly } from './canonical.ts'
import { WireError } from './errors.ts'

/** Encodes a value as canonical DAG-CBOR. Bigints must lie within ±(2^53 − 1): beyond it no schema accepts them. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  // cborg allocates plain ArrayBuffers; its type says ArrayBufferLike
  return dagCbor.encode(value) as Uint8Array<ArrayBuffer>
}

/**
 * Decodes DAG-CBOR and validates it. The bytes must be exactly what `encode` would have made of the value, which has
 * memory of its own.
 *
 * @throws WireError `TOO_LARGE`, `MALFORMED` or `NOT_CANONICAL`
 */
export function decodeStrict<S extends z.ZodMiniType>(
  bytes: Uint8Array,
  schema: S,
  limit: number
): z.output<S> {
  return decodeOwn(bytes.byteLength <= limit ? new Uint8Array(bytes) : bytes, schema, limit)
}

/** As `decodeStrict`, of bytes that nobody else has: the value may hold views of them. */
export function decodeOwn<S extends z.ZodMiniType>(bytes: Uint8Array, schema: S, limit: number): z.output<S> {
  const plain = bytes.byteLength <= limit ? decodePlainly(bytes) : undefined
  if (plain !== undefined) {
    return validate(plain.value, schema)
  }
  const raw = decodeRaw(bytes, limit)
  const value = validate(raw, schema) // first, because it bounds the depth to which the encoder recurses
  if (!equals(encode(raw), bytes)) {
    throw new WireError('NOT_CANONICAL', 'The message is not canonical DAG-CBOR.')
  }
  return value
}

/**
 * Decodes DAG-CBOR and validates it, without the canonical check: for frames, which nobody signs or hashes.
 *
 * @throws WireError `TOO_LARGE` or `MALFORMED`
 */
export function decode<S extends z.ZodMiniType>(bytes: Uint8Array, schema: S, limit: number): z.output<S> {
  return validate(decodeRaw(bytes, limit), schema)
}

function decodeRaw(bytes: Uint8Array, limit: number): unknown {
  if (bytes.byteLength > limit) {
    throw new WireError('TOO_LARGE', `A message of ${bytes.byteLength} bytes exceeds its limit of ${limit}.`)
  }
  try {
    return dagCbor.decode(bytes)
  } catch (cause) {
    throw new WireError('MALFORMED', 'The message is not DAG-CBOR.', { cause })
  }
}

function validate<S extends z.ZodMiniType>(raw: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new WireError(
      'MALFORMED',
      `The message does not fit its schema: ${issue?.path.join('.')} ${issue?.message}.`
    )
  }
  return parsed.data
}

/** Up to here a hash takes less time than to have another thread do it. */
const HASHED_HERE_MAX = 1_024

export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return (
    sha256Here(bytes) ??
    new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  )
}

function sha256Here(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  // noble allocates plain ArrayBuffers; its type says ArrayBufferLike
  return bytes.byteLength <= HASHED_HERE_MAX ? (hashHere(bytes) as Uint8Array<ArrayBuffer>) : undefined
}

/** The CIDv1 (dag-cbor, sha2-256) of DAG-CBOR bytes. */
export async function cidOf(payload: Uint8Array): Promise<CID> {
  return cidHere(payload) ?? cidOfDigest(await sha256(payload))
}

/** The same without a promise, of bytes that are not too many for that. */
export function cidHere(payload: Uint8Array): CID | undefined {
  const digest = sha256Here(payload)
  return digest && cidOfDigest(digest)
}
