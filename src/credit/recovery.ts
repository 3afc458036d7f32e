import type { Milliseconds, Network, PeerIdString, Signed } from '../wire/index.ts'
import type { AuthorClock } from './clock.ts'
import { ASK_MS, LOOK_AGAIN_MS } from './constants.ts'
import { openRecord } from './envelope.ts'
import { CreditError } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'

export interface RecoveryInit {
  readonly chain: OwnChain
  readonly transport: LedgerTransport
  readonly network: Network
  readonly log: (message: string) => void
  /** Set by the answers. @default none is */
  readonly clock?: Pick<AuthorClock, 'hear'>
  /** How long a quorum is waited for. @default as long as the network is patient */
  readonly patienceMs?: Milliseconds
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

/**
 * Before a node that has been away signs anything: asks its witnesses how far its chain goes, until a quorum of
 * them has said so, and takes up what it has lost (a profile restored from a copy; another one with the same key).
 * Without a quorum for so long as the network is patient it goes on with what it has.
 *
 * @throws CreditError `RECOVERING` when the witnesses keep newer records that do not follow this chain
 */
export async function recoverHead(state: ChainState, init: RecoveryInit): Promise<void> {
  const { chain, network, log, within } = init
  const { members, quorum } = state.seat
  const tails = new Map<PeerIdString, readonly Signed[]>()
  const enough = Promise.withResolvers<void>()
  const patience = within(init.patienceMs ?? network.parameters.seatPatienceMs)
  patience.addEventListener('abort', () => enough.resolve(), { once: true })
  const ask = async (peer: PeerIdString) => {
    try {
      const question = { t: 'head' as const, author: state.author, after: state.seq - 1 }
      const answer = await init.transport.call(peer, question, within(ASK_MS, patience))
      if (answer.t === 'head') {
        init.clock?.hear(peer, answer.now, members, quorum)
        tails.set(peer, answer.tail)
      }
    } catch (error) {
      log(`${peer} did not say where this chain ends: ${String(error)}`)
    }
    if (tails.size >= quorum) {
      enough.resolve()
    }
  }
  while (tails.size < quorum && !patience.aborted) {
    const missing = members.filter((peer) => !tails.has(peer))
    await Promise.race([Promise.all(missing.map(ask)), enough.promise])
    if (tails.size < quorum) {
      await Promise.race([enough.promise, new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))])
    }
  }
  if (tails.size < quorum && patience.reason instanceof CreditError) {
    throw patience.reason // the ledger was stopped: nobody is to sign now
  }
  if (tails.size < quorum) {
    log(`Only ${tails.size} of ${quorum} witnesses said where this chain ends: going on without the others.`)
  }
  for (const tail of tails.values()) {
    await takeUp(chain, await newerThan(await chain.latest(), tail, init))
  }
}

/** What this node signed after its head, of what a witness sent: forged records and other people's are nothing. */
async function newerThan(
  { author, seq, id: head }: ChainState,
  tail: readonly Signed[],
  { network, log }: RecoveryInit
): Promise<Signed[]> {
  const newer: Signed[] = []
  for (const envelope of tail) {
    try {
      const { id, record } = await openRecord(envelope, network)
      if (record.author === author && (record.seq > seq || (record.seq === seq && !id.equals(head)))) {
        newer.push(envelope)
      }
    } catch (error) {
      log(`A witness sent what is no record of this chain: ${String(error)}`)
    }
  }
  return newer
}

async function takeUp(chain: OwnChain, records: readonly Signed[]): Promise<void> {
  try {
    await chain.adopt(records)
  } catch (cause) {
    throw new CreditError(
      'RECOVERING',
      'The witnesses keep newer records of this ledger, and this copy is too old for them: restore a newer one. Nothing is signed until then.',
      { cause }
    )
  }
}
