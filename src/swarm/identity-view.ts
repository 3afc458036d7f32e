import { privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { equals } from 'uint8arrays/equals'
import { forgetLeft, leftProfile, replayChain } from '../credit/index.ts'
import { openStore, type Store } from '../store/index.ts'
import {
  decodeIdentityFile,
  type MicroCredits,
  type PeerIdString,
  SwarmError,
  unseal,
  WireError
} from '../wire/index.ts'
import { defaultNetwork } from './host.ts'
import { networkNamed } from './ledger-view.ts'
import { SignatureWorker } from './signature-worker.ts'

/** An identity file, opened and checked. */
export interface OpenedIdentity {
  /** For `createSwarm({ identity })`: as secret as the key in it. */
  readonly identity: Uint8Array
  readonly peer: PeerIdString
  readonly network: string
  readonly records: number
  /** After its last record (µcr). */
  readonly balance: MicroCredits
}

/**
 * Looks into the file that `exportIdentity()` gave, sealed or not, and checks all of its ledger. Changes nothing.
 *
 * @param passphrase of a sealed file
 * @throws WireError `PASSPHRASE`, `TOO_LARGE`, `MALFORMED`, `NOT_CANONICAL`, `WRONG_NETWORK`, `BAD_SIGNATURE`;
 * CreditError for a ledger that does not hold
 */
export async function openIdentity(file: Uint8Array, passphrase?: string): Promise<OpenedIdentity> {
  const { identity, found } = await readFile(file, passphrase)
  const network = await networkNamed(found.network)
  const signatures = new SignatureWorker()
  const replaying = replayChain(undefined, found.records, network, { verify: signatures.verify })
  const state = await replaying.finally(() => signatures.close())
  const peer = await ownerOf(found.key)
  if (state === undefined || peer !== state.author) {
    throw damaged()
  }
  return {
    identity,
    peer: state.author,
    network: found.network,
    records: found.records.length,
    balance: state.bal
  }
}

/** An identity that was closed here, and its file, not sealed. */
export interface LeftIdentity {
  readonly peer: PeerIdString
  readonly file: Uint8Array
  /** Its file is kept: it is not made again. */
  forget(): Promise<void>
}

/** The identity that was closed in this browser, unless somebody has said that its file is kept. */
export async function leftIdentity(name: string = defaultNetwork()): Promise<LeftIdentity | undefined> {
  const network = await networkNamed(name)
  const open = () => openStore({ network: name })
  const store = await open()
  try {
    const left = await leftProfile(store, network)
    return left && { ...left, forget: () => forgetIn(open) }
  } finally {
    await store.close()
  }
}

async function forgetIn(open: () => Promise<Store>): Promise<void> {
  const store = await open()
  try {
    await forgetLeft(store)
  } finally {
    await store.close()
  }
}

async function readFile(file: Uint8Array, passphrase: string | undefined) {
  try {
    const identity = await unseal(file, passphrase)
    return { identity, found: decodeIdentityFile(identity) }
  } catch (error) {
    const isForm = error instanceof SwarmError && ['MALFORMED', 'NOT_CANONICAL'].includes(error.code)
    throw isForm ? damaged(error) : error
  }
}

/** The key is stored with its public half: only a signature shows that the two belong together. */
async function ownerOf(stored: Uint8Array): Promise<string> {
  const probe = Uint8Array.of(1)
  try {
    const key = privateKeyFromProtobuf(stored)
    const isWritten = equals(privateKeyToProtobuf(key), stored)
    if (isWritten && (await key.publicKey.verify(probe, await key.sign(probe)))) {
      return peerIdFromPrivateKey(key).toString()
    }
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged()
}

const damaged = (cause?: unknown) =>
  new WireError('MALFORMED', 'This is no identity file, or it is damaged: take the one that was saved.', {
    cause
  })
