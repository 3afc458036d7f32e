import type { ChainStart, Network, PeerIdString, Signed } from '../wire/index.ts'
import { applyRecord } from './chain.ts'
import { checkCheckpoint } from './checkpoint.ts'
import { isVoteOn, statementsOf } from './envelope.ts'
import { ensure } from './errors.ts'
import { quorumOf, type Seat } from './seat.ts'
import { type ChainState, OPEN_ESCROWS_MAX } from './state.ts'
import { decodeState } from './state-codec.ts'
import { type VerifiedRecord, verifyRecord } from './verify.ts'

/** A place in the middle of a chain from which it may be read. Pure, but for WebCrypto. */

export interface OpenedStart {
  /** Before the checkpoint. */
  readonly state: ChainState
  readonly checkpoint: VerifiedRecord
  /** Members of the state's seat that voted for the checkpoint, each once. */
  readonly voters: readonly PeerIdString[]
}

/**
 * Checks that a checkpoint names this state, follows it, and has these votes. Whether that is to be believed is
 * another question: a seat is named by its author, and the state says of itself which one it is. Only who has reason
 * to believe a quorum of the voters knows more than that (`vouched`).
 *
 * @param envelope the checkpoint as signed
 * @throws WireError or CreditError `BAD_RECORD`, `BAD_CERTIFICATE`, `FORK`
 */
export async function openStart(start: ChainStart, envelope: Signed, network: Network): Promise<OpenedStart> {
  const state = decodeState(start.state)
  const checkpoint = await verifyRecord(envelope, network)
  ensure(checkpoint.record.kind === 'checkpoint', 'BAD_RECORD', 'A chain is read from a checkpoint.')
  checkBounds(state)
  await checkCheckpoint(state, checkpoint)
  applyRecord(state, checkpoint, network.parameters)
  const votes = await statementsOf(start.votes, 'vote', network)
  const voters = votes.map(({ author }) => author)
  ensure(
    votes.every((vote) => isVoteOn(vote, checkpoint.record, checkpoint.id)) &&
      voters.every((peer) => state.seat.members.includes(peer)) &&
      new Set(voters).size === voters.length,
    'BAD_CERTIFICATE',
    "The votes are to be of the seat's members, one each, on this checkpoint."
  )
  return { state, checkpoint, voters }
}

/** Whether a quorum of the state's seat, each of whom `counts`, stands for the checkpoint. */
export function vouched(
  { state: { seat }, voters }: Pick<OpenedStart, 'state' | 'voters'>,
  counts: (peer: PeerIdString) => boolean
): boolean {
  return seat.members.length > 0 && voters.filter(counts).length >= seat.quorum
}

/**
 * The state from which a request lets its reader go on, if the reader believes it; else undefined: it reads on from what
 * it knows.
 *
 * @param known what the reader has followed of the chain already
 * @param counts whom of the voters the reader believes
 * @throws WireError or CreditError for a start that is none
 */
export async function believedState(
  { start, tail }: { readonly start?: ChainStart | undefined; readonly tail: readonly Signed[] },
  author: PeerIdString,
  known: ChainState | undefined,
  network: Network,
  counts: (peer: PeerIdString) => boolean
): Promise<ChainState | undefined> {
  const [checkpoint] = tail
  if (start === undefined || checkpoint === undefined) {
    return undefined
  }
  const opened = await openStart(start, checkpoint, network)
  const { state } = opened
  ensure(state.author === author, 'BAD_RECORD', 'The tail is of another chain.')
  return state.seq > (known?.seq ?? -1) && vouched(opened, counts) ? state : undefined
}

/**
 * Where an exported chain begins, if it is not whole: a checkpoint for which a quorum of its seat vouches.
 *
 * @throws WireError or CreditError as `openStart`; `BAD_CERTIFICATE` without a quorum
 */
export async function openExport(
  { start, records }: { readonly start?: ChainStart | undefined; readonly records: readonly Signed[] },
  network: Network
): Promise<OpenedStart | undefined> {
  const [checkpoint] = records
  if (start === undefined || checkpoint === undefined) {
    return undefined
  }
  const opened = await openStart(start, checkpoint, network)
  ensure(
    vouched(opened, () => true),
    'BAD_CERTIFICATE',
    `Only ${opened.voters.length} of ${opened.state.seat.quorum} witnesses vouch for where the chain starts.`
  )
  return opened
}

/** What a chain read from its genesis keeps to by itself. */
function checkBounds({ seat, sure, openEscrows }: ChainState): void {
  const isSeat = ({ members, quorum }: Seat) =>
    quorum === quorumOf(members.length) && new Set(members).size === members.length
  ensure(
    isSeat(seat) && isSeat(sure) && openEscrows.size <= OPEN_ESCROWS_MAX,
    'BAD_RECORD',
    'No chain comes to that state.'
  )
}
