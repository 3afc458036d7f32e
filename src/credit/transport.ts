import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Charge, connect, FloodGate, openStream, request, respond } from '../net/index.ts'
import {
  isPeerIdString,
  LEDGER_MESSAGE_MAX,
  type LedgerRequest,
  type LedgerResponse,
  ledgerRequest,
  ledgerResponse,
  type Network,
  type PeerIdString,
  protocolId
} from '../wire/index.ts'
import { ASKED_RATE, ASKED_RATE_OF_ALL, ASKED_RATE_OF_KNOWN, ASKED_SELDOM } from './constants.ts'

/** How ledger messages travel. */
export interface LedgerTransport {
  start(handlers: TransportHandlers): Promise<void>
  stop(): Promise<void>
  connectedPeers(): readonly PeerIdString[]
  /** Of these, who speaks the ledger protocol: who can be a witness. */
  voters(): Promise<readonly PeerIdString[]>
  /** @throws NetError or WireError when no answer comes */
  call(peer: PeerIdString, message: LedgerRequest, signal: AbortSignal): Promise<LedgerResponse>
}

export interface TransportHandlers {
  /** Never rejects. */
  answer(from: PeerIdString, message: LedgerRequest): Promise<LedgerResponse>
  connected(peer: PeerIdString): void
}

/** One exchange at the other side: verifying a whole message of signatures takes well below a second. */
const ANSWER_MS = 10_000
const STREAMS_PER_CONNECTION = 32

/** For who has used up its allowance. */
const TOO_MUCH: LedgerResponse = {
  t: 'refused',
  code: 'BUSY',
  message: 'You have asked for too much at once: ask again in a while.'
}

/** What others may ask for, in KiB: a share of it only those whom this node knows, and those who ask for little. */
export const askingGate = (knows: (peer: PeerIdString) => boolean = () => false) =>
  new FloodGate(ASKED_RATE, ASKED_RATE_OF_ALL, {
    knows: (peer) => isPeerIdString(peer) && knows(peer),
    known: ASKED_RATE_OF_KNOWN,
    seldom: ASKED_SELDOM
  })

/**
 * Ledger messages over libp2p streams, one exchange a stream; relayed connections will do.
 *
 * @param gate of what others may ask for, in KiB: a question costs 1, its size and that of the answer. @default one
 * for a node that knows nobody
 */
export function libp2pTransport(
  node: Libp2p,
  network: Network,
  log: (message: string) => void,
  gate = askingGate()
): LedgerTransport {
  const protocol = protocolId(network.parameters, 'ledger')
  const self = textOf(node.peerId)
  let onIdentify: ((event: { detail: { peerId: PeerId } }) => void) | undefined
  let answerHere: TransportHandlers['answer'] | undefined

  return {
    async start({ answer, connected }) {
      answerHere = answer
      await node.handle(
        protocol,
        async (stream, connection) => {
          const from = textOf(connection.remotePeer)
          if (from === undefined) {
            stream.abort(new Error('Only Ed25519 peers keep a ledger.'))
            return
          }
          try {
            let charge: Charge | undefined
            const bounded = (message: LedgerRequest, bytes: number) => {
              charge = gate.admit(from, Date.now(), 1 + bytes / 1024)
              return charge ? answer(from, message) : TOO_MUCH
            }
            await respond(stream, ledgerRequest, (message, _, bytes) => bounded(message, bytes), {
              maxBytes: LEDGER_MESSAGE_MAX,
              timeoutMs: ANSWER_MS,
              answered: (bytes) => charge?.(bytes / 1024)
            })
          } catch (error) {
            log(`A ledger request of ${from} failed: ${String(error)}`)
          }
        },
        {
          runOnLimitedConnection: true,
          maxInboundStreams: STREAMS_PER_CONNECTION,
          maxOutboundStreams: STREAMS_PER_CONNECTION
        }
      )
      onIdentify = ({ detail }) => {
        const peer = textOf(detail.peerId)
        if (peer !== undefined) {
          connected(peer)
        }
      }
      node.addEventListener('peer:identify', onIdentify)
    },
    async stop() {
      answerHere = undefined
      if (onIdentify) {
        node.removeEventListener('peer:identify', onIdentify)
      }
      await node.unhandle(protocol)
    },
    connectedPeers: () => node.getPeers().flatMap((peer) => textOf(peer) ?? []),
    async voters() {
      const peers = await Promise.all(
        node.getPeers().map(async (peer) => {
          const known = await node.peerStore.get(peer).catch(() => undefined) // gone meanwhile
          return known?.protocols.includes(protocol) === true ? [textOf(peer) ?? []].flat() : []
        })
      )
      return peers.flat()
    },
    async call(peer, message, signal) {
      if (peer === self && answerHere !== undefined) {
        return answerHere(peer, message) // a payee on the seat of its payer: nobody dials itself
      }
      const connection = await connect(node, peerIdFromString(peer), { signal })
      const stream = await openStream(connection, protocol, { runOnLimitedConnection: true, signal })
      return request(stream, ledgerResponse, message, { maxBytes: LEDGER_MESSAGE_MAX, signal })
    }
  }
}

function textOf(peer: PeerId): PeerIdString | undefined {
  const text = peer.toString()
  return isPeerIdString(text) ? text : undefined
}
