import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
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
  const key = await generateKeyPair('Ed25519')
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

function isConflict(error: unknown): boolean {
  return error instanceof SwarmError && error.code === 'CONFLICT'
}
