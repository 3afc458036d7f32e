import {
  addWork,
  drain,
  type Edge,
  idleHours,
  type Merit,
  NO_EDGE,
  NO_MERIT,
  priorityWeight,
  type RecognitionShare,
  recognise,
  recognition,
  type Standing,
  type StrangersUse
} from '../../src/credit/index.ts'
import type { NetworkParameters, PeerIdString } from '../../src/wire/index.ts'
import type { Random } from '../sim/random.ts'

const NOTHING: Standing = new Map()
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export type Kind = 'contributor' | 'both' | 'requester' | 'idler'

export interface Profile {
  readonly kind: Kind
  /** µcr a second while it computes. */
  readonly speed: number
  /** Share of the hours that it is there. */
  readonly presence: number
  readonly serves: boolean
  /** Jobs a day that it would submit, Poisson. */
  readonly jobsADay: number
  /** Cost of its median job (µcr); log-normal with σ = 1. */
  readonly jobSize: number
}

/** One name in the simulated swarm: its balance, what it owes and what it can show. Rules are production's. */
export class Agent {
  readonly id: number
  readonly name: PeerIdString
  readonly joined: number
  /** Whose hardware and purse it is: Sybil names share one. */
  readonly owner: number
  profile: Profile
  readonly random: Random
  balance: bigint
  idleSince: number
  readonly edges = new Map<PeerIdString, Edge>()
  readonly standing = new Map<PeerIdString, Merit>()
  /** What each provider gave it on recognition. */
  readonly gotBack = new Map<PeerIdString, bigint>()
  uses: StrangersUse = []
  /** Whose debtors it asks: its own, unless it is an alias. */
  guide: Agent = this
  /** Who knows what its chain shows. @default everybody */
  readers: ReadonlySet<PeerIdString> | undefined
  /** Its weighted-fair queue: virtual time, and each requester's last tag. */
  readonly fair = { now: 0, last: new Map<PeerIdString, number>() }
  /** It shows each provider a chain of its own: what it spent elsewhere is not in it. */
  forks = false
  /** It receipts a tenth of what it gets: as much as opens a provider's window. */
  refusesToPay = false
  isGone = false
  isOnline = true
  nextProbe = 0
  /** Work done by others for it, in µcr: on recognition, and as a stranger. */
  readonly got = { recognised: 0n, strangers: 0n }
  /** Work that it did and was paid for (µcr). */
  done = 0n
  firstJob: number | undefined
  /** By a job: a canary is too small to count. */
  firstPaid: number | undefined
  /** Asked for and never done within its patience (µcr). */
  unserved = 0n
  private drainedAt: number
  private readonly network: NetworkParameters

  constructor(init: {
    id: number
    profile: Profile
    now: number
    owner?: number
    random: Random
    network: NetworkParameters
  }) {
    this.id = init.id
    // the rules only compare names
    this.name = `n${init.id}` as PeerIdString
    this.owner = init.owner ?? init.id
    this.profile = init.profile
    this.random = init.random
    this.network = init.network
    this.joined = init.now
    this.idleSince = init.now
    this.drainedAt = init.now
    this.balance = init.network.genesisGrant
  }

  /** Applies the drain, as every record does, and says what is left. */
  available(now: number): bigint {
    const hours =
      idleHours(this.idleSince, now, this.network) - idleHours(this.idleSince, this.drainedAt, this.network)
    this.balance = drain(this.balance, hours, this.network)
    this.drainedAt = now
    return this.balance
  }

  /** Claims a payment. */
  claim(payer: PeerIdString, amount: bigint, now: number): void {
    this.available(now)
    this.balance += amount
    this.idleSince = now
    this.addMerit(payer, amount, 0n)
  }

  addMerit(payer: PeerIdString, paid: bigint, spent: bigint): void {
    const before = this.standing.get(payer) ?? NO_MERIT
    this.standing.set(payer, { paid: before.paid + paid, spent: before.spent + spent })
  }

  checked(worker: PeerIdString, work: bigint): void {
    this.edges.set(worker, addWork(this.edges.get(worker) ?? NO_EDGE, work))
  }

  /** On whom this node would serve the requester. */
  sharesOf(requester: Agent): RecognitionShare[] {
    const self = { self: this.name, edges: this.edges }
    return recognise(self, requester.name, requester.shownTo(this), this.network)
  }

  /** For how much this node would serve the requester (µcr); above `enough` it does not look. */
  recognises(requester: Agent, enough?: bigint): bigint {
    const self = { self: this.name, edges: this.edges }
    return recognition(self, requester.name, requester.shownTo(this), this.network, enough)
  }

  private shownTo({ name }: Agent): Standing {
    return this.readers?.has(name) === false ? NOTHING : this.standing
  }

  weightOf(requester: Agent, now: number): number {
    const idle = requester.readers?.has(this.name) === false ? 0 : now - requester.idleSince
    return priorityWeight(this.recognises(requester), idle, this.network)
  }
}
