import { type LedgerInit, PROBATION_MS, type Priorities } from '../credit/index.ts'
import type { SwarmRouter } from '../router/index.ts'

/** Checked work (µcr) that makes a peer's word count: about a canary. Less is a name's for nothing. */
const KNOWN_FROM = 100n

/** What the ledger learns of other peers, passed to who decides by it. */
export function ledgerListeners(
  parts: () => { readonly priorities: Priorities; readonly router: SwarmRouter },
  log: (message: string, error: unknown) => void
): Required<Pick<LedgerInit, 'followed' | 'forked' | 'slandered' | 'terms' | 'knows'>> {
  const notKept = (error: unknown) => log('what is owed to a peer was not kept - %e', error)
  return {
    terms: (payer, max) => parts().priorities.offer(payer, max),
    knows: (peer) => (parts().priorities.edges.get(peer)?.work ?? 0n) >= KNOWN_FROM,
    followed: (...step) => parts().priorities.follow(...step),
    forked: (peer, healedAt) => {
      parts().router.condemn(peer, healedAt === undefined ? undefined : healedAt + PROBATION_MS)
      parts().priorities.bar(peer, healedAt).catch(notKept)
    },
    slandered: (peer) => {
      parts().priorities.forget(peer).catch(notKept)
    }
  }
}
