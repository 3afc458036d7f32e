import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { toString as toText } from 'uint8arrays/to-string'
import type { PeerIdString } from './units.ts'

/**
 * Ed25519 through WebCrypto, with imported keys kept: libp2p imports a key for every call, which costs as much as
 * the signature. Where WebCrypto has no Ed25519, libp2p's own functions do it.
 */

const ALGORITHM = { name: 'Ed25519' }
const VERIFIERS_MAX = 1_024

/** Whether a signature is the peer's. May reject, for a key or a signature that is none: that is a no, too. */
export type VerifySignature = (
  peer: PeerIdString,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array
) => Promise<boolean>

type Verify = (message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>
type Sign = (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>

/** Of a key that is being imported, the promise of it. */
const verifiers = new Map<PeerIdString, Verify | Promise<Verify>>()
const signers = new WeakMap<PrivateKey, Promise<Sign>>()

/** Rejects with whatever the library throws for a key that is no point of the curve, or a signature of a wrong length. */
export function verifyEd25519(
  peer: PeerIdString,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array
): Promise<boolean> {
  const verify = verifiers.get(peer) ?? learn(peer)
  const given = signature as Uint8Array<ArrayBuffer> // nobody sends shared memory, and WebCrypto would refuse it
  return typeof verify === 'function' ? verify(message, given) : verify.then((ready) => ready(message, given))
}

function learn(peer: PeerIdString): Promise<Verify> {
  const learning = importVerifier(peer)
  verifiers.set(peer, learning)
  if (verifiers.size > VERIFIERS_MAX) {
    verifiers.delete(verifiers.keys().next().value ?? peer)
  }
  learning.then(
    (verify) => verifiers.has(peer) && verifiers.set(peer, verify),
    () => {} // whoever asks gets the error
  )
  return learning
}

export async function signEd25519(key: PrivateKey, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  let signer = signers.get(key)
  if (signer === undefined) {
    signer = importSigner(key)
    signers.set(key, signer)
  }
  return (await signer)(message)
}

/** The public key that a peer id is made of. */
export const publicKeyOf = (peer: PeerIdString) =>
  publicKeyFromProtobuf(peerIdFromString(peer).toMultihash().digest)

async function importVerifier(peer: PeerIdString): Promise<Verify> {
  const key = publicKeyOf(peer)
  try {
    const { subtle } = crypto
    const imported = await subtle.importKey('raw', new Uint8Array(key.raw), ALGORITHM, false, ['verify'])
    return (message, signature) => subtle.verify(ALGORITHM, imported, signature, message)
  } catch {
    return async (message, signature) => key.verify(message, signature) // no Ed25519 in this WebCrypto
  }
}

async function importSigner(key: PrivateKey): Promise<Sign> {
  const secret = {
    kty: 'OKP',
    crv: 'Ed25519',
    x: base64url(key.publicKey.raw),
    d: base64url(key.raw.subarray(0, 32))
  }
  try {
    const imported = await crypto.subtle.importKey('jwk', secret, ALGORITHM, false, ['sign'])
    return async (message) => new Uint8Array(await crypto.subtle.sign(ALGORITHM, imported, message))
  } catch {
    return async (message) => new Uint8Array(await key.sign(message)) // as above
  }
}

const base64url = (bytes: Uint8Array) => toText(bytes, 'base64url')
