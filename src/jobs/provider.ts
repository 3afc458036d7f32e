import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { Engine } from '../compute/index.ts'
import type { Ledger, Priorities } from '../credit/index.ts'
import { framedStream, isDirect, type SwarmNode, type Ticker } from '../net/index.ts'
import type { Skill } from '../skills/index.ts'
import type { Table } from '../store/index.ts'
import {
  isPeerIdString,
  JOB_FRAME_MAX,
  jobRequestFrame,
  type MicroCredits,
  type Milliseconds,
  type Network,
  type PeerIdString,
  protocolId
} from '../wire/index.ts'
import {
  FINISH_WAIT,
  KEPT_PART_BYTES,
  QUEUE_WAIT_MAX,
  RETRY_AFTER,
  SESSIONS_MAX,
  STRANGER_RETRY
} from './constants.ts'
import { displaced } from './displaced.ts'
import { JobError } from './errors.ts'
import { firstFrame, type OpenFrame, type Refusal, refusalOf } from './opening.ts'
import { PartStore } from './part-store.ts'
import { RATE_DEFAULT } from './price.ts'
import { PullServer, pullParts } from './pull.ts'
import { ProviderSession } from './session.ts'
import type { ProviderStream } from './session-init.ts'
import { StrangersShare, strangersBusy } from './strangers-share.ts'
import { UseMeter } from './use-meter.ts'
import { WorkQueue } from './work-queue.ts'
import { WorkWindows } from './work-windows.ts'

export interface ProviderInit {
  readonly node: SwarmNode
  readonly network: Network
  readonly key: PrivateKey
  readonly ledger: Ledger
  readonly skills: ReadonlyMap<string, Skill>
  readonly ticker: Ticker
  /** For what strangers were given within the hour. @default it is forgotten at a restart */
  readonly kept?: Table
  /**
   * Weight of a requester's work on an escrow (CID text) in the queue, 0 or more; 0: that of a stranger, served after
   * all others. @default all alike
   */
  readonly weightOf?: (payer: PeerIdString, escrow?: string) => number
  /** On whose account an escrow is worked for: `Priorities`. @default nobody keeps that */
  readonly promises?: Pick<Priorities, 'promise' | 'reserve' | 'settled'>
  /** A unit of that skill was computed and sent. @default nobody listens */
  readonly onComputed?: (skill: string) => void
  /** How long `finish` waits for the receipts of what is done. @default 10 s */
  readonly finishWait?: Milliseconds
  readonly onChange: () => void
}

export interface Served {
  /** Units computed and sent. */
  readonly units: number
  /** Units in work or waiting. */
  readonly running: number
  /** Units that a receipt covers. */
  readonly verifiedUnits: number
  /** Computed, not yet receipted (µcr). */
  readonly pending: MicroCredits
  /** How long the engine was in use. */
  readonly busyMs: Milliseconds
}

/** What a node works for. */
export interface ServingTerms {
  /** The least that is paid for it, in thousandths of the published cost. @default 1000 */
  readonly rate: number
  /** Which skills, by name. @default all */
  readonly serves: (skill: string) => boolean
  /** The most that strangers get of an hour's compute time, 0 to 1. @default the network's */
  readonly strangers: number | undefined
}

interface Computed {
  readonly skill: Skill
  readonly requester: PeerIdString
  readonly params: readonly number[]
  readonly result: Uint8Array
}

/** The serving side: takes job streams while it contributes, one session each. */
export class Provider {
  private readonly init: ProviderInit
  private readonly protocol: string
  private readonly sessions = new Set<ProviderSession>()
  private readonly past = { units: 0, verifiedUnits: 0 }
  private readonly strangers: StrangersShare
  private readonly parts = new PartStore(KEPT_PART_BYTES)
  private readonly use = new UseMeter()
  private readonly windows = new WorkWindows()
  private last: Computed | undefined
  private readonly pulls: PullServer
  private queue: WorkQueue | undefined
  private rate = RATE_DEFAULT
  private serves: (skill: string) => boolean = () => true
  private isFinishing = false
  /** How often a `finish` was made void. */
  private resumed = 0

  constructor(init: ProviderInit) {
    this.init = init
    this.strangers = new StrangersShare({ ...init, network: init.network.parameters, now: Date.now })
    this.protocol = protocolId(init.network.parameters, 'job')
    this.pulls = new PullServer({
      ...init,
      self: init.ledger.peer,
      parts: this.parts,
      isOpen: () => this.queue !== undefined,
      now: Date.now
    })
  }

  async start(): Promise<void> {
    await this.strangers.load()
    await this.init.node.handle(this.protocol, (stream, connection) => this.serve(stream, connection), {
      maxInboundStreams: SESSIONS_MAX
    })
    await this.pulls.start()
  }

  /** Take work from now on. Jobs that run already go on. */
  contribute(
    engine: Engine,
    { rate = RATE_DEFAULT, serves = () => true, strangers }: Partial<ServingTerms> = {}
  ): void {
    this.rate = rate
    this.serves = serves
    this.strangers.share = strangers === undefined ? undefined : strangers * 100
    this.queue = this.queue?.engine === engine ? this.queue : this.newQueue(engine)
    this.isFinishing = false
  }

  /** Hands everything back, at once. */
  pause(reason = 'paused'): void {
    this.queue = undefined
    this.last = undefined
    for (const session of this.sessions) {
      session.leave(reason)
    }
    this.parts.clear()
  }

  /** Makes a `finish` under way void, at once: for who is about to contribute. */
  resume(): void {
    this.isFinishing = false
    this.resumed += 1
  }

  /**
   * Takes no new work, and pauses when what it has is done and receipted, or its requesters are gone, or hold a receipt
   * back for longer than one may take.
   *
   * @returns false if it goes on: `resume` was called meanwhile
   */
  async finish(): Promise<boolean> {
    this.isFinishing = true
    const { resumed, init } = this
    const { finishWait = FINISH_WAIT } = init
    await Promise.all([...this.sessions].map((session) => session.drain(finishWait)))
    if (resumed !== this.resumed) {
      return false
    }
    this.pause('finished')
    return true
  }

  async stop(): Promise<void> {
    this.pause('stopped')
    await this.strangers.stop().catch(() => {}) // what is not stored is given anew
    await this.init.node.unhandle(this.protocol)
    await this.pulls.stop()
  }

  get served(): Served {
    let { units, verifiedUnits } = this.past
    let running = 0
    let pending = 0n
    for (const session of this.sessions) {
      units += session.computed
      verifiedUnits += session.verifiedUnits
      running += session.running
      pending += session.pending
    }
    return { units, running, verifiedUnits, pending, busyMs: this.use.at(performance.now()) }
  }

  /** The last unit that was computed, as its skill's output would look if it were all; undefined: nothing to see. */
  get picture(): { skill: string; requester: PeerIdString; output: unknown } | undefined {
    if (this.last === undefined) {
      return undefined
    }
    const { skill, requester, params, result } = this.last
    const output = skill.picture?.(params, result)
    return output === undefined ? undefined : { skill: skill.manifest.name, requester, output }
  }

  /** The jobs that have units here now. */
  get now(): Array<{ skill: string; requester: PeerIdString; units: number }> {
    return [...this.sessions].filter(({ running }) => running > 0).map(({ summary }) => summary)
  }

  /** 0 (idle) to 100 (full): for the advert. */
  get load(): number {
    const slots = this.queue?.engine.concurrency ?? 1
    return Math.min(100, Math.round((this.served.running / (slots * 4)) * 100))
  }

  private newQueue(engine: Engine): WorkQueue {
    const { weightOf = () => 1, promises } = this.init
    return new WorkQueue({
      engine,
      weightOf,
      reserve: promises && ((escrow, price) => promises.reserve(escrow, price)),
      strangers: this.strangers,
      onUse: (share) => this.use.set(share, performance.now())
    })
  }

  private async serve(stream: Stream, connection: Connection): Promise<void> {
    const payer = connection.remotePeer.toString()
    if (!isDirect(connection) || !isPeerIdString(payer)) {
      stream.abort(new JobError('PROTOCOL', 'Jobs need a direct connection.'))
      return
    }
    const framed: ProviderStream = framedStream({
      stream,
      peer: payer,
      connection,
      schema: jobRequestFrame,
      maxFrame: JOB_FRAME_MAX,
      ticker: this.init.ticker
    })
    try {
      const frames = framed[Symbol.asyncIterator]()
      const opened = await firstFrame(frames, framed)
      const skill = this.serves(opened.skill) ? this.init.skills.get(opened.skill) : undefined
      const refused = await this.refusal(opened, payer, skill)
      const contract = refused === undefined ? await this.promise(opened.escrow) : undefined
      const refusal = refused ?? this.crowded(opened.escrow, payer)
      const { queue } = this
      if (refusal !== undefined || skill === undefined || queue === undefined || contract === undefined) {
        const away = { code: 'NOT_CONTRIBUTING', message: 'It does not contribute now.' }
        await this.takeBack(opened.escrow)
        await framed.send({ t: 'refused', retryAfterMs: RETRY_AFTER, ...(refusal ?? away) })
        await framed.close()
        return
      }
      const session = new ProviderSession({
        stream: framed,
        frames,
        skill,
        skills: this.init.skills,
        pull: (from, sink, signal) => pullParts(this.init, from, sink, signal),
        parts: this.parts.shelf(payer, () => this.makeRoom(payer, opened.escrow)),
        asked: opened.parts,
        queue,
        escrow: opened.escrow,
        window: this.windows.of(contract, Date.now()),
        rate: opened.rate,
        payer,
        key: this.init.key,
        self: this.init.ledger.peer,
        ledger: this.init.ledger,
        load: () => this.load,
        onComputed: (params, result) => {
          this.last = { skill, requester: payer, params, result }
          this.init.onComputed?.(skill.manifest.name)
        },
        onChange: this.init.onChange,
        isFinishing: () => this.isFinishing
      })
      this.sessions.add(session)
      const closing = setTimeout(
        () => session.leave('escrow-closed'),
        Math.max(0, contract.tClose - Date.now())
      )
      try {
        await session.run()
      } finally {
        clearTimeout(closing)
        this.sessions.delete(session)
        this.past.units += session.computed
        this.past.verifiedUnits += session.verifiedUnits
        this.init.onChange()
        await this.takeBack(opened.escrow)
      }
    } catch (error) {
      framed.abort(error instanceof Error ? error : new Error(String(error)))
      this.init.node.logger.forComponent('swarmharness:provider')('job stream of %s ended - %e', payer, error)
    }
  }

  private async refusal(
    opened: OpenFrame,
    payer: PeerIdString,
    skill: Skill | undefined
  ): Promise<Refusal | undefined> {
    return this.queue === undefined || this.isFinishing
      ? { code: 'NOT_CONTRIBUTING', message: 'This node does not take work now.' }
      : refusalOf(opened, { payer, skill, rate: this.rate, ledger: this.init.ledger, now: Date.now })
  }

  /** On the account that the escrow names, as far as this node owes so much. Undefined: the escrow is gone. */
  private async promise(escrow: CID): ReturnType<Ledger['earning']> {
    const contract = await this.init.ledger.earning(escrow)
    if (contract !== undefined) {
      await this.init.promises?.promise(escrow.toString(), contract)
    }
    return contract
  }

  /** What was promised and not worked: owed again, once no stream is on the escrow. */
  private async takeBack(escrow: CID): Promise<void> {
    if (![...this.sessions].some((session) => session.isOn(escrow))) {
      await this.init.promises?.settled(escrow.toString())
    }
  }

  /** Without an await between this and the session's start, so that no two streams pass at once. */
  private crowded(escrow: CID, payer: PeerIdString): Refusal | undefined {
    const waitMs = this.queue?.waitOf(payer, escrow.toString()) ?? 0
    if (waitMs > QUEUE_WAIT_MAX) {
      const message = `This node has its hands full: try again in ${waitMs} ms.`
      return { code: 'BUSY', message, retryAfterMs: waitMs }
    }
    if (this.queue?.serves(payer, escrow.toString()) === false) {
      return { code: 'BUSY', message: strangersBusy().message, retryAfterMs: STRANGER_RETRY }
    }
    // the streams of an escrow share its window, one after the other
    if ([...this.sessions].some((session) => session.isOn(escrow))) {
      return { code: 'BUSY', message: 'That escrow has a job stream here already.' }
    }
    if (this.sessions.size >= SESSIONS_MAX && !this.displace(this.weightOf(payer, escrow))) {
      return { code: 'BUSY', message: `This node serves ${SESSIONS_MAX} jobs already.`, retryAfterMs: waitMs }
    }
    return undefined
  }

  /** Inputs that strangers only hold must not keep out those of who is recognised. */
  private makeRoom(payer: PeerIdString, escrow: CID): boolean {
    const weight = this.weightOf(payer, escrow)
    const isOther = (session: ProviderSession) => session.isHoldingParts && !session.isOn(escrow)
    return weight > 0 && this.displace(weight, isOther)
  }

  /** Ends a session for one more, whose requester has that weight. False: none gives way. */
  private displace(weight: number, mayGo: (session: ProviderSession) => boolean = () => true): boolean {
    const seated = [...this.sessions].filter(mayGo).map((session) => {
      const { payer, escrow, idleMs } = session
      return { session, idleMs, weight: this.weightOf(payer, escrow) }
    })
    const { session } = displaced(seated, weight) ?? {}
    session?.leave('busy')
    return session !== undefined && this.sessions.delete(session)
  }

  private weightOf(payer: PeerIdString, escrow: CID): number {
    return this.init.weightOf?.(payer, escrow.toString()) ?? 1
  }
}
