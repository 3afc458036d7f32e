import type { PrivateKey } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import {
  DOMAINS,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  sign,
  type Ticket,
  ticket as ticketSchema,
  verifySigned
} from '../wire/index.ts'
import { TICKET_LIFETIME } from './constants.ts'
import { JobError } from './errors.ts'

/** A requester's leave: `holder` may give these of its parts to `taker`. */
export function signTicket(
  key: PrivateKey,
  network: Network,
  ticket: Omit<Ticket, 'v' | 'net'>
): Promise<Signed> {
  return sign(key, DOMAINS.ticket, { v: 1, net: network.hash, ...ticket })
}

export interface TicketUse {
  readonly network: Network
  readonly now: Milliseconds
  readonly holder: PeerIdString
  readonly taker: PeerIdString
}

/** @throws WireError `BAD_SIGNATURE` and its like, JobError `PROTOCOL` for one of others, of elsewhere, or too old */
export async function checkTicket(signed: Signed, use: TicketUse): Promise<Ticket> {
  const ticket = await readTicket(signed)
  const { parameters, hash } = use.network
  const age = use.now - ticket.ts
  if (!equals(ticket.net, hash) || ticket.holder !== use.holder || ticket.taker !== use.taker) {
    throw new JobError('PROTOCOL', 'That ticket is for another network, holder or taker.')
  }
  if (age < -parameters.clockSkewMs || age > TICKET_LIFETIME + parameters.clockSkewMs) {
    throw new JobError('PROTOCOL', 'That ticket has run out, or is not valid yet.')
  }
  return ticket
}

/** @throws WireError */
export const readTicket = (signed: Signed): Promise<Ticket> =>
  verifySigned(signed, DOMAINS.ticket, ticketSchema, ({ author }) => author)
