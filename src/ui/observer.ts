import type { Job, JobEvent, SwarmCore, SwarmStatus } from '../api.ts'
import { EMPTY_LOG, type EventLog, eventsBetween, type LogEvent, withEvents } from './event-log.ts'
import { isOver } from './job-model.ts'
import { SAMPLE_MS, type Sample, sampleOf, withSample } from './samples.ts'

export interface ObserverInit {
  readonly swarm: SwarmCore
  /** A clock that never jumps (ms). @default performance.now */
  readonly clock?: () => number
  /** Calls back every so many ms. @default setInterval @returns what ends it */
  readonly every?: (ms: number, look: () => void) => () => void
  readonly onChange: () => void
}

/** Looks at the node as long as it runs: samples for the plots, the log, and who works for it. */
export class Observer {
  samples: readonly Sample[] = []
  log: EventLog = EMPTY_LOG
  /** Units of own jobs that each peer has in hand. */
  readonly hired = new Map<string, number>()
  readonly #init: Required<ObserverInit>
  readonly #known = new WeakSet<Job>()
  /** A job that is over may come as another object each time. */
  readonly #ids = new Set<string>()
  #before: SwarmStatus
  #verified = 0
  #isOver = false
  readonly #endTimer: () => void
  readonly #onChange = (event: CustomEvent<SwarmStatus>) => this.#hear(event.detail)

  constructor({ clock = () => performance.now(), every = onInterval, ...init }: ObserverInit) {
    this.#init = { clock, every, ...init }
    const { swarm } = init
    this.#before = swarm.status
    // What was over before has its place in the list of jobs.
    for (const job of swarm.jobs()) {
      if (isOver(job.state)) this.#ids.add(job.id)
    }
    swarm.addEventListener('change', this.#onChange)
    this.#endTimer = every(SAMPLE_MS, () => this.#look())
    this.#look()
    this.#followJobs()
  }

  stop(): void {
    this.#isOver = true
    this.#endTimer()
    this.#init.swarm.removeEventListener('change', this.#onChange)
  }

  #look(): void {
    const { swarm, clock } = this.#init
    this.samples = withSample(this.samples, sampleOf(swarm.status, this.#verified, clock()))
    this.#init.onChange()
  }

  #hear(status: SwarmStatus): void {
    this.#note(eventsBetween(this.#before, status))
    this.#before = status
    this.#followJobs()
  }

  #note(events: readonly LogEvent[]): void {
    if (events.length === 0 || this.#isOver) return
    this.log = withEvents(this.log, events, Date.now())
    this.#init.onChange()
  }

  #followJobs(): void {
    for (const job of this.#init.swarm.jobs()) {
      const isKnown = this.#known.has(job) || this.#ids.has(job.id)
      this.#known.add(job)
      // one that another tab has not taken yet has none
      if (job.id !== '') this.#ids.add(job.id)
      if (isKnown) continue
      void this.#follow(job)
    }
  }

  /** Iterating a job never fails: a job that does says so in an event. */
  async #follow(job: Job): Promise<void> {
    const hands = new Map<number, string[]>()
    for await (const event of job) {
      if (this.#isOver) return
      this.#count(hands, event)
      if (event.type !== 'progress') {
        this.#note([{ kind: 'jobs', what: 'event', job: job.id, event }])
      }
    }
    for (const unit of [...hands.keys()]) this.#empty(hands, unit)
    this.#init.onChange()
  }

  /** @param hands who has which unit; a copy makes two of one */
  #count(hands: Map<number, string[]>, event: JobEvent): void {
    switch (event.type) {
      case 'assigned':
        hands.set(event.unit, [...(hands.get(event.unit) ?? []), event.provider])
        this.#add(event.provider, 1)
        break
      case 'verified':
        this.#verified += 1
        this.#empty(hands, event.unit)
        break
      case 'retried': {
        const others = hands.get(event.unit) ?? []
        const at = others.indexOf(event.provider)
        if (at < 0) return
        hands.set(event.unit, others.toSpliced(at, 1))
        this.#add(event.provider, -1)
      }
    }
  }

  #empty(hands: Map<number, string[]>, unit: number): void {
    for (const provider of hands.get(unit) ?? []) this.#add(provider, -1)
    hands.delete(unit)
  }

  #add(provider: string, units: number): void {
    const now = (this.hired.get(provider) ?? 0) + units
    if (now > 0) this.hired.set(provider, now)
    else this.hired.delete(provider)
  }
}

function onInterval(ms: number, look: () => void): () => void {
  const timer = setInterval(look, ms)
  return () => clearInterval(timer)
}
