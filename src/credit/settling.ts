import type { CID } from 'multiformats/cid'
import { type EscrowBody, encode, type MicroCredits, type SettleBody, type UnitGroup } from '../wire/index.ts'
import { sum } from './bodies.ts'
import { ensure } from './errors.ts'
import { mergeGroups, splitUnits } from './shapley.ts'

/** Groups and bytes that the split of a settle takes at most; beyond it only each payee's sum is stated. */
const GROUPS_MAX = 256
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
  const players = body.payees.length
  const shares = splitUnits(groups, players, seed)
  const raises = shares.map((share, index) => (receipted[index] ?? 0n) - share)
  const topUps = raises.flatMap((raise, index) => (raise > 0n ? [alone(index, raise)] : []))
  const payouts = shares.map((share, index) => share + positive(raises[index] ?? 0n))
  for (const [index, { peer, max }] of body.payees.entries()) {
    const payout = payouts[index] ?? 0n
    ensure(payout <= max, 'BAD_SPLIT', `The share of ${peer} is ${payout} µcr, above its channel's ${max}.`)
  }
  const detailed = mergeGroups([...groups, ...topUps])
  const inputs = fits(detailed)
    ? detailed
    : payouts.flatMap((payout, index) => (payout > 0n ? [alone(index, payout)] : []))
  return { escrow, payouts, refund: body.amount - sum(payouts), split: { form: 'units', seed, inputs } }
}

const alone = (payee: number, weight: MicroCredits): UnitGroup => ({ weight, payees: [payee], quorum: 1 })

const positive = (amount: bigint) => (amount > 0n ? amount : 0n)

const fits = (groups: readonly UnitGroup[]) =>
  groups.length <= GROUPS_MAX && encode(groups).byteLength <= SPLIT_BYTES_MAX
