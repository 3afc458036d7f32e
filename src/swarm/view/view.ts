import { TypedEventEmitter } from '@libp2p/interface'
import * as z from 'zod/mini'
import type {
  ContributeOptions,
  Job,
  JobQuote,
  LedgerExport,
  LedgerExportOptions,
  QuoteOptions,
  RouterView,
  SubmitOptions,
  SwarmCore,
  SwarmEvents,
  SwarmStatus,
  UnitPicture
} from '../../api.ts'
import { JobError } from '../../jobs/index.ts'
import { skillByName } from '../../skills/index.ts'
import { errorFromPlain, type PeerIdString, type SwarmError } from '../../wire/index.ts'
import { skillList } from '../offered-skills.ts'
import { badMessage, hostGone, ViewError } from './errors.ts'
import { type Ask, told } from './messages.ts'
import { type JobLink, RemoteJob } from './remote-job.ts'
import {
  type JobLine,
  jobQuote,
  jobResult,
  type Learned,
  learned,
  ledgerExport,
  unitPicture
} from './shapes.ts'

/** What the router has learned is asked for at most so often. */
const LEARN_EVERY_MS = 1_000
/** Of a stranger. */
const TRUST_UNKNOWN = 0.3

const nothing = z.unknown()

/** The node of another tab, as this one sees it. */
export interface View extends SwarmCore {
  /** What that tab's page tells besides, unchecked. `change` is told of it too. */
  readonly note: unknown
  /** Asks that tab's page to do something. */
  order(order: unknown): Promise<void>
  /** That tab has gone: whatever waits for it fails with `HOST_GONE`. */
  lost(): void
}

interface Welcome {
  readonly skills: ReadonlyArray<{ readonly name: string; readonly version: string }>
  readonly status: SwarmStatus
  readonly jobs?: readonly JobLine[] | undefined
  readonly note?: unknown
}

interface Asked {
  readonly answer: (value: unknown) => void
  readonly fail: (error: SwarmError) => void
}

/** The same interface as a node of one's own; what the node refuses fails the job, instead of throwing at once. */
export class RemoteSwarm extends TypedEventEmitter<SwarmEvents> implements View {
  readonly peer: PeerIdString
  readonly skills: SwarmCore['skills']
  readonly router: RouterView
  status: SwarmStatus
  note: unknown
  private readonly channel: BroadcastChannel
  private readonly onEnd: () => void
  private readonly link: JobLink
  private readonly asks = new Map<number, Asked>()
  private readonly byId = new Map<string, RemoteJob>()
  private listed: readonly string[] = []
  /** Submitted here, and not taken yet. */
  private readonly submitted = new Set<RemoteJob>()
  private asked = 0
  private learned: Learned = { strategy: 'swarm', pheromones: [], trust: [] }
  private learnedAt = Number.NEGATIVE_INFINITY
  private picture: UnitPicture | undefined
  /** Units served when it was asked for. */
  private pictured = 0
  private ended: SwarmError | undefined

  constructor(channel: BroadcastChannel, welcome: Welcome, onEnd: () => void) {
    super()
    this.channel = channel
    this.onEnd = onEnd
    this.status = welcome.status
    this.peer = welcome.status.peer
    const knows = ({ name, version }: { name: string; version: string }) =>
      welcome.skills.some((skill) => skill.name === name && skill.version === version)
    this.skills = skillList().filter(knows)
    this.router = this.routerView()
    this.link = {
      follow: (job) => this.ask({ do: 'follow', job }, nothing),
      partial: (job) => this.ask({ do: 'partial', job }, nothing),
      result: (job) => this.ask({ do: 'result', job }, jobResult),
      cancel: (job) => this.ask({ do: 'cancel', job }, nothing)
    }
    channel.addEventListener('message', ({ data }) => this.hear(data))
    channel.addEventListener('messageerror', () => this.end(badMessage()))
    this.learnNews(welcome)
  }

  submit<Output = unknown>(skill: string, input: unknown, options: SubmitOptions = {}): Job<Output> {
    this.refuseIfEnded()
    const { signal, ...plain } = options
    // here too, so that a bad input is said at once and does not travel
    skillByName(skill).plan(input, plain.units === undefined ? {} : { units: plain.units })
    const accepted = this.ask({ do: 'submit', skill, input, options: plain }, z.string())
    const job = new RemoteJob(skill, accepted, this.link)
    this.submitted.add(job)
    const taken = (id: string) => {
      this.byId.set(id, job)
      this.listed = [...this.listed.filter((other) => other !== id), id]
    }
    accepted
      .then(taken)
      .catch(() => {}) // the job itself says why it was refused
      .finally(() => this.submitted.delete(job))
    const cancel = () => void job.cancel().catch(() => {}) // over, or its tab is gone
    if (signal?.aborted === true) {
      cancel()
    }
    signal?.addEventListener('abort', cancel, { once: true })
    // the skill is known by name only here: its output type is the caller's word
    return job as Job as Job<Output>
  }

  quote(skill: string, input: unknown, options: QuoteOptions = {}): Promise<JobQuote> {
    return this.ask({ do: 'quote', skill, input, options: { ...options } }, jobQuote)
  }

  /** As it was asked for last: whoever looks again sees the newest. */
  lastPicture(): UnitPicture | undefined {
    const { units } = this.status.work
    if (units !== this.pictured) {
      this.pictured = units
      this.ask({ do: 'picture' }, unitPicture)
        .then((picture) => {
          this.picture = picture
        })
        .catch(() => {}) // shown as it was, as what was learned is
    }
    return this.picture
  }

  jobs(): readonly Job[] {
    return [...this.listed.flatMap((id) => this.byId.get(id) ?? []), ...this.submitted]
  }

  async contribute(options: ContributeOptions = {}): Promise<void> {
    await this.ask({ do: 'contribute', options: { ...options } }, nothing)
  }

  async pause(): Promise<void> {
    await this.ask({ do: 'pause' }, nothing)
  }

  async finish(): Promise<void> {
    await this.ask({ do: 'finish' }, nothing)
  }

  async order(order: unknown): Promise<void> {
    await this.ask({ do: 'order', order }, nothing)
  }

  exportLedger(options: LedgerExportOptions = {}): Promise<LedgerExport> {
    return this.ask({ do: 'ledger', options: { ...options } }, ledgerExport)
  }

  /** The key stays in the tab that uses it. */
  exportIdentity(): Promise<Uint8Array> {
    return Promise.reject(
      new ViewError('ONLY_THERE', 'The identity is exported in the tab that runs the node: go there.')
    )
  }

  /** Leaves; the node goes on. */
  async stop(): Promise<void> {
    this.end(new JobError('STOPPED', 'This tab no longer shows the node.'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  lost(): void {
    this.end(hostGone())
  }

  private ask<T>(ask: Ask, shape: z.ZodMiniType<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.ended !== undefined) {
      reject(this.ended)
      return promise
    }
    const id = this.asked++
    const answer = (value: unknown) => {
      const { success, data, error } = shape.safeParse(value)
      return success ? resolve(data) : reject(badMessage(error))
    }
    this.asks.set(id, { answer, fail: reject })
    try {
      this.channel.postMessage({ id, ask })
    } catch (cause) {
      this.asks.delete(id)
      reject(
        new JobError('BAD_OPTION', 'Another tab takes plain data only: objects, lists, typed arrays.', {
          cause
        })
      )
    }
    return promise
  }

  private hear(data: unknown): void {
    const { data: message } = told.safeParse(data)
    switch (message?.t) {
      case 'news':
        this.learnNews(message)
        break
      case 'event':
        this.byId.get(message.job)?.hear(message.event, message.dispatch)
        break
      case 'reply':
        this.take(message.id)?.answer(message.value)
        break
      case 'refusal':
        this.take(message.id)?.fail(errorFromPlain(message.error))
        break
      case undefined:
        this.end(badMessage())
    }
  }

  private take(id: number): Asked | undefined {
    const asked = this.asks.get(id)
    this.asks.delete(id)
    return asked
  }

  private learnNews({ status, jobs, note }: Omit<Welcome, 'skills'>): void {
    this.status = status
    this.note = note
    for (const { id, skill, state } of jobs ?? []) {
      const job = this.byId.get(id) ?? new RemoteJob(skill, id, this.link)
      job.enter(state)
      this.byId.set(id, job)
    }
    this.listed = jobs?.map(({ id }) => id) ?? this.listed
    void this.learn()
    this.safeDispatchEvent('change', { detail: status })
  }

  private async learn(): Promise<void> {
    const now = performance.now()
    if (now - this.learnedAt < LEARN_EVERY_MS) {
      return
    }
    this.learnedAt = now
    // shown as it was where it cannot be had
    this.learned = await this.ask({ do: 'learned' }, learned).catch(() => this.learned)
  }

  private routerView(): RouterView {
    const now = () => this.learned
    return {
      get strategy() {
        return now().strategy
      },
      pheromones: () => now().pheromones,
      trustIn: (peer, skill) =>
        now().trust.find((each) => each.peer === peer && each.skill === skill)?.trust ?? TRUST_UNKNOWN
    }
  }

  private refuseIfEnded(): void {
    if (this.ended !== undefined) {
      throw this.ended
    }
  }

  private end(error: SwarmError): void {
    if (this.ended !== undefined) {
      return
    }
    this.ended = error
    this.channel.close()
    for (const { fail } of this.asks.values()) {
      fail(error)
    }
    this.asks.clear()
    for (const job of [...this.byId.values(), ...this.submitted]) {
      job.end(error)
    }
    this.status = { ...this.status, state: 'stopped' }
    this.onEnd()
    this.safeDispatchEvent('change', { detail: this.status })
  }
}
