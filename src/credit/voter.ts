import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Store } from '../store/index.ts'
import {
  isPeerIdString,
  type LedgerRequest,
  type LedgerResponse,
  type Milliseconds,
  type Network,
  type PeerIdString,
  SwarmError
} from '../wire/index.ts'
import { Chores } from './chores.ts'
import { SWEEP_MS } from './constants.ts'
import { CreditError, ensure } from './errors.ts'
import { ForkBook } from './fork-book.ts'
import { type LedgerTransport, libp2pTransport } from './transport.ts'
import { Witness } from './witness.ts'

/** A witness without a chain of its own: a relay, or any node that only stands by. */
export interface Voter {
  readonly peer: PeerIdString
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Votes on other peers' records over the ledger protocol, and nothing else: it holds votes, not authority.
 *
 * @param init `store` keeps the votes; `node` is a started libp2p node, or another way for messages
 */
export function createVoter(init: {
  readonly store: Store
  readonly key: PrivateKey
  readonly network: Network
  readonly node: Libp2p | LedgerTransport
  /** @default Date.now */
  readonly now?: () => Milliseconds
  /** @default silent */
  readonly log?: (message: string) => void
}): Voter {
  const { store, key, network, node, now = Date.now, log = () => {} } = init
  const self = peerIdFromPrivateKey(key).toString()
  ensure(isPeerIdString(self), 'BAD_RECORD', 'A voter needs an Ed25519 identity.')
  const transport = 'call' in node ? node : libp2pTransport(node, network, log)
  const within = (ms: Milliseconds) => AbortSignal.timeout(ms)
  const forks = new ForkBook({ store, network, self, transport, now, log, within })
  const witness = new Witness({
    store,
    key,
    network,
    self,
    now,
    forks,
    rule: async () => {
      throw new CreditError('NOT_CONCERNED', 'This node votes as a witness only.')
    }
  })
  const chores = new Chores(log)
  let swept = now()
  return {
    peer: self,
    async start() {
      await Promise.all([witness.load(), forks.load()])
      await transport.start({
        answer: (from, message) => {
          if (now() >= swept + SWEEP_MS) {
            swept = now()
            chores.do('Forgetting', () => witness.forget())
          }
          return answerOf(() => answerAsWitness(witness, from, message), log)
        },
        connected: () => {}
      })
    },
    async stop() {
      await transport.stop()
      await chores.idle()
      await witness.idle()
    }
  }
}

/** What a witness answers to; undefined for what is asked of payers and payees. */
export async function answerAsWitness(
  witness: Witness,
  from: PeerIdString,
  message: LedgerRequest
): Promise<LedgerResponse> {
  switch (message.t) {
    case 'certify':
      return witness.certify(from, message)
    case 'reseat':
      return witness.reseat(from, message)
    case 'lodge':
      return witness.cashier.lodge(from, message)
    case 'payout':
      return witness.cashier.payout(from, message)
    case 'head':
      return witness.head(message)
    case 'records':
      return { t: 'records', tail: await witness.book.records(message.author, message.after) }
    case 'forked':
      await witness.forks.told(from, message.proof)
      return { t: 'ok' }
    case 'healed':
      await witness.forks.shownHeal(message)
      return { t: 'ok' }
    case 'forks':
      return { t: 'forks', proof: await witness.forks.proofOf(message.author) }
    default:
      throw new CreditError('NOT_CONCERNED', 'This node keeps no ledger of its own.')
  }
}

/** Every reason to refuse becomes an answer, so that the asker knows what to do. */
export async function answerOf(
  answer: () => Promise<LedgerResponse>,
  log: (message: string) => void
): Promise<LedgerResponse> {
  try {
    return await answer()
  } catch (error) {
    log(`Refused a request: ${String(error)}`)
    // what is no error of ours to name is nobody's business outside
    return error instanceof SwarmError
      ? { t: 'refused', code: error.code, message: error.message.slice(0, 512) }
      : { t: 'refused', code: 'INTERNAL', message: 'The request could not be served: try again later.' }
  }
}
