import * as z from 'zod/mini'
import { decodeStrict, encode } from './codec.ts'
import { WireError } from './errors.ts'
import { IDENTITY_FILE_MAX, identityFile } from './identity-file.ts'
import { bytes, bytesUpTo } from './schema.ts'

/** Rounds of PBKDF2 with SHA-256 in version 1: what OWASP asks for since 2023, a quarter of a second. */
const ROUNDS = 600_000
/** What GCM adds. */
const TAG = 16

/** An identity file under a passphrase: AES-256-GCM with a key by PBKDF2. */
const sealedFile = z.strictObject({
  kind: z.literal('swarmharness-sealed'),
  v: z.literal(1),
  salt: bytes(16),
  iv: bytes(12),
  data: bytesUpTo(IDENTITY_FILE_MAX + TAG)
})

const anyFile = z.discriminatedUnion('kind', [identityFile, sealedFile])
/** Room for what stands around the data. */
const SEALED_FILE_MAX = IDENTITY_FILE_MAX + 1_024

/**
 * Makes the key first, so that afterwards nothing but the sealing is left to do. Seal one file with it.
 *
 * @param random gives so many random bytes. @default crypto.getRandomValues
 */
export async function sealerOf(
  passphrase: string,
  random: (length: number) => Uint8Array<ArrayBuffer> = randomBytes
): Promise<(file: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>> {
  const salt = random(16)
  const iv = random(12)
  const key = await keyOf(passphrase, salt)
  return async (file) => {
    const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new Uint8Array(file))
    return encode({ kind: 'swarmharness-sealed', v: 1, salt, iv, data: new Uint8Array(data) })
  }
}

/**
 * The identity file in a sealed one; one that is not sealed comes back as it is.
 *
 * @throws WireError `PASSPHRASE`, and `TOO_LARGE`, `MALFORMED` or `NOT_CANONICAL` for what is neither
 */
export async function unseal(file: Uint8Array, passphrase: string | undefined): Promise<Uint8Array> {
  const found = decodeStrict(file, anyFile, SEALED_FILE_MAX)
  if (found.kind === 'swarmharness-identity') {
    return file
  }
  if (passphrase === undefined || passphrase === '') {
    throw new WireError('PASSPHRASE', 'The file is sealed: give its passphrase.')
  }
  const key = await keyOf(passphrase, new Uint8Array(found.salt))
  try {
    const iv = new Uint8Array(found.iv)
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, new Uint8Array(found.data))
    )
  } catch (cause) {
    throw new WireError('PASSPHRASE', 'The passphrase is wrong, or the file was changed.', { cause })
  }
}

/** The same letters typed on another device may be other code points: NFKC makes them one. */
async function keyOf(passphrase: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const typed = new TextEncoder().encode(passphrase.normalize('NFKC'))
  const material = await crypto.subtle.importKey('raw', typed, 'PBKDF2', false, ['deriveKey'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt'
  ])
}

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length))
