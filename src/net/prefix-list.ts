import { sha256 } from '@noble/hashes/sha2.js'

/**
 * Stands in the page for the table by which @libp2p/kad-dht makes up peer ids near a place of the DHT, to look there
 * when it refreshes its routing table. Theirs is 26 kB gzip, and in browsers has a sixteenth of the places only: all
 * others get one and the same id. Here an id is found when it is asked for, right to 10 bits: about 1,000 hashes, a few
 * milliseconds every five minutes.
 */
const BITS = 10
const PLACE_BITS = 16
/** SHA2-256's code and length: the id is the multihash of four bytes and zeros. */
const HEAD = [0x12, 32]
/** A hundred times what is expected. */
const TRIES_MAX = 100 * 2 ** BITS

/**
 * @param place the first 16 bits wanted of the id's place in the DHT, its SHA-256
 * @returns the first four bytes of an id whose place begins with the first 10 of them
 */
export function preimageOf(place: number): number {
  const id = new DataView(new ArrayBuffer(34))
  HEAD.forEach((byte, at) => {
    id.setUint8(at, byte)
  })
  const bytes = new Uint8Array(id.buffer)
  for (let preimage = 0; preimage < TRIES_MAX; preimage++) {
    id.setUint32(2, preimage)
    const [first = 0, second = 0] = sha256(bytes)
    if ((((first << 8) | second) ^ place) >> (PLACE_BITS - BITS) === 0) {
      return preimage
    }
  }
  return 0
}

/** Read by index, as the table is. */
export default new Proxy<readonly number[]>([], {
  get: (_, place) => preimageOf(Number(place))
})
