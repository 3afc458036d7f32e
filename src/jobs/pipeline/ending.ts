import { type PipelineLane, sha256 } from '../../wire/index.ts'
import type { Done, Lane } from './lane.ts'

/** What the split of a settle is made of: the lanes that are through, and work beside them. */
export function lanesOf(completed: readonly Lane[], beside: readonly Done[]): PipelineLane[] {
  const alone = beside.map(
    ({ price, channel }): PipelineLane => [{ weight: price, payees: [channel.payeeIndex] }]
  )
  return [...completed.map(splitOf), ...alone]
}

function splitOf({ plan, done }: Lane): PipelineLane {
  return plan.weights.map((weight, stage) => ({
    weight,
    payees: [...new Set((done[stage] ?? []).flatMap((each) => each?.channel.payeeIndex ?? []))]
  }))
}

/** Hash over the last results in order; the ledger mixes the escrow's nonce in (credit.md section 4). */
export function seedOf(lanes: readonly Lane[]): Promise<Uint8Array> {
  const hashes = lanes.flatMap(({ done }) => (done.at(-1) ?? []).flatMap((each) => each?.hash ?? []))
  const all = new Uint8Array(hashes.length * 32)
  hashes.forEach((hash, i) => {
    all.set(hash, i * 32)
  })
  return sha256(all)
}
