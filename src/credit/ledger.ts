import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { MicroCredits, Milliseconds, Network, PeerIdString, Signed, UnitGroup } from '../wire/index.ts'
import { ledgerAnswers } from './answers.ts'
import { Certifier } from './certify.ts'
import { availableAt } from './chain.ts'
import { Checkpoints } from './checkpoints.ts'
import { Chores } from './chores.ts'
import { AuthorClock } from './clock.ts'
import { ASK_AGAIN_MS } from './constants.ts'
import { Earnings } from './earnings.ts'
import { decodeStatement, openRecord } from './envelope.ts'
import { CreditError } from './errors.ts'
import { ForkBook } from './fork-book.ts'
import { Healing } from './healing.ts'
import { Lodging } from './lodging.ts'
import { Lookout } from './lookout.ts'
import { Moving } from './moving.ts'
import { OwnChain } from './own-chain.ts'
import { OwnStanding } from './own-standing.ts'
import { Payee } from './payee.ts'
import { Payer } from './payer.ts'
import { Proofs } from './proofs.ts'
import { Recovery } from './recovery.ts'
import { SeatKeeper } from './seat-keeper.ts'
import type { LedgerInit, LedgerService } from './service.ts'
import { SettleVotes } from './settle-votes.ts'
import { Settles } from './settles.ts'
import type { Sighting } from './sightings.ts'
import { Spending } from './spending.ts'
import { escrowed } from './state.ts'
import { Transfers } from './transfers.ts'
import { askingGate, type LedgerTransport, libp2pTransport } from './transport.ts'
import type {
  Balance,
  Contract,
  EarningContract,
  Ledger,
  LedgerExport,
  LedgerExportOptions,
  Settlement
} from './types.ts'
import { Witness } from './witness.ts'

export function createLedger(init: LedgerInit): LedgerService {
  return new SwarmLedger(init)
}

class SwarmLedger implements LedgerService {
  readonly peer: PeerIdString
  private readonly key: PrivateKey
  private readonly network: Network
  private readonly now: () => Milliseconds
  private readonly chain: OwnChain
  private readonly transport: LedgerTransport
  private readonly earnings: Earnings
  private readonly spending: Spending
  private readonly proofs: Proofs
  private readonly forks: ForkBook
  private readonly healing: Healing
  private readonly moving: Moving
  private readonly recovery: Recovery
  private readonly votes: SettleVotes
  private readonly keeper: SeatKeeper
  private readonly checkpoints: Checkpoints
  private readonly lodging: Lodging
  private readonly transfers: Transfers
  private readonly witness: Witness
  private readonly lookout: Lookout
  private readonly payer: Payer
  private readonly payee: Payee
  private readonly answer: ReturnType<typeof ledgerAnswers>
  private readonly listeners = new Set<() => void>()
  private readonly life = new AbortController()
  private readonly chores: Chores
  private timer: ReturnType<typeof setInterval> | undefined

  constructor({
    store,
    key,
    network,
    node,
    now = Date.now,
    steady = now === Date.now ? () => performance.now() : now,
    random = randomBytes,
    log = () => {},
    followed = () => {},
    forked,
    slandered,
    terms = () => [],
    knows,
    verify
  }: LedgerInit) {
    this.network = network
    const clock = new AuthorClock(now, steady)
    this.now = clock.now
    this.chores = new Chores(log)
    const ready = () => this.keeper.setClock()
    this.chain = new OwnChain({ store, key, network, now: this.now, verify, ready })
    this.peer = this.chain.peer
    const transport = 'call' in node ? node : libp2pTransport(node, network, log, askingGate(knows))
    this.transport = { ...transport, call: (...message) => this.healing.over(transport).call(...message) }
    const within = (ms: Milliseconds, signal?: AbortSignal) => this.within(ms, signal)
    const common = {
      store,
      key,
      network,
      self: this.peer,
      now: this.now,
      clock,
      log,
      random,
      within,
      verify
    }
    const forks = new ForkBook({
      ...common,
      transport,
      forked: (author, healedAt) => {
        if (author !== this.peer) {
          forked?.(author, healedAt)
        } else if (healedAt === undefined) {
          void this.healing.start()
        }
      },
      concerns: async (author) =>
        knows?.(author) === true ||
        this.earnings.open().some(([, { payer }]) => payer === author) ||
        (await this.chain.latest()).seat.members.includes(author),
      ...(slandered && { slandered })
    })
    const base = { ...common, forks }
    const parts = {
      ...base,
      chain: this.chain,
      transport: this.transport,
      knows: knows ?? (() => true),
      starts: () => this.checkpoints.kept(),
      follows: (author: PeerIdString, record: CID) => this.witness.book.holds(author, record),
      seen: (sightings: readonly Sighting[]) => this.seen(sightings),
      earnings: new Earnings(base),
      spending: new Spending(base),
      proofs: new Proofs(base),
      changed: () => this.changed(),
      conflicted: () => void this.healing.start()
    }
    this.forks = forks
    this.earnings = parts.earnings
    this.spending = parts.spending
    this.proofs = parts.proofs
    const certifier = new Certifier(parts)
    this.healing = new Healing({ ...parts, certifier, transport, healed: () => this.keeper.forgive() })
    this.moving = new Moving({ ...parts, certifier })
    this.recovery = new Recovery({ ...parts, transport, healing: this.healing, moving: this.moving })
    this.key = key
    const votes = new SettleVotes({ ...parts, certifier })
    this.votes = votes
    const settles = new Settles({ ...parts, votes })
    this.keeper = new SeatKeeper({ ...parts, certifier })
    this.checkpoints = new Checkpoints({ ...parts, certifier })
    this.transfers = new Transfers({ ...parts, certifier, keeper: this.keeper })
    this.payee = new Payee(parts)
    this.lodging = new Lodging({ ...parts, payee: this.payee })
    this.payer = new Payer({
      ...parts,
      certifier,
      keeper: this.keeper,
      settles,
      standing: new OwnStanding({ chain: this.chain, network })
    })
    this.lookout = new Lookout({
      ...base,
      transport,
      kept: (author, after) => this.witness.book.records(author, after)
    })
    this.witness = new Witness({
      ...base,
      now,
      rule: (verified) => this.payee.vote(verified),
      ...(knows && { believes: knows }),
      followed: ({ verified, before }) => {
        const { record } = verified
        const ended =
          record.kind === 'settle' ? before?.openEscrows.get(record.body.escrow.toString()) : undefined
        this.lookout.see(verified, before)
        const isUnsure = before?.unsure === true && before.seatSeq > 0 // before its first seat a chain has none
        followed(verified, ended?.body, isUnsure ? before.seatSeq : undefined)
      }
    })
    const { moving, payee, witness } = this
    this.answer = ledgerAnswers({ network, forks, moving, payee, settles, witness, terms, log })
  }

  async start(): Promise<void> {
    const state = await this.chain.open()
    await this.moving.load(state)
    await Promise.all([
      this.earnings.load(this.now()),
      this.spending.load(state.openEscrows),
      this.proofs.load(this.now()),
      this.votes.load(),
      this.transfers.load(),
      this.keeper.load(state),
      this.forks.load(),
      this.healing.load(),
      this.witness.load()
    ])
    await this.recall()
    const isWitnessed = state.seat.members.length > 0
    if (!isWitnessed && !this.moving.isArriving) {
      await this.payer.settleLeftovers()
    }
    await this.transport.start({
      answer: this.answer,
      connected: (peer) => {
        this.keeper.seen(peer)
        this.chores.do('Asking for settles', () => this.payee.ask(peer))
        this.chores.do('Having settles certified', () => this.votes.retry())
        this.chores.do('Handing over transfers', () => this.transfers.retry())
        this.chores.do('Telling of a heal', async () => this.healing.seen(peer, await this.chain.latest()))
        this.chores.do('Recovering', () => this.recovery.retry())
        this.lookout.met(peer)
      }
    })
    if (isWitnessed || this.moving.isArriving) {
      this.recovery.start()
    }
    this.timer = setInterval(() => void this.maintain(), ASK_AGAIN_MS)
    void this.maintain()
    this.changed()
  }

  async maintain(): Promise<void> {
    this.lookout.tend()
    const { chores } = this
    await Promise.all([
      chores.do('Asking for settles', () => this.payee.askAll()),
      chores.do('Settling what is open', () => this.payer.settleLeftovers()),
      chores.do('Seeing to the seat', () => this.keeper.tend()),
      chores.do('Certifying a checkpoint', () => this.checkpoints.tend()),
      chores.do('Healing', () => this.healing.tend()),
      chores.do('Recovering', () => this.recovery.retry()),
      chores.do('Having settles certified', () => this.votes.retry()),
      chores.do('Handing over transfers', () => this.transfers.retry()),
      chores.do('Lodging receipts', () => this.lodging.tend()),
      chores.do('Forgetting', () => this.forget())
    ])
  }

  private async forget(): Promise<void> {
    await this.earnings.forget(this.now())
    await this.witness.forget()
    await this.votes.forget()
    await this.proofs.forget(this.now())
    await this.spending.fold((await this.chain.latest()).openEscrows)
  }

  /** Sets what others signed against what this node knows of them. */
  private async seen(sightings: readonly Sighting[]): Promise<void> {
    for (const sighting of sightings) {
      await this.forks.see(sighting)
      await this.witness.compare(sighting.record.author, [sighting.signed])
    }
  }

  /** The escrows on which this node earns are known from an earlier life. */
  private async recall(): Promise<void> {
    for (const [, { certified }] of this.earnings.open()) {
      if (certified) {
        const { escrow: signed, votes } = certified
        const { id, record } = await openRecord(signed, this.network, { signatures: false })
        await this.forks.see({ id, record, signed, votes })
      }
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    this.life.abort(new CreditError('NOT_RUNNING', 'The ledger was stopped.'))
    await this.transport.stop()
    await this.chores.idle() // whoever stops closes the store next
    await this.witness.idle()
    await this.chain.idle()
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async exportLedger({ from = 'genesis' }: LedgerExportOptions = {}): Promise<LedgerExport> {
    const kept = from === 'checkpoint' ? (await this.checkpoints.kept()).at(-1) : undefined
    return {
      network: this.network.parameters.name,
      peer: this.peer,
      ...(kept && { start: kept.start }),
      records: await this.chain.range(kept?.seq ?? 0, Number.MAX_SAFE_INTEGER)
    }
  }

  moveAway(): Promise<Uint8Array<ArrayBuffer>> {
    return this.moving.leave(privateKeyToProtobuf(this.key))
  }

  async balance(): Promise<Balance> {
    const state = await this.chain.latest()
    return {
      settled: availableAt(state, Math.max(this.now(), state.ts), this.network.parameters),
      verified: this.earnings.receipted(),
      pending: 0n,
      escrowed: escrowed(state)
    }
  }

  async openEscrow(order: Parameters<Ledger['openEscrow']>[0]): Promise<Contract> {
    await this.moving.ready(order.signal)
    return this.payer.openEscrow(order)
  }

  receipt(escrow: CID, payee: PeerIdString, amount: MicroCredits): Promise<Signed> {
    return this.payer.receipt(escrow, payee, amount)
  }

  settle(
    escrow: CID,
    groups: readonly UnitGroup[],
    options: Parameters<Ledger['settle']>[2]
  ): Promise<Settlement> {
    return this.payer.settle(escrow, groups, options).finally(() => {
      this.chores.do('Certifying a checkpoint', () => this.checkpoints.tend())
    })
  }

  async earning(escrow: CID): Promise<EarningContract | undefined> {
    return this.payee.earning(escrow)
  }

  async transfer(to: PeerIdString, amount: MicroCredits, { signal }: { signal?: AbortSignal } = {}) {
    await this.moving.ready(signal)
    return this.transfers.give(to, amount, signal)
  }

  async acceptReceipt(receipt: Signed, from: PeerIdString): Promise<MicroCredits> {
    const amount = await this.payee.acceptReceipt(receipt, from)
    const { escrow } = decodeStatement(receipt, 'receipt')
    this.chores.do('Lodging receipts', () => this.lodging.receipted(escrow))
    return amount
  }

  async release(escrow: CID, delivered: MicroCredits = 0n): Promise<Signed> {
    this.moving.check()
    return this.payee.release(escrow, delivered)
  }

  private changed(): void {
    for (const listener of this.listeners) {
      listener()
    }
  }

  private within(ms: Milliseconds, signal?: AbortSignal): AbortSignal {
    const signals = [this.life.signal, AbortSignal.timeout(ms)]
    return AbortSignal.any(signal ? [signal, ...signals] : signals)
  }
}

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length))
