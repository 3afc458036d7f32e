import type { CID } from 'multiformats/cid'
import type { LedgerRecord, Network, PeerIdString, Signed } from '../wire/index.ts'
import { TAIL_BYTES, TAIL_RECORDS, TAIL_ROUNDS_MAX } from './constants.ts'
import type { OwnChain } from './own-chain.ts'
import { serialByKey } from './serial.ts'
import type { LedgerTransport } from './transport.ts'
import { isVoteOn, verifyStatement } from './verify.ts'

export interface OwnRecord {
  readonly id: CID
  readonly record: LedgerRecord
  readonly signed: Signed
}

const KNOWN_MAX = 1024
/** A stranger gets the whole of a chain up to this length at once, which saves a round trip. */
const SHORT_CHAIN = 64

/** Asks peers for their votes on this node's records: one peer gets them in the chain's order. */
export class Certifier {
  private readonly chain: OwnChain
  private readonly transport: LedgerTransport
  private readonly network: Network
  private readonly log: (message: string) => void
  private readonly inTurn = serialByKey()
  /** The place up to which a peer has followed this node's chain. */
  private readonly known = new Map<PeerIdString, number>()

  constructor(init: {
    chain: OwnChain
    transport: LedgerTransport
    network: Network
    log: (message: string) => void
  }) {
    this.chain = init.chain
    this.transport = init.transport
    this.network = init.network
    this.log = init.log
  }

  /** The valid votes that came before the signal, by voter. Never rejects. */
  async collect(
    own: OwnRecord,
    peers: readonly PeerIdString[],
    signal: AbortSignal
  ): Promise<Map<PeerIdString, Signed>> {
    const votes = new Map<PeerIdString, Signed>()
    await Promise.all(
      peers.map(async (peer) => {
        try {
          const vote = await this.inTurn(peer, () => this.ask(own, peer, signal))
          votes.set(peer, vote)
        } catch (error) {
          this.log(`No vote of ${peer} on record ${own.record.seq}: ${String(error)}`)
        }
      })
    )
    return votes
  }

  private async ask(own: OwnRecord, peer: PeerIdString, signal: AbortSignal): Promise<Signed> {
    const { seq } = own.record
    let after = this.known.get(peer) ?? (seq <= SHORT_CHAIN ? -1 : seq - 1)
    for (let round = 0; round < TAIL_ROUNDS_MAX; round++) {
      signal.throwIfAborted()
      const tail = await this.tail(after, seq)
      const answer = await this.transport.call(peer, { t: 'certify', record: own.signed, tail }, signal)
      switch (answer.t) {
        case 'vote': {
          const vote = await verifyStatement(answer.vote, 'vote', this.network)
          if (vote.author !== peer || !isVoteOn(vote, own.record, own.id)) {
            throw new Error('it voted for something else')
          }
          this.remember(peer, seq)
          return answer.vote
        }
        case 'need':
          if (answer.after >= seq || (round > 0 && answer.after <= after)) {
            throw new Error('it asks for what it was sent')
          }
          after = answer.after
          break
        case 'refused':
          throw new Error(`${answer.code}: ${answer.message}`)
        case 'conflict':
          throw new Error('it has another record for that place')
        default:
          throw new Error(`it answered ${answer.t}`)
      }
    }
    throw new Error('the chain is too long for it')
  }

  private async tail(after: number, seq: number): Promise<Signed[]> {
    const records = await this.chain.range(after + 1, Math.min(seq, after + 1 + TAIL_RECORDS))
    let size = 0
    return records.filter(({ payload }, index) => {
      size += payload.byteLength + 96
      return index === 0 || size <= TAIL_BYTES
    })
  }

  private remember(peer: PeerIdString, seq: number): void {
    if (this.known.size >= KNOWN_MAX) {
      this.known.clear()
    }
    this.known.set(peer, seq)
  }
}
