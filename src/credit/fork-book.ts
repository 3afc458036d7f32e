import { equals } from 'uint8arrays/equals'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  decode,
  encode,
  type ForkProof,
  forkProof,
  type LedgerRecord,
  type Milliseconds,
  type Network,
  natural,
  type PeerIdString,
  peerId,
  type Signed,
  timestamp
} from '../wire/index.ts'
import { verifyHeal } from './certificate.ts'
import { ASK_MS, AUTHORS_MAX } from './constants.ts'
import { openRecord } from './envelope.ts'
import { ensure } from './errors.ts'
import { type Fork, verifyForkProof } from './forks.ts'
import { type Sighting, Sightings } from './sightings.ts'
import type { LedgerTransport } from './transport.ts'

export interface ForkBookInit {
  readonly store: Store
  readonly network: Network
  readonly self: PeerIdString
  readonly transport: Pick<LedgerTransport, 'call'>
  readonly now: () => Milliseconds
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
  /**
   * An author is proven to have forked: at once, and at the start for each that is known. `healedAt`: when this node
   * saw that it has healed since.
   */
  readonly forked?: (author: PeerIdString, healedAt: Milliseconds | undefined) => void
  /**
   * Whether this node deals with that peer: what it is told of it is kept whatever else there is. @default with nobody
   */
  readonly concerns?: (author: PeerIdString) => boolean | Promise<boolean>
  /** Authors of whom it is kept what was only told. @default 1,024; smaller in tests only */
  readonly toldMax?: number
  /** A peer has told what is not true, over a connection that is its own. */
  readonly slandered?: (peer: PeerIdString) => void
}

const rowSchema = z.strictObject({
  proof: forkProof,
  /** The last place that the proof speaks of. */
  seq: natural,
  /** Place of the newest heal that this node knows, and when it came to know it. */
  healed: z.nullable(z.strictObject({ seq: natural, at: timestamp })),
  /** This node was only told, of somebody with whom it did not deal. */
  isTold: z.optional(z.boolean())
})
type Row = z.output<typeof rowSchema>

const PREFIX = 'fork/'
/** Names are free: what this node was only told, it keeps of so many authors, and in so many bytes: of the newest. */
const TOLD_ROWS_MAX = 1_024
const BYTES_MAX = 16 * 1024 * 1024
const SLANDERERS_MAX = 1_024
/** Who is told of a proof, and asked for one. */
const TELL_MAX = 32
const ASK_MAX = 4
const ASK_AGAIN_MS = 10 * 60_000
const ASKED_MAX = 1_024

/** The proofs of forks that this node has: one an author, for ever. It tells whom they concern, and who asks. */
export class ForkBook {
  private readonly init: ForkBookInit
  private readonly known = new Map<PeerIdString, Pick<Row, 'seq' | 'healed'>>()
  /** Bytes of the rows about those of whom this node was only told, the oldest first. */
  private readonly hearsay = new Map<PeerIdString, number>()
  private hearsayBytes = 0
  private readonly slanderers = new Set<PeerIdString>()
  private readonly sightings = new Sightings()
  private readonly asked = new Map<PeerIdString, Milliseconds>()

  constructor(init: ForkBookInit) {
    this.init = init
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.table.entries()) {
      if (key.startsWith(PREFIX)) {
        const { seq, healed, isTold } = decode(value, rowSchema, Number.POSITIVE_INFINITY)
        const author = peerId.parse(key.slice(PREFIX.length))
        this.known.set(author, { seq, healed })
        this.weigh(author, isTold === true ? value.byteLength : undefined)
        this.init.forked?.(author, isHealed({ seq, healed }) ? healed?.at : undefined)
      }
    }
  }

  /** The author has forked, and not healed since. */
  has(author: PeerIdString): boolean {
    const known = this.known.get(author)
    return known !== undefined && !isHealed(known)
  }

  async proofOf(author: PeerIdString): Promise<ForkProof | null> {
    return (await this.row(author))?.proof ?? null
  }

  /** @throws CreditError `FORK` for an author that has forked */
  refuse(author: PeerIdString): void {
    ensure(!this.has(author), 'FORK', 'You have signed two records for one place: heal your chain first.')
  }

  /** A verified record of somebody else: kept, and set against those seen before it. Never rejects. */
  async see(sighting: Sighting): Promise<void> {
    for (const proof of this.sightings.see(sighting)) {
      await this.found(proof)
    }
  }

  /** A proof that this node has come upon: kept, and told to whom it concerns. Never rejects. */
  async found(proof: ForkProof): Promise<void> {
    try {
      const fork = await verifyForkProof(proof, this.init.network)
      const { author } = fork
      if (await this.keep(fork, proof, false)) {
        void this.tell(author, proof)
      }
    } catch (error) {
      this.init.log(`No proof of a fork: ${String(error)}`)
    }
  }

  /** A proof as told by a peer. @throws CreditError `BAD_PROOF` and WireError for a false one, which costs the peer */
  async told(from: PeerIdString, proof: ForkProof): Promise<void> {
    ensure(!this.slanderers.has(from), 'NOT_CONCERNED', 'You have told this node what was not true.')
    let fork: Fork
    try {
      fork = await verifyForkProof(proof, this.init.network)
    } catch (error) {
      if (this.slanderers.size < SLANDERERS_MAX) {
        this.slanderers.add(from)
      }
      this.init.slandered?.(from)
      throw error
    }
    // what fails here is no fault of the teller
    const isTold = (await this.init.concerns?.(fork.author)) !== true
    await this.keep(fork, proof, isTold)
    await this.makeRoom()
  }

  /** The author has healed, as it shows. @throws CreditError or WireError */
  async shownHeal(shown: { heal: Signed; votes: readonly Signed[] }): Promise<void> {
    const { author, seq } = await verifyHeal(shown, this.init.network)
    await this.healed(author, seq)
  }

  /** The author has healed, at that place of its chain. */
  async healed(author: PeerIdString, seq: number): Promise<void> {
    const row = await this.row(author)
    if (row !== undefined && seq > (row.healed?.seq ?? -1)) {
      await this.save(author, { ...row, healed: { seq, at: this.init.now() } })
    }
  }

  /** Gives a peer the proof against another one, if there is any. Never rejects. */
  async share(peer: PeerIdString, author: PeerIdString): Promise<void> {
    const { transport, within, log } = this.init
    const proof = await this.proofOf(author)
    if (proof) {
      await transport.call(peer, { t: 'forked', proof }, within(ASK_MS)).catch((error) => {
        log(`${peer} was not told that ${author} has forked: ${String(error)}`)
      })
    }
  }

  /**
   * A record of somebody else, as somebody asks about it.
   *
   * @returns one of the same author that contradicts it, or others that do each other
   */
  async contradicting({ signed, ...sighting }: Sighting): Promise<Signed | undefined> {
    await this.see({ signed, ...sighting })
    const proof = await this.proofOf(sighting.record.author)
    if (proof?.kind !== 'records') {
      return undefined
    }
    return equals(proof.one.payload, signed.payload) ? proof.two : proof.one
  }

  /** Asks some peers whether they have a proof against an author; not again for ten minutes. Never rejects. */
  async inquire(author: PeerIdString, peers: readonly PeerIdString[]): Promise<void> {
    const { now, self } = this.init
    const last = this.asked.get(author) ?? Number.NEGATIVE_INFINITY
    if (this.known.has(author) || author === self || now() < last + ASK_AGAIN_MS) {
      return
    }
    if (this.asked.size >= ASKED_MAX) {
      this.asked.clear()
    }
    this.asked.set(author, now())
    const others = peers.filter((peer) => peer !== self && peer !== author)
    await Promise.all(others.slice(0, ASK_MAX).map((peer) => this.ask(peer, author)))
  }

  private async ask(peer: PeerIdString, author: PeerIdString): Promise<void> {
    const { transport, within, log } = this.init
    try {
      const answer = await transport.call(peer, { t: 'forks', author }, within(ASK_MS))
      if (answer.t === 'forks' && answer.proof !== null) {
        await this.told(peer, answer.proof)
      }
    } catch (error) {
      log(`${peer} did not say whether ${author} has forked: ${String(error)}`)
    }
  }

  /** @returns whether the proof is news */
  private async keep({ author, seq }: Fork, proof: ForkProof, isTold: boolean): Promise<boolean> {
    const known = this.known.get(author)
    const hasRoom = isTold || this.known.size - this.hearsay.size < AUTHORS_MAX
    const isNews = known === undefined ? hasRoom : isHealed(known) && seq > known.seq
    if (isNews) {
      const row = { proof, seq, healed: known?.healed ?? null }
      await this.save(author, isTold ? { ...row, isTold } : row)
    } else if (!isTold && this.hearsay.has(author)) {
      const row = await this.row(author)
      if (row !== undefined) {
        await this.save(author, { ...row, isTold: false }) // kept for ever from now on
      }
    }
    return isNews
  }

  /** Forgets the oldest of what this node was only told: what it is told now may be of somebody about to come. */
  private async makeRoom(): Promise<void> {
    for (const author of [...this.hearsay.keys()]) {
      if (this.hearsay.size <= (this.init.toldMax ?? TOLD_ROWS_MAX) && this.hearsayBytes <= BYTES_MAX) {
        return
      }
      this.weigh(author, undefined)
      if ((await this.init.concerns?.(author)) !== true) {
        this.known.delete(author)
        this.asked.delete(author)
        await this.table.delete(PREFIX + author)
      }
    }
  }

  private weigh(author: PeerIdString, bytes: number | undefined): void {
    this.hearsayBytes -= this.hearsay.get(author) ?? 0
    this.hearsay.delete(author)
    if (bytes !== undefined) {
      this.hearsay.set(author, bytes)
      this.hearsayBytes += bytes
    }
  }

  /** In memory at once: whatever is decided meanwhile knows it. */
  private async save(author: PeerIdString, row: Row): Promise<void> {
    this.known.set(author, { seq: row.seq, healed: row.healed })
    this.init.log(`${author} has forked${isHealed(row) ? ' and healed' : ''}.`)
    this.init.forked?.(author, isHealed(row) ? row.healed?.at : undefined)
    const value = encode(row)
    this.weigh(author, row.isTold === true ? value.byteLength : undefined)
    await this.table.put(PREFIX + author, value)
  }

  /** The author itself, its witnesses and counterparties, as far as the two records name them. */
  private async tell(author: PeerIdString, proof: ForkProof): Promise<void> {
    const { network, self, transport, within, log } = this.init
    const concerned = new Set<PeerIdString>([author])
    if (proof.kind === 'records') {
      for (const signed of [proof.one, proof.two]) {
        const { record } = await openRecord(signed, network, { signatures: false })
        for (const peer of namedBy(record)) {
          concerned.add(peer)
        }
      }
    }
    concerned.delete(self)
    await Promise.all(
      [...concerned].slice(0, TELL_MAX).map(async (peer) => {
        try {
          await transport.call(peer, { t: 'forked', proof }, within(ASK_MS))
        } catch (error) {
          log(`${peer} was not told that ${author} has forked: ${String(error)}`)
        }
      })
    )
  }

  private async row(author: PeerIdString): Promise<Row | undefined> {
    const bytes = this.known.has(author) ? await this.table.get(PREFIX + author) : undefined
    return bytes && decode(bytes, rowSchema, Number.POSITIVE_INFINITY)
  }

  private get table() {
    return this.init.store.table('certificates')
  }
}

const isHealed = ({ seq, healed }: Pick<Row, 'seq' | 'healed'>) => healed !== null && healed.seq > seq

function namedBy(record: LedgerRecord): readonly PeerIdString[] {
  switch (record.kind) {
    case 'escrow':
      return [...record.body.witnesses, ...record.body.payees.map(({ peer }) => peer)]
    case 'transfer':
      return [...record.body.witnesses, record.body.to]
    case 'seat':
      return record.body.members
    default:
      return []
  }
}
