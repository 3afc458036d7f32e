import type { OwnSkill } from './api-sdk.ts'
import type { WorkerSource } from './compute/index.ts'
import type { InputField, InputIssue } from './skills/index.ts'
import type { ChainStart, MicroCredits, Milliseconds, PeerIdString, SwarmError } from './wire/index.ts'

export type * from './api-sdk.ts'
export type { InputField, InputIssue, MicroCredits, Milliseconds, PeerIdString, SwarmError, WorkerSource }

/** The types of the public API: what `createSwarm()` in `index.ts` gives. */

export interface CreateSwarmInit {
  /**
   * Multiaddrs of relays (`/ip4/…/tcp/…/ws/p2p/…`), or web addresses (`https://relay.example`), which are asked for
   * `/relay.json`: that names the relays, their network and ICE servers.
   *
   * @default in a page its own host, in Node none
   */
  relays?: string[]
  /** Must be that of the relays. @default 'local' in Node, on localhost and private hosts, else 'main' */
  network?: 'local' | 'main'
  /** STUN and TURN, for WebRTC across NATs. @default those of `/relay.json`; none where only multiaddrs are given */
  iceServers?: RTCIceServer[]
  /** Node only: where identity and ledger are kept. @default in memory */
  dataFolder?: string
  /**
   * What `exportIdentity()` gave elsewhere: taken up where nothing is kept yet. The node signs nothing before its
   * witnesses have said how far its ledger goes. @default the identity that is kept, or a new one
   */
  identity?: Uint8Array
  backend?: 'auto' | 'webgpu' | 'cpu'
  /** Who is at the device: with nobody there (`kiosk`) the GPU computes in longer slices. @default 'page' */
  profile?: 'page' | 'kiosk'
  /** How providers are chosen: our own rule, or equation 1 of the paper. @default 'swarm' */
  strategy?: 'paper' | 'swarm'
  /** CPU workers. @default cores − 1, at least 1, at most 4 */
  workers?: number
  /** Skills of the program's own, besides those of this build. They need a `worker` that serves them. */
  skills?: readonly OwnSkill[]
  /**
   * Where units are computed and results checked: a worker whose file calls `serveSkills()`. In a page `() => new
   * Worker(new URL('./my-worker.js', import.meta.url), { type: 'module' })`, in Node the file's URL.
   *
   * @default this build's own, which serves its skills alone
   */
  worker?: WorkerSource
  /** Ends the node. */
  signal?: AbortSignal
  /** Node only: multiaddrs to listen on, such as `/ip4/127.0.0.1/tcp/0/ws`. */
  listen?: string[]
  /**
   * Node only: speak WebRTC too, by which tabs are reached. Needs a relay.
   *
   * @default true if relays are named and `listen` is not
   */
  webrtc?: boolean
}

export type SwarmState = 'starting' | 'bootstrapping' | 'relayed' | 'direct' | 'offline' | 'stopped'

export type PauseReason = 'not-contributing' | 'paused'

export interface PeerInfo {
  readonly peer: PeerIdString
  readonly connection: 'direct' | 'relayed'
  readonly transport: 'webrtc' | 'websocket' | 'other'
  readonly isRelay: boolean
  /** What its last advert said. */
  readonly skills: readonly string[]
  /** Round trip of the last ping, half a minute old at most. @default not measured yet */
  readonly rttMs?: Milliseconds
}

export interface SwarmStatus {
  readonly peer: PeerIdString
  readonly network: string
  /** bootstrapping: no relay yet; relayed: reachable through a relay; direct: at least one direct peer. */
  readonly state: SwarmState
  readonly contributing: boolean
  readonly paused: PauseReason | undefined
  readonly power: number
  readonly device: { readonly backend: 'webgpu' | 'cpu'; readonly class: string } | undefined
  readonly peers: readonly PeerInfo[]
  readonly balance: Balance
  readonly work: WorkDone
}

/** Amounts in µcr. */
export interface Balance {
  readonly settled: MicroCredits
  readonly verified: MicroCredits
  readonly pending: MicroCredits
  readonly escrowed: MicroCredits
}

/** Served to others since the node started. */
export interface WorkDone {
  readonly units: number
  readonly running: number
  readonly verifiedUnits: number
  /**
   * How long the device has been in use for others; while units run on half of its lanes, half of the time counts.
   * @default not known
   */
  readonly busyMs?: Milliseconds
  /** The jobs that have units here now. @default none */
  readonly now?: ReadonlyArray<{
    readonly skill: string
    readonly requester: PeerIdString
    readonly units: number
  }>
}

/** A unit that this node has computed for another, to look at. */
export interface UnitPicture {
  readonly skill: string
  readonly requester: PeerIdString
  /** As the skill's output, of the unit alone. */
  readonly output: unknown
}

export interface SubmitOptions {
  /** The most that the job may cost (µcr). @default twice its price, and `subtaskBudget` */
  budget?: MicroCredits
  /** What is paid, in thousandths of the published cost; providers that want more are left out. @default 1000 */
  rate?: number
  /** Until when the result is wanted, from now. @default 600_000 */
  deadlineMs?: Milliseconds
  /** How long to wait for the first provider. @default 30_000 */
  providerWaitMs?: Milliseconds
  /** Into how many units to split. @default by cost */
  units?: number
  /** Work with these providers only. */
  providers?: readonly PeerIdString[]
  /** The most providers that work side by side. @default 4 */
  maxProviders?: number
  /**
   * Makes a retry harmless: while a job with this key runs, and after it is done, the same call gives that job
   * again, after a reload too, and nothing is paid twice. A job that failed, or was cut off, runs anew. Up to 256
   * characters.
   */
  key?: string
  /**
   * By how many providers each unit is computed, and their results compared. `auto`: by more than one only where
   * the skill's own check is weak and the provider new. With a number the job costs so many times its price.
   *
   * @default 'auto'
   */
  redundancy?: 'auto' | number
  /**
   * Of the budget: what jobs may cost together that this one hires, and those that they hire (µcr). A job's own price
   * is what remains.
   *
   * @default 0n: it hires none
   */
  subtaskBudget?: MicroCredits
  /**
   * Id of a running job of this node that hires this one, at most four deep: its escrows cite that job's, its budget is
   * part of that job's `subtaskBudget`, and when that one fails or is cancelled, this is cancelled, too.
   */
  parent?: string
  signal?: AbortSignal
}

export interface QuoteOptions {
  /** This machine's link in Mbit/s, each way. @default 100 */
  linkMbps?: number
  /** As in `SubmitOptions`. @default 4 */
  maxProviders?: number
  /** As in `SubmitOptions`. */
  units?: number
  /** As in `SubmitOptions`. @default 1000 */
  rate?: number
}

/**
 * An estimate before anything is paid. A provider that this node has hired before counts with the speed that it
 * showed, a new one as fast as one worker here; both less the load that it advertises.
 */
export interface JobQuote {
  /** What the job costs if every unit is done once. */
  readonly price: MicroCredits
  readonly units: number
  /** Eligible providers known now. */
  readonly providers: number
  /** Undefined while no provider is known. */
  readonly etaMs: Milliseconds | undefined
  /** On this machine, with what it contributes (while it does not: its CPU, as many workers as it would have). */
  readonly localEtaMs: Milliseconds
  /** Hiring does not pay: too small, too many bytes for its operations, or nobody is there. */
  readonly fasterAtHome: boolean
  /** How many of the providers counted were hired before, and so are measured and not assumed. */
  readonly measured: number
}

export type JobState = 'queued' | 'running' | 'settling' | 'done' | 'failed' | 'cancelled'

export type JobEvent =
  | { readonly type: 'queued'; readonly price: MicroCredits; readonly units: number }
  /** Providers were chosen: those looked at, best first. `score`: higher is better for `paper`, lower for `swarm`. */
  | {
      readonly type: 'hired'
      readonly strategy: 'paper' | 'swarm'
      readonly candidates: ReadonlyArray<{
        readonly peer: PeerIdString
        /** Undefined: cannot, may not or should not do the work. */
        readonly score: number | undefined
        /** Why it was chosen; undefined: it was not. */
        readonly chosen: 'utility' | 'cost' | 'exploration' | undefined
      }>
    }
  | { readonly type: 'assigned'; readonly unit: number; readonly provider: PeerIdString }
  | { readonly type: 'progress'; readonly done: number; readonly of: number }
  | { readonly type: 'verified'; readonly unit: number; readonly provider: PeerIdString }
  | {
      readonly type: 'retried'
      readonly unit: number
      readonly provider: PeerIdString
      readonly reason: string
    }
  | { readonly type: 'settled'; readonly receipt: JobReceipt }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: SwarmError }
  | { readonly type: 'cancelled' }

export interface JobReceipt {
  readonly jobId: string
  readonly skill: string
  readonly price: MicroCredits
  readonly paid: MicroCredits
  readonly refund: MicroCredits
  readonly providers: ReadonlyArray<{
    readonly peer: PeerIdString
    readonly units: number
    readonly rejected: number
    readonly paid: MicroCredits
  }>
  /** CID texts of the escrow and settle records. */
  readonly escrows: readonly string[]
  readonly settles: readonly string[]
  /**
   * `witnessed`: a quorum of witnesses has voted for each settle. `detection-only`: nobody could be a witness.
   * `pending`: their votes are still to come.
   */
  readonly certainty: 'witnessed' | 'detection-only' | 'pending'
  readonly split: string
}

/** Why a unit went where it went. */
export interface Dispatch {
  readonly provider: PeerIdString
  /**
   * `next`: its turn. `hedge`, `resend`: a copy of one that takes long, or far too long, elsewhere. `replica`: to
   * compare the results, for a skill whose own check is weak.
   */
  readonly reason: 'next' | 'hedge' | 'resend' | 'replica'
  /**
   * The providers that could take it, and when each would have had it done by what was known then; undefined: nothing
   * had come back from it yet. The least wins, unless that one had its hands full.
   */
  readonly candidates: ReadonlyArray<{
    readonly peer: PeerIdString
    readonly doneMs: Milliseconds | undefined
  }>
}

/** Iterate for events (a snapshot, then live); leaving the loop detaches. Not thenable. */
export interface Job<Output = unknown> extends AsyncIterable<JobEvent> {
  readonly id: string
  readonly skill: string
  readonly state: JobState
  /**
   * The output as far as it is verified, zero where a unit is missing: look again after each `verified` event. Shares
   * memory with what comes later. Undefined before the job runs, and for skills that have nothing to see before the end.
   */
  partial(): Output | undefined
  /** Each dispatch of a unit, oldest first; none if it has not been sent. */
  why(unit: number): readonly Dispatch[]
  /** Never an unhandled rejection: rejects only for those who await it. */
  readonly result: Promise<{ value: Output; receipt: JobReceipt }>
  /** Ends the job, pays what was verified, refunds the rest. Resolves when the books are closed. */
  cancel(): Promise<void>
}

export interface ContributeOptions {
  /** Share of the device's time, .05 to 1. @default 1 */
  power?: number
  /** The least that units are computed for, in thousandths of their published cost. @default 1000 */
  rate?: number
  /**
   * The most that requesters whom this node owes nothing get of its compute time within an hour, all together: 0 to 1.
   * They come after all others in any case. @default the network's: .1 on `main`, 1 on `local`
   */
  strangers?: number
  /** Serve these skills only. @default all that this build knows */
  skills?: readonly string[]
}

export interface RouterView {
  readonly strategy: 'paper' | 'swarm'
  /** Trails that success laid down and time has left, strongest first. Strength .05 to 1. */
  pheromones(): ReadonlyArray<{
    readonly peer: PeerIdString
    readonly skill: string
    readonly strength: number
  }>
  /** Trust in a peer for a skill, 0 to 1, from this node's own dealings; .3 of a stranger. */
  trustIn(peer: PeerIdString, skill: string): number
}

export interface SwarmEvents {
  /** State, peers, balance or work changed: at most ten a second. */
  change: CustomEvent<SwarmStatus>
}

/** A skill that this build knows, as forms and docs need it. */
export interface SkillInfo {
  readonly name: string
  readonly version: string
  readonly description: string
  /** A small input that it takes. */
  example(): unknown
  /** What an input is made of. */
  readonly fields: readonly InputField[]
  /** What is wrong with an input, each member once; empty: nothing. */
  check(input: unknown): readonly InputIssue[]
  /**
   * What a job costs at the published price if each unit is done once (µcr). Follows from the input alone: nobody is
   * asked and nothing computed.
   *
   * @throws SkillError for a bad input
   */
  price(input: unknown): MicroCredits
}

/** A node: what our own page runs. `Swarm` adds what programs want. */
export interface SwarmCore {
  readonly peer: PeerIdString
  readonly status: SwarmStatus
  /** The skills that this build knows. */
  readonly skills: readonly SkillInfo[]
  /** @throws SwarmError for a bad input or budget; never waits: the job starts by itself */
  submit<Output = unknown>(skill: string, input: unknown, options?: SubmitOptions): Job<Output>
  /**
   * What a job would cost and take, here and away. Computes one unit on this machine the first time that a skill
   * is asked for.
   *
   * @throws SwarmError for a bad input or option
   */
  quote(skill: string, input: unknown, options?: QuoteOptions): Promise<JobQuote>
  /** Running jobs, and the last 32 that ended. */
  jobs(): readonly Job[]
  /** Serve units to others. */
  contribute(options?: ContributeOptions): Promise<void>
  /** Stop serving at once; units in work are handed back. */
  pause(): Promise<void>
  /** Take no more units, end those in work, then pause; `contribute()` meanwhile goes on, and nothing is paused. */
  finish(): Promise<void>
  /**
   * The last unit that was computed for another, where its skill has something to look at. A view of another tab's node
   * asks for it when it is looked at, and shows what it was told last.
   */
  lastPicture?(): UnitPicture | undefined
  /** What this node has learned of its providers. */
  readonly router: RouterView
  /** This node's books: own records and certificates, all of them or from a certified checkpoint on. */
  exportLedger(options?: LedgerExportOptions): Promise<LedgerExport>
  /**
   * Moves this identity to another device: closes its ledger, stops the node, and gives a file for `createSwarm({
   * identity })` there. The file is as secret as the key in it. This profile signs nothing any more (`MOVED`).
   *
   * @throws SwarmError `BAD_RECORD` while jobs are running, `MOVED`
   */
  exportIdentity(): Promise<Uint8Array>
  addEventListener<T extends keyof SwarmEvents>(type: T, listener: (event: SwarmEvents[T]) => void): void
  removeEventListener<T extends keyof SwarmEvents>(type: T, listener: (event: SwarmEvents[T]) => void): void
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Signed records as stored, oldest first: input of the audit. */
export interface LedgerExport {
  readonly network: string
  readonly peer: PeerIdString
  /** Of a chain that starts at a certified checkpoint, its first record: what it came to before. @default it is whole */
  readonly start?: ChainStart | undefined
  readonly records: ReadonlyArray<{ readonly payload: Uint8Array; readonly signature: Uint8Array }>
}

export interface LedgerExportOptions {
  /**
   * `checkpoint`: from the older of the last two certified checkpoints on, where there is one. Such an export can be
   * verified, as far as its witnesses are believed, but not audited. @default 'genesis': all of it
   */
  readonly from?: 'genesis' | 'checkpoint'
}
