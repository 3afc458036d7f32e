import type { LedgerRequest, LedgerResponse, MicroCredits, Network, PeerIdString } from '../wire/index.ts'
import { openRecord } from './envelope.ts'
import type { ForkBook } from './fork-book.ts'
import type { Moving } from './moving.ts'
import type { Payee } from './payee.ts'
import type { Settles } from './settles.ts'
import type { RecognitionShare } from './standing.ts'
import { answerAsWitness, answerOf } from './voter.ts'
import type { Witness } from './witness.ts'

export interface AnswersInit {
  readonly network: Network
  readonly forks: ForkBook
  readonly moving: Moving
  readonly payee: Payee
  readonly settles: Settles
  readonly witness: Witness
  readonly terms: (payer: PeerIdString, max: MicroCredits) => readonly RecognitionShare[]
  readonly log: (message: string) => void
}

/** What a node with a ledger answers: as a payee, as a payer, and else as a witness. */
export function ledgerAnswers({ network, forks, moving, payee, settles, witness, terms, log }: AnswersInit) {
  async function answer(from: PeerIdString, message: LedgerRequest): Promise<LedgerResponse> {
    if (message.t !== 'head' && message.t !== 'records') {
      moving.check()
    }
    switch (message.t) {
      case 'paid':
        await payee.claim(message.certificate, message.index)
        return { t: 'ok' }
      case 'escrow':
        await payee.take(from, message)
        return { t: 'ok' }
      case 'terms':
        return { t: 'terms', on: [...terms(from, message.max)] }
      case 'shown': {
        const { id, record } = await openRecord(message.escrow, network)
        const other = await forks.contradicting({ id, record, signed: message.escrow })
        return other ? { t: 'conflict', record: other } : { t: 'ok' }
      }
      case 'settled': {
        const found = await settles.certificateFor(from, message.escrow)
        return found === 'open' ? { t: 'open' } : { t: 'certificate', ...found }
      }
      default:
        return answerAsWitness(witness, from, message)
    }
  }
  return (from: PeerIdString, message: LedgerRequest): Promise<LedgerResponse> =>
    answerOf(
      () => answer(from, message),
      (reason) => log(`${message.t} of ${from}: ${reason}`)
    )
}
