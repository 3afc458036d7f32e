import type { MicroCredits, NetworkParameters, PeerIdString } from '../wire/index.ts'
import { sum } from './bodies.ts'
import { type Edge, min, NO_EDGE, redeem, redeemable, residual, serve, share } from './edges.ts'
import { type Merit, NO_MERIT, type RecognitionShare, type Standing } from './standing.ts'

/**
 * What a node v gives a requester j for work done: in µcr, and on whose account.
 *
 *   rec_v(j) = res_v(j) + own_v(j) + Σ_p min(res_v(p), shown_j(p)),   p neither v nor j
 *   res_v(p)   = ⌊edgePercent · edge_v(p)⌋ − what v gave on p's word
 *   shown_j(p) = ⌊paymentPercent · paid(p→j)⌋ − what j's chain spent on p's name
 *   own_v(j)   = min(shown_j(v), ⌊paymentPercent · edge_v(j)⌋ − what v gave j on its own name)
 *
 * All names together get of v at most v's own edges, whatever anybody signs. And with edgePercent +
 * paymentPercent ≤ 100 all names of one owner together get of all nodes at most what these paid for its work:
 * a piece of work leaves one edge and one payment, at two nodes that need not know of each other's giving.
 */

/** Payers that an escrow names for one payee at most (`wire/records`). */
export const PAYERS_MAX = 16

export interface Recogniser {
  readonly self: PeerIdString
  readonly edges: ReadonlyMap<PeerIdString, Edge>
}

/** rec_v(j) by payer: the requester's own work first, then this node's payments, then others, largest first. */
export function recognise(
  { self, edges }: Recogniser,
  requester: PeerIdString,
  standing: Standing,
  network: NetworkParameters
): RecognitionShare[] {
  const own: RecognitionShare[] = []
  const others: RecognitionShare[] = []
  eachTerm({ self, edges }, requester, standing, network, (payer, amount) => {
    const list = payer === requester || payer === self ? own : others
    list.push({ payer, amount })
    return false
  })
  others.sort((a, b) => Number(b.amount - a.amount) || (a.payer < b.payer ? -1 : 1))
  return [...own, ...others]
}

/**
 * rec_v(j) (µcr): the sum of `recognise`, for who only weighs.
 *
 * @param enough where to stop: the answer is then at least this. @default all of it
 */
export function recognition(
  recogniser: Recogniser,
  requester: PeerIdString,
  standing: Standing,
  network: NetworkParameters,
  enough?: MicroCredits
): MicroCredits {
  let total = 0n
  eachTerm(recogniser, requester, standing, network, (_, amount) => {
    total += amount
    return enough !== undefined && total >= enough
  })
  return total
}

/** Calls back for each term above 0, the requester's own first, until the callback says that it is done. */
function eachTerm(
  { self, edges }: Recogniser,
  requester: PeerIdString,
  standing: Standing,
  network: NetworkParameters,
  take: (payer: PeerIdString, amount: MicroCredits) => boolean
): void {
  const own = edges.get(requester)
  if (own !== undefined) {
    const paid = shown(standing.get(self) ?? NO_MERIT, network)
    const terms: Array<[PeerIdString, MicroCredits]> = [
      [requester, residual(own, network)],
      [self, min(paid, redeemable(own, network))]
    ]
    if (terms.some(([payer, amount]) => amount > 0n && take(payer, amount))) {
      return
    }
  }
  const isDone = (payer: PeerIdString, edge: Edge | undefined, merit: Merit | undefined) => {
    if (edge === undefined || merit === undefined || payer === self || payer === requester) {
      return false
    }
    const amount = min(residual(edge, network), shown(merit, network))
    return amount > 0n && take(payer, amount)
  }
  if (edges.size < standing.size) {
    for (const [payer, edge] of edges) {
      if (isDone(payer, edge, standing.get(payer))) {
        return
      }
    }
  } else {
    for (const [payer, merit] of standing) {
      if (isDone(payer, edges.get(payer), merit)) {
        return
      }
    }
  }
}

/** The sum of shares (µcr). */
export const recognised = (shares: readonly RecognitionShare[]): MicroCredits =>
  sum(shares.map(({ amount }) => amount))

/** On whom a channel of `amount` is served: what an escrow names as `on`. Less than `amount`: the rest is strangers' work. */
export function drawOn(shares: readonly RecognitionShare[], amount: MicroCredits): RecognitionShare[] {
  let left = amount
  const on: RecognitionShare[] = []
  for (const { payer, amount } of shares) {
    if (left === 0n || on.length === PAYERS_MAX) {
      break
    }
    const part = min(left, amount)
    on.push({ payer, amount: part })
    left -= part
  }
  return on
}

/**
 * The edges that change when a node gives `on` to a requester.
 *
 * @param direction −1 takes back what was promised and not used
 * @throws CreditError `INSUFFICIENT_CREDIT` when an edge does not hold so much
 */
export function giveOn(
  { self, edges }: Recogniser,
  requester: PeerIdString,
  on: readonly RecognitionShare[],
  network: NetworkParameters,
  direction: 1 | -1 = 1
): Map<PeerIdString, Edge> {
  const after = new Map<PeerIdString, Edge>()
  for (const { payer, amount } of on) {
    const part = BigInt(direction) * amount
    const peer = payer === self ? requester : payer
    const edge = after.get(peer) ?? edges.get(peer) ?? NO_EDGE
    after.set(peer, payer === self ? redeem(edge, part, network) : serve(edge, part, network))
  }
  return after
}

/** shown_j(p): what a payment is still good for at others (µcr). */
export function shown({ paid, spent }: Merit, network: NetworkParameters): MicroCredits {
  const left = share(paid, network.paymentPercent) - spent
  return left > 0n ? left : 0n
}
