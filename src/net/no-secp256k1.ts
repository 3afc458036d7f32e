import { NetError } from './errors.ts'

/** Stands in the page for the curve of another kind of key: all peers of this swarm have Ed25519 keys. */
export const secp256k1 = new Proxy(
  {},
  {
    get() {
      throw new NetError('BAD_KEY', 'Keys of this kind have no place here: peers have Ed25519 keys.')
    }
  }
)
