import type { Dispatch, Job, JobEvent, SwarmCore } from '../../api.ts'
import { JobError, typedError } from '../../jobs/index.ts'
import { errorToPlain } from '../../wire/index.ts'
import { badMessage, ViewError } from './errors.ts'
import {
  type Ask,
  LOBBY,
  type LobbyMessage,
  lobbyMessage,
  placeOf,
  request,
  requestId,
  VERSION
} from './messages.ts'
import type { JobLine, Learned } from './shapes.ts'

/** Tabs that one node is shown in, besides its own. */
const GUESTS_MOST = 16
/** Requests of one guest that wait for an answer. */
const ASKED_MOST = 256
/** Jobs that are listed, the newest. */
const JOBS_LISTED = 64

export interface ShareInit {
  readonly swarm: SwarmCore
  readonly locks: LockManager
  /** What the page has to tell besides: plain data. */
  readonly note: () => unknown
  /** Does what a guest's page asks of this one, unchecked as it comes; false: not understood. What it throws, that page throws. */
  readonly obey: (order: unknown) => Promise<boolean>
}

/** A node that other tabs of this browser may look at and hire through. */
export interface Share {
  /** The note has changed. */
  tell(): void
  /** Before the lock of the node is given back. */
  stop(): void
}

/** Shows a running node to other tabs of this browser: `viewSwarm` is their side. */
export function shareSwarm(init: ShareInit): Share {
  return new Host(init)
}

class Host implements Share {
  private readonly init: ShareInit
  private readonly lobby = new BroadcastChannel(LOBBY)
  private readonly guests = new Map<string, Guest>()
  private readonly over = new AbortController()
  private isTelling = false

  constructor(init: ShareInit) {
    this.init = init
    const { signal } = this.over
    this.lobby.addEventListener('message', ({ data }) => this.hear(data), { signal })
    init.swarm.addEventListener('change', this.onChange)
    this.say({ t: 'here', v: VERSION })
  }

  tell(): void {
    if (this.isTelling) {
      return // several changes of one moment are told together
    }
    this.isTelling = true
    queueMicrotask(() => {
      this.isTelling = false
      for (const guest of this.guests.values()) {
        guest.tellNews()
      }
    })
  }

  stop(): void {
    this.over.abort()
    this.init.swarm.removeEventListener('change', this.onChange)
    this.lobby.close()
    for (const guest of this.guests.values()) {
      guest.close()
    }
    this.guests.clear()
  }

  private readonly onChange = () => this.tell()

  private say(message: LobbyMessage): void {
    this.lobby.postMessage(message)
  }

  private hear(data: unknown): void {
    const { data: message } = lobbyMessage.safeParse(data)
    if (message?.t !== 'hello') {
      return
    }
    const { guest, v } = message
    if (v !== VERSION) {
      this.say({ t: 'differs', v: VERSION, guest })
    } else if (!this.guests.has(guest) && this.guests.size < GUESTS_MOST) {
      this.guests.set(guest, new Guest(this.init, guest))
      void this.dropWhenGone(guest)
    }
  }

  private async dropWhenGone(guest: string): Promise<void> {
    const { signal } = this.over
    try {
      await this.init.locks.request(placeOf(guest), { signal }, () => {})
    } catch (error) {
      if (!signal.aborted) {
        throw error
      }
    }
    this.guests.get(guest)?.close()
    this.guests.delete(guest)
    if (!signal.aborted) {
      this.say({ t: 'here', v: VERSION }) // there may be one for whom there was no place
    }
  }
}

/** One other tab: its requests, and what it is told. */
class Guest {
  private readonly init: ShareInit
  private readonly channel: BroadcastChannel
  private isGone = false
  private asked = 0
  private listed = ''

  constructor(init: ShareInit, name: string) {
    this.init = init
    this.channel = new BroadcastChannel(placeOf(name))
    this.channel.addEventListener('message', ({ data }) => void this.answer(data))
    const skills = init.swarm.skills.map(({ name, version }) => ({ name, version }))
    this.post({ t: 'welcome', skills, ...this.news() })
  }

  tellNews(): void {
    this.post({ t: 'news', ...this.news() })
  }

  close(): void {
    this.isGone = true
    this.channel.close()
  }

  private news() {
    const { swarm, note } = this.init
    const jobs: JobLine[] = swarm
      .jobs()
      .slice(-JOBS_LISTED)
      .map(({ id, skill, state }) => ({ id, skill, state }))
    const list = JSON.stringify(jobs)
    const isNew = list !== this.listed
    this.listed = list
    return { status: swarm.status, note: note(), ...(isNew ? { jobs } : {}) }
  }

  private async answer(data: unknown): Promise<void> {
    const { data: parsed, error } = request.safeParse(data)
    const id = parsed?.id ?? requestId.safeParse(data).data?.id
    if (id === undefined) {
      return // nobody waits for an answer
    }
    this.asked += 1
    try {
      if (parsed === undefined) {
        throw badMessage(error)
      }
      if (this.asked > ASKED_MOST) {
        throw new JobError('BUSY', 'The tab that runs the node has enough to answer: ask again.', {
          retryable: true
        })
      }
      this.post({ t: 'reply', id, value: await this.do(parsed.ask) })
    } catch (thrown) {
      this.post({ t: 'refusal', id, error: errorToPlain(typedError(thrown)) })
    }
    this.asked -= 1
  }

  private async do(ask: Ask): Promise<unknown> {
    const { swarm, obey } = this.init
    switch (ask.do) {
      case 'submit':
        return swarm.submit(ask.skill, ask.input, ask.options).id
      case 'quote':
        return swarm.quote(ask.skill, ask.input, ask.options)
      case 'follow':
        void this.follow(this.job(ask.job))
        return undefined
      case 'partial':
        return this.job(ask.job).partial()
      case 'result':
        return this.job(ask.job).result
      case 'cancel':
        return this.job(ask.job).cancel()
      case 'contribute':
        return swarm.contribute(ask.options)
      case 'pause':
        return swarm.pause()
      case 'finish':
        return swarm.finish()
      case 'ledger':
        return swarm.exportLedger(ask.options)
      case 'learned':
        return learnedBy(swarm)
      case 'picture':
        return swarm.lastPicture?.()
      case 'order':
        if (!(await obey(ask.order))) {
          throw badMessage()
        }
        return undefined
    }
  }

  private job(id: string): Job {
    const found = this.init.swarm.jobs().find((job) => job.id === id)
    if (found === undefined) {
      throw new ViewError('UNKNOWN_JOB', 'The node keeps this job no more: only the newest are.')
    }
    return found
  }

  private async follow(job: Job): Promise<void> {
    const sent = new Map<number, number>()
    for await (const event of job) {
      if (this.isGone) {
        return
      }
      this.post({ t: 'event', job: job.id, event: plainEvent(event), dispatch: dispatchOf(job, event, sent) })
    }
  }

  private post(message: object): void {
    if (!this.isGone) {
      this.channel.postMessage(message)
    }
  }
}

const plainEvent = (event: JobEvent) =>
  event.type === 'failed' ? { type: 'failed', error: errorToPlain(event.error) } : event

/** @param sent how often each unit was assigned so far */
function dispatchOf(job: Job, event: JobEvent, sent: Map<number, number>): Dispatch | undefined {
  if (event.type !== 'assigned') {
    return undefined
  }
  const nth = sent.get(event.unit) ?? 0
  sent.set(event.unit, nth + 1)
  return job.why(event.unit)[nth]
}

function learnedBy({ router, status, skills }: SwarmCore): Learned {
  const pheromones = router.pheromones()
  const peers = new Set([...status.peers, ...pheromones].map(({ peer }) => peer))
  return {
    strategy: router.strategy,
    pheromones: pheromones.map(({ peer, skill, strength }) => ({ peer, skill, strength })),
    trust: [...peers].flatMap((peer) =>
      skills.map(({ name }) => ({ peer, skill: name, trust: router.trustIn(peer, name) }))
    )
  }
}
