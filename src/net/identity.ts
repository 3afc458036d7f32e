import {
  generateKeyPair,
  privateKeyFromProtobuf,
  privateKeyFromRaw,
  privateKeyToProtobuf
} from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import type { Store } from '../store/index.ts'
import { SwarmError } from '../wire/index.ts'

/** What of a store the identity needs. */
export type IdentityStore = Pick<Store, 'identity' | 'saveIdentity'>

/** The node's Ed25519 key: made once and kept. If another tab makes it at the same moment, theirs counts. */
export async function loadIdentity(store: IdentityStore): Promise<PrivateKey> {
  const kept = await store.identity()
  if (kept !== undefined) {
    return privateKeyFromProtobuf(kept)
  }
  const key = await newKey()
  try {
    await store.saveIdentity(privateKeyToProtobuf(key))
    return key
  } catch (error) {
    const theirs = isConflict(error) ? await store.identity() : undefined
    if (theirs === undefined) {
      throw error
    }
    return privateKeyFromProtobuf(theirs)
  }
}

/** By WebCrypto, where it knows the curve: libp2p multiplies in JavaScript, 40 ms of a page's own thread at a first visit. */
async function newKey(): Promise<PrivateKey> {
  const { subtle } = globalThis.crypto
  const pair = await subtle.generateKey('Ed25519', true, ['sign', 'verify']).catch(() => undefined)
  if (pair === undefined) {
    return generateKeyPair('Ed25519')
  }
  const { d = '', x = '' } = await subtle.exportKey('jwk', pair.privateKey)
  return privateKeyFromRaw(concat([fromString(d, 'base64url'), fromString(x, 'base64url')]))
}

function isConflict(error: unknown): boolean {
  return error instanceof SwarmError && error.code === 'CONFLICT'
}
