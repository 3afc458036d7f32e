import { SwarmError } from '../wire/index.ts'

export type NetErrorCode =
  /** No sign of life, or the stream or connection broke. */
  | 'PEER_LOST'
  /** The peer said goodbye. */
  | 'PEER_LEFT'
  /** The stream was closed, by this side or in good order by the other. */
  | 'CLOSED'
  /** No answer in time. */
  | 'TIMED_OUT'
  /** The other side ended the exchange without an answer. */
  | 'NO_ANSWER'
  /** No direct connection: no address, or none that answers (a firewall, another network). */
  | 'UNREACHABLE'
  /** A relay's address cannot be read. */
  | 'BAD_ADDRESS'

/** What goes wrong between two nodes. All but `BAD_ADDRESS` may succeed later, with this peer or another. */
export class NetError extends SwarmError<NetErrorCode> {
  override readonly name = 'NetError'
}

/** The error itself, or one made of whatever was thrown. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
