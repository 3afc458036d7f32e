import * as z from 'zod/mini'
import { decodeStrict } from './codec.ts'
import { bytes, bytesUpTo, name } from './schema.ts'
import { signed } from './signed.ts'

/** Largest identity file in bytes. */
export const IDENTITY_FILE_MAX = 256 * 1024 * 1024

/**
 * A whole profile on its way to another device: key, chain, and what else the node keeps by table. Whoever has it is
 * the peer: it is as secret as the key.
 */
export const identityFile = z.strictObject({
  kind: z.literal('swarmharness-identity'),
  v: z.literal(1),
  network: name,
  /** Protobuf of an Ed25519 private key. */
  key: bytesUpTo(256),
  /** What the chain's `closed` asks for; null on a copy that closes nothing. */
  token: z.nullable(bytes(32)),
  records: z.array(signed).check(z.minLength(1)),
  rows: z.array(z.strictObject({ table: name, key: z.string(), value: bytesUpTo(16 * 1024 * 1024) }))
})

export type IdentityFile = z.output<typeof identityFile>

/** @throws WireError `TOO_LARGE`, `MALFORMED` or `NOT_CANONICAL` */
export const decodeIdentityFile = (file: Uint8Array): IdentityFile =>
  decodeStrict(file, identityFile, IDENTITY_FILE_MAX)
