import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { type Network, sha256 } from '../wire/index.ts'
import type { Shard } from './sharding.ts'

const RAW_CODEC = 0x55
const SHA2_256 = 0x12

/** The DHT key of a skill's shard: SHA-256 of `swarmharness:<network>:<skill>`, with `:<level>/<index>` above level 0. */
export async function skillKey(
  network: Network,
  skill: string,
  { level, index }: Shard = { level: 0, index: 0 }
): Promise<CID> {
  const whole = `swarmharness:${network.parameters.name}:${skill}`
  const text = new TextEncoder().encode(level === 0 ? whole : `${whole}:${level}/${index}`)
  return CID.createV1(RAW_CODEC, Digest.create(SHA2_256, await sha256(text)))
}

/** A provider's place among the providers of a skill: the first 32 bits of SHA-256 of `<skill>:<peer>`. */
export async function placeOf(skill: string, peer: string): Promise<number> {
  const digest = await sha256(new TextEncoder().encode(`${skill}:${peer}`))
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0)
}
