import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import type { PartRef } from '../compute/index.ts'
import type { Plan } from '../skills/index.ts'
import { encode, sha256 } from '../wire/index.ts'
import { chunkHashes, partHash } from './chunks.ts'

export const hex = (bytes: Uint8Array) => toText(bytes, 'base16')
export const fromHex = (text: string) => fromString(text, 'base16')

export interface HashedPlan<Output> extends Plan<Output> {
  readonly partRefs: readonly PartRef[]
  readonly partHashes: readonly Uint8Array[]
  /** By a part's hash (hex): those of its chunks. */
  readonly partChunks: ReadonlyMap<string, readonly Uint8Array[]>
  /** Names the whole input in the escrow: SHA-256 over all part hashes and the hash of each unit. */
  readonly inputRoot: Uint8Array
}

export async function hashPlan<Output>(plan: Plan<Output>): Promise<HashedPlan<Output>> {
  const chunks = await Promise.all(plan.parts.map(chunkHashes))
  const partHashes = await Promise.all(chunks.map(partHash))
  const units = await Promise.all(
    plan.units.map(async ({ params, parts, data }) =>
      sha256(encode([[...params], [...parts], await sha256(data)]))
    )
  )
  return {
    parts: plan.parts,
    units: plan.units,
    assembler: () => plan.assembler(),
    partHashes,
    partChunks: new Map(chunks.map((each, i) => [hex(partHashes[i] ?? new Uint8Array()), each])),
    partRefs: plan.parts.map((bytes, i) => ({ bytes, hash: hex(partHashes[i] ?? new Uint8Array()) })),
    inputRoot: await sha256(concat([...partHashes, ...units]))
  }
}
