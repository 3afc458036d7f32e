import type { CID } from 'multiformats/cid'
import { type PeerIdString, type Signed, sha256, type UnitGroup } from '../wire/index.ts'
import type { Channel } from './channel.ts'

/** What one escrow of a round comes to. */
export interface Ending {
  readonly escrow: CID
  readonly channels: readonly Channel[]
  readonly groups: UnitGroup[]
  readonly seed: Uint8Array
  readonly releases: Map<PeerIdString, Signed>
}

export function endingOf(
  { escrow, channels }: Pick<Ending, 'escrow' | 'channels'>,
  seed: Uint8Array,
  releases: ReadonlyMap<Channel, Signed>
): Ending {
  return {
    escrow,
    channels,
    groups: channels
      .filter(({ tally }) => tally.amount > 0n)
      .map(({ tally, payeeIndex }) => ({ weight: tally.amount, payees: [payeeIndex], quorum: 1 })),
    seed,
    releases: new Map(
      channels.flatMap((channel) => {
        const release = releases.get(channel)
        return release === undefined ? [] : [[channel.peer, release] as const]
      })
    )
  }
}

/** Hash over the results in unit order; the ledger mixes the escrow's nonce in (credit.md section 4). */
export function seedOf(resultHashes: ReadonlyMap<number, Uint8Array>): Promise<Uint8Array> {
  const ordered = [...resultHashes].sort(([a], [b]) => a - b).map(([, hash]) => hash)
  const all = new Uint8Array(ordered.length * 32)
  ordered.forEach((hash, i) => {
    all.set(hash, i * 32)
  })
  return sha256(all)
}
