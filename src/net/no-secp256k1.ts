/**
 * Stands in the page for the curve of another kind of key: all peers of this swarm have Ed25519 keys. Imports nothing,
 * because what stands behind every part of libp2p comes before all of them.
 */
export const secp256k1 = new Proxy(
  {},
  {
    get() {
      throw new TypeError('A key of this kind has no place here: peers have Ed25519 keys.')
    }
  }
)
