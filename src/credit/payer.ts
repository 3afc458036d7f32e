import type { CID } from 'multiformats/cid'
import { type Store, StoreError } from '../store/index.ts'
import type { MicroCredits, Milliseconds, Network, PeerIdString, Signed, UnitGroup } from '../wire/index.ts'
import { sum } from './bodies.ts'
import type { Certifier, OwnRecord } from './certify.ts'
import type { AuthorClock } from './clock.ts'
import { ESCROW_VOTE_MS, PAID_MS, TERMS_MS } from './constants.ts'
import { min } from './edges.ts'
import { CreditError } from './errors.ts'
import type { ForkBook } from './fork-book.ts'
import { checkOpenBytes } from './open-bytes.ts'
import type { OwnChain } from './own-chain.ts'
import type { OwnStanding } from './own-standing.ts'
import { shown } from './recognition.ts'
import type { SeatKeeper } from './seat-keeper.ts'
import { openEscrowOf, type Settles } from './settles.ts'
import type { Spending } from './spending.ts'
import type { RecognitionShare } from './standing.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import type { Channel, Contract, Ledger, Settlement } from './types.ts'
import { certifiersOf } from './voters.ts'

export interface PayerInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly spending: Spending
  readonly certifier: Certifier
  readonly forks: ForkBook
  readonly keeper: SeatKeeper
  readonly settles: Settles
  readonly standing: Pick<OwnStanding, 'now'>
  readonly transport: LedgerTransport
  readonly network: Network
  readonly now: () => Milliseconds
  readonly clock: Pick<AuthorClock, 'offset' | 'check' | 'isDoubtful'>
  readonly random: (length: number) => Uint8Array
  readonly log: (message: string) => void
  readonly changed: () => void
  /** A signal for that many ms, ended earlier by the given one or by the ledger's own end. */
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

type Order = Parameters<Ledger['openEscrow']>[0]

/** The witnesses are tried again once, by then others, before the job is given up. */
const ATTEMPTS = 2

/** The requester's side of a contract: escrow, receipts, and what it asks of the settles. */
export class Payer {
  private readonly init: PayerInit
  /** Escrows that somebody works on: nobody else settles them. */
  private readonly working = new Set<string>()

  constructor(init: PayerInit) {
    this.init = init
  }

  async openEscrow(order: Order): Promise<Contract> {
    const tried: CID[] = []
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const contract = await this.tryEscrow(order, attempt === ATTEMPTS, tried)
        if (contract) {
          return contract
        }
      } catch (error) {
        const isShort = error instanceof CreditError && error.code === 'INSUFFICIENT_CREDIT'
        if (isShort && tried.length > 0) {
          throw await this.notCertified(tried, error) // what is short is locked by the first attempt
        }
        throw error
      }
    }
    this.init.clock.check()
    throw await this.notCertified(tried)
  }

  /** Before tClose witnesses that may have voted for an escrow want releases: until then it may stay locked. */
  private async notCertified(tried: readonly CID[], cause?: unknown): Promise<CreditError> {
    const { openEscrows } = await this.init.chain.latest()
    const locked = tried.flatMap((id) => openEscrows.get(id.toString())?.body ?? [])
    if (locked.length === 0) {
      const message = 'The escrow was not certified, and is refunded: try again.'
      return new CreditError('NO_VOTES', message, { retryable: true, cause })
    }
    const lockedUntil = Math.max(...locked.map(({ tClose }) => tClose))
    const amount = sum(locked.map(({ amount }) => amount))
    return new CreditError(
      'NO_VOTES',
      `The escrow was not certified: ${amount} µcr stay locked until ${new Date(lockedUntil).toISOString()}. Ask for less, or try again then.`,
      { retryable: true, details: { lockedUntil }, cause }
    )
  }

  /** Undefined where the witnesses did not answer; what it signed is in `tried` then. @throws CreditError `NO_VOTES` where no payee did */
  private async tryEscrow(order: Order, isLast: boolean, tried: CID[]): Promise<Contract | undefined> {
    const { chain, keeper, changed, within } = this.init
    const { channels, tClose, signal } = order
    signal?.throwIfAborted()
    const asked = Promise.all(channels.map((channel) => this.termsOf(channel, signal)))
    try {
      await keeper.ready(within(2 * this.init.network.parameters.seatPatienceMs, signal))
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof StoreError) {
        throw cause // a seat could not be kept: no provider mends that
      }
      this.init.clock.check()
      throw new CreditError('NO_VOTES', 'The witnesses of this node do not answer: try again later.', {
        retryable: true,
        cause
      })
    }
    const on = await this.atMostShown(await asked)
    const own = await chain.append((state, ts) => ({
      intent: { kind: 'escrow', ts, body: this.escrowBody(order, on, state) }
    }))
    changed()
    for (const { peer } of channels) {
      void this.init.forks.inquire(peer, own.state.seat.members)
    }
    tried.push(own.id)
    this.working.add(own.id.toString())
    const certified = await this.certify(own, isLast, signal)
    if (certified === undefined || certified.length === 0 || signal?.aborted) {
      this.working.delete(own.id.toString())
      await this.init.settles.giveUp(own.id)
      signal?.throwIfAborted()
      if (certified === undefined) {
        return undefined
      }
      throw await this.notCertified([own.id])
    }
    return { escrow: own.id, channels, tClose, certifiedBy: certified }
  }

  /** The payees that have taken the escrow; undefined without a quorum of its witnesses. */
  private async certify(
    own: OwnRecord & { state: ChainState },
    isLast: boolean,
    signal: AbortSignal | undefined
  ): Promise<PeerIdString[] | undefined> {
    const { certifier, keeper, within } = this.init
    const { body } = openEscrowOf(own.state, own.id)
    const payees = body.payees.map(({ peer }) => peer)
    if (body.witnesses.length === 0) {
      const votes = await certifier.collect(own, certifiersOf(body).members, within(ESCROW_VOTE_MS, signal))
      return [...votes.keys()]
    }
    // the votes of those who have voted twice count nowhere
    const asked = body.witnesses.filter((peer) => !this.init.forks.has(peer))
    const votes = await certifier.collect(own, asked, within(ESCROW_VOTE_MS, signal), body.quorum)
    if (votes.size < body.quorum) {
      // who may have refused for this node's own clock is asked once more
      if (isLast || !this.init.clock.isDoubtful) {
        keeper.silent(body.witnesses, votes.keys())
      }
      return undefined
    }
    const signed = [...votes.values()].slice(0, body.witnesses.length)
    const told = await Promise.all(
      payees.map(async (peer) => ({ peer, answer: await this.tell(peer, own.signed, signed, signal) }))
    )
    const taken = told.flatMap(({ peer, answer }) => (answer === 'ok' ? [peer] : []))
    // with what the payees have told of them, other votes may do
    return taken.length === 0 && told.some(({ answer }) => answer === 'SEAT') ? undefined : taken
  }

  private async tell(
    peer: PeerIdString,
    escrow: Signed,
    votes: Signed[],
    signal: AbortSignal | undefined
  ): Promise<string> {
    const { transport, within, log } = this.init
    try {
      const answer = await transport.call(peer, { t: 'escrow', escrow, votes }, within(PAID_MS, signal))
      if (answer.t !== 'ok') {
        log(`${peer} did not take the escrow: ${answer.t === 'refused' ? answer.message : answer.t}`)
      }
      return answer.t === 'refused' ? answer.code : answer.t
    } catch (error) {
      log(`${peer} was not told of the escrow: ${String(error)}`)
      return 'away'
    }
  }

  /** On whose account the provider serves this node. Never rejects. */
  private async termsOf(
    { peer, max }: Channel,
    signal: AbortSignal | undefined
  ): Promise<RecognitionShare[]> {
    const { transport, within, log } = this.init
    try {
      const answer = await transport.call(peer, { t: 'terms', max }, within(TERMS_MS, signal))
      const on = answer.t === 'terms' ? answer.on : []
      const isSound = new Set(on.map(({ payer }) => payer)).size === on.length
      return isSound && sum(on.map(({ amount }) => amount)) <= max ? on : []
    } catch (error) {
      log(`${peer} did not say on whose account it serves: ${String(error)}`)
      return []
    }
  }

  /** No more on a payer's account than this node's own chain shows: what is named is spent, whoever made it up. */
  private async atMostShown(named: ReadonlyArray<RecognitionShare[]>): Promise<RecognitionShare[][]> {
    const { chain, network, standing } = this.init
    const known = named.flat().some(({ payer }) => payer !== chain.peer) ? await standing.now() : undefined
    if (known === undefined) {
      return [...named]
    }
    const left = new Map([...known].map(([payer, merit]) => [payer, shown(merit, network.parameters)]))
    const take = ({ payer, amount }: RecognitionShare): RecognitionShare[] => {
      const part = payer === chain.peer ? amount : min(amount, left.get(payer) ?? 0n)
      left.set(payer, (left.get(payer) ?? 0n) - part)
      return part > 0n ? [{ payer, amount: part }] : []
    }
    return named.map((on) => on.flatMap(take))
  }

  private escrowBody(
    { jobId, parent, channels, inputRoot, tClose }: Order,
    on: ReadonlyArray<RecognitionShare[]>,
    state: ChainState | undefined
  ) {
    const body = {
      jobId,
      parent: parent ?? null,
      payees: channels.map(({ peer, max }, i) => ({ peer, max, on: on[i] ?? [] })),
      amount: sum(channels.map(({ max }) => max)),
      inputRoot,
      witnesses: [...(state?.seat.members ?? [])],
      quorum: state?.seat.quorum ?? 0,
      tClose: tClose + this.init.clock.offset, // whoever sets it goes by the device's clock
      nonce: this.init.random(16)
    }
    checkOpenBytes(state, body)
    return body
  }

  async receipt(escrow: CID, payee: PeerIdString, amount: MicroCredits): Promise<Signed> {
    const { body } = openEscrowOf(await this.init.chain.latest(), escrow)
    return this.init.spending.give(escrow, body, payee, amount, this.init.now())
  }

  async settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    options: Parameters<Ledger['settle']>[2]
  ): Promise<Settlement> {
    try {
      return await this.init.settles.settle(escrow, groups, options)
    } finally {
      this.working.delete(escrow.toString()) // where it failed it is settled later, as receipted
    }
  }

  /** Settles, as receipted, what nobody works on and nobody waits for any more. Never rejects. */
  async settleLeftovers(): Promise<void> {
    const { chain, settles } = this.init
    const { openEscrows } = await chain.latest()
    for (const [key, open] of openEscrows) {
      if (!this.working.has(key)) {
        await settles.settleLeftover(key, open)
      }
    }
  }
}
