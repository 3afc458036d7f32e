import type { CID } from 'multiformats/cid'
import {
  type EscrowBody,
  encode,
  type MicroCredits,
  type PipelineLane,
  type SettleBody,
  type UnitGroup
} from '../wire/index.ts'
import { sum } from './bodies.ts'
import { ensure } from './errors.ts'
import { mergeGroups, splitUnits } from './shapley.ts'
import { mergeLanes, splitLanes } from './shapley-lanes.ts'

/** Entries and bytes that the split of a settle takes at most; beyond it only each payee's sum is stated. */
const ENTRIES_MAX = 256
const SPLIT_BYTES_MAX = 12 * 1024

/**
 * The settle of an escrow: the Shapley split of its units, raised to what was receipted where it is below.
 * Adding a unit of one payee alone adds its weight to that payee's share and changes no other's, so the raised
 * split is a split of units too, and replays.
 *
 * @param receipted highest receipt by payee index (µcr)
 * @param seed 32 bytes
 * @throws CreditError `BAD_SPLIT` when a share exceeds its channel
 */
export function divide(
  escrow: CID,
  body: EscrowBody,
  groups: readonly UnitGroup[],
  receipted: readonly MicroCredits[],
  seed: Uint8Array
): SettleBody {
  const shares = splitUnits(groups, body.payees.length, seed)
  const { raises, payouts } = raised(body, shares, receipted)
  const detailed = mergeGroups([...groups, ...raises.map(([payee, raise]) => alone(payee, raise))])
  const inputs = fits(detailed) ? detailed : earning(payouts).map(([payee, payout]) => alone(payee, payout))
  return { escrow, payouts, refund: body.amount - sum(payouts), split: { form: 'units', seed, inputs } }
}

/** `divide` for a pipeline: what a payee earned beside any lane that was completed is a lane of one stage. */
export function divideLanes(
  escrow: CID,
  body: EscrowBody,
  lanes: readonly PipelineLane[],
  receipted: readonly MicroCredits[],
  seed: Uint8Array
): SettleBody {
  const merged = mergeLanes(lanes)
  const { raises, payouts } = raised(body, splitLanes(merged, body.payees.length, seed), receipted)
  const detailed = mergeLanes([...merged, ...raises.map(([payee, raise]) => aloneInLane(payee, raise))])
  const inputs = fits(detailed)
    ? detailed
    : earning(payouts).map(([payee, payout]) => aloneInLane(payee, payout))
  return { escrow, payouts, refund: body.amount - sum(payouts), split: { form: 'pipeline', seed, inputs } }
}

/** @returns payouts, and by how much each had to be raised */
function raised(body: EscrowBody, shares: readonly MicroCredits[], receipted: readonly MicroCredits[]) {
  const raises = shares.map((share, index) => (receipted[index] ?? 0n) - share)
  const payouts = shares.map((share, index) => share + positive(raises[index] ?? 0n))
  for (const [index, { peer, max }] of body.payees.entries()) {
    const payout = payouts[index] ?? 0n
    ensure(payout <= max, 'BAD_SPLIT', `The share of ${peer} is ${payout} µcr, above its channel's ${max}.`)
  }
  return { payouts, raises: earning(raises) }
}

const earning = (amounts: readonly MicroCredits[]) =>
  [...amounts.entries()].filter(([, amount]) => amount > 0n)

const alone = (payee: number, weight: MicroCredits): UnitGroup => ({ weight, payees: [payee], quorum: 1 })

const aloneInLane = (payee: number, weight: MicroCredits): PipelineLane => [{ weight, payees: [payee] }]

const positive = (amount: bigint) => (amount > 0n ? amount : 0n)

const fits = (entries: readonly UnitGroup[] | readonly PipelineLane[]) =>
  entries.length <= ENTRIES_MAX && encode(entries).byteLength <= SPLIT_BYTES_MAX
