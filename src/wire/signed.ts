import type { PrivateKey } from '@libp2p/interface'
import * as z from 'zod/mini'
import { decodeOwn, encode } from './codec.ts'
import { signEd25519, type VerifySignature, verifyEd25519 } from './ed25519.ts'
import { WireError } from './errors.ts'
import { bytesUpTo, signature } from './schema.ts'
import type { PeerIdString } from './units.ts'

/** A signed payload: the signature covers `domain ‖ 0x00 ‖ payload`, so no signature fits two kinds of thing. */
export interface Signed {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

export const DOMAINS = {
  record: 'swarmharness-ledger/1',
  statement: 'swarmharness-statement/1',
  advert: 'swarmharness-advert/1',
  result: 'swarmharness-result/1',
  ticket: 'swarmharness-ticket/1'
} as const

export type Domain = (typeof DOMAINS)[keyof typeof DOMAINS]

/** Largest signed payload. A claim of the largest certificate stays below it. */
export const SIGNED_PAYLOAD_MAX = 64 * 1024

export const signedUpTo = (limit: number) => z.strictObject({ payload: bytesUpTo(limit), signature })

export const signed = signedUpTo(SIGNED_PAYLOAD_MAX)

const encoder = new TextEncoder()
const prefixes = Object.fromEntries(
  Object.values(DOMAINS).map((domain) => [domain, encoder.encode(`${domain}\0`)])
) as Record<Domain, Uint8Array> // fromEntries forgets the keys that DOMAINS fixes

function signingBytes(domain: Domain, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = prefixes[domain]
  const bytes = new Uint8Array(prefix.byteLength + payload.byteLength)
  bytes.set(prefix)
  bytes.set(payload, prefix.byteLength)
  return bytes
}

/** Encodes a value canonically and signs it. */
export function sign(key: PrivateKey, domain: Domain, value: unknown): Promise<Signed> {
  return signPayload(key, domain, encode(value))
}

/** Signs what was encoded already. */
export async function signPayload(key: PrivateKey, domain: Domain, payload: Uint8Array): Promise<Signed> {
  return { payload, signature: await signEd25519(key, signingBytes(domain, payload)) }
}

/**
 * Decodes a signed payload and checks the signature against the peer id that the payload names.
 *
 * @param signer picks the signer's peer id out of the decoded value
 * @param verify @default WebCrypto, as this thread calls it
 * @throws WireError `TOO_LARGE`, `MALFORMED`, `NOT_CANONICAL` or `BAD_SIGNATURE`
 */
export async function verifySigned<S extends z.ZodMiniType>(
  envelope: Signed,
  domain: Domain,
  schema: S,
  signer: (value: z.output<S>) => PeerIdString,
  verify?: VerifySignature
): Promise<z.output<S>> {
  const { value, message } = openSigned(envelope, domain, schema)
  await checkSignature(signer(value), message, envelope.signature, verify)
  return value
}

/**
 * The first half of `verifySigned`: nothing is known of the signature yet.
 *
 * @returns `message`: what the signature is over. The value holds views of it
 * @throws WireError `TOO_LARGE`, `MALFORMED` or `NOT_CANONICAL`
 */
export function openSigned<S extends z.ZodMiniType>(
  { payload }: Signed,
  domain: Domain,
  schema: S
): { value: z.output<S>; message: Uint8Array<ArrayBuffer> } {
  const message = signingBytes(domain, payload)
  const own = message.subarray(message.byteLength - payload.byteLength)
  return { value: decodeOwn(own, schema, SIGNED_PAYLOAD_MAX), message }
}

/** The second half of `verifySigned`. @throws WireError `BAD_SIGNATURE` */
export async function checkSignature(
  peer: PeerIdString,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array,
  verify: VerifySignature = verifyEd25519
): Promise<void> {
  const mismatch = 'The signature does not belong to the peer that the message names.'
  let valid: boolean
  try {
    valid = await verify(peer, message, signature)
  } catch (cause) {
    // a signature of the wrong length or a key that is no point of the curve: libraries throw where they might say no
    throw new WireError('BAD_SIGNATURE', mismatch, { cause })
  }
  if (!valid) {
    throw new WireError('BAD_SIGNATURE', mismatch)
  }
}
