import type { JobEvent, PeerInfo, SwarmState, SwarmStatus } from '../api.ts'
import { formatAmount, formatUnits, type MicroCredits, shortId } from './format.ts'
import { logLine } from './job-model.ts'
import { texts } from './texts/index.ts'

export const LOG_KINDS = ['node', 'peers', 'work', 'credits', 'jobs'] as const
export type LogKind = (typeof LOG_KINDS)[number]

/** Something that happened at this node; put into words where it is shown, in the language of then. */
export type LogEvent =
  | { readonly kind: 'node'; readonly what: 'state'; readonly state: SwarmState }
  | { readonly kind: 'node'; readonly what: 'contributing' | 'resting' }
  | {
      readonly kind: 'peers'
      readonly what: 'met' | 'moved'
      readonly peer: string
      readonly connection: PeerInfo['connection']
    }
  | { readonly kind: 'peers'; readonly what: 'lost'; readonly peer: string }
  | {
      readonly kind: 'work'
      readonly what: 'taken' | 'over'
      readonly skill: string
      readonly requester: string
    }
  | { readonly kind: 'work'; readonly what: 'verified'; readonly units: number }
  | { readonly kind: 'credits'; readonly what: 'balance'; readonly change: MicroCredits }
  | { readonly kind: 'jobs'; readonly what: 'event'; readonly job: string; readonly event: JobEvent }

export interface LogEntry {
  /** Counts all entries, also those that were dropped. */
  readonly index: number
  /** Date.now() */
  readonly at: number
  readonly event: LogEvent
}

export interface EventLog {
  /** Oldest first. */
  readonly entries: readonly LogEntry[]
  readonly dropped: number
}

export const EMPTY_LOG: EventLog = { entries: [], dropped: 0 }

/** Of each kind, so that a job of a thousand units does not push out who came and went. */
export const KEPT_A_KIND = 200
/** What strangers name, as it is shown. */
const WORD_MOST = 64

export function withEvents(log: EventLog, events: readonly LogEvent[], at: number): EventLog {
  if (events.length === 0) return log
  const total = log.dropped + log.entries.length
  const added = events.map((event, index) => ({ index: total + index, at, event }))
  const left: Record<string, number> = {}
  const entries = [...log.entries, ...added]
    .toReversed()
    .filter(({ event: { kind } }) => {
      left[kind] = (left[kind] ?? KEPT_A_KIND) - 1
      return left[kind] >= 0
    })
    .toReversed()
  return { entries, dropped: total + events.length - entries.length }
}

/** What happened between two looks at the node. */
export function eventsBetween(before: SwarmStatus, after: SwarmStatus): LogEvent[] {
  return [
    ...(before.state === after.state ? [] : [{ kind: 'node', what: 'state', state: after.state } as const]),
    ...(before.contributing === after.contributing
      ? []
      : [{ kind: 'node', what: after.contributing ? 'contributing' : 'resting' } as const]),
    ...peerEvents(before.peers, after.peers),
    ...workEvents(before.work.now ?? [], after.work.now ?? []),
    ...(after.work.verifiedUnits > before.work.verifiedUnits
      ? [
          {
            kind: 'work',
            what: 'verified',
            units: after.work.verifiedUnits - before.work.verifiedUnits
          } as const
        ]
      : []),
    ...(before.balance.settled === after.balance.settled
      ? []
      : [
          {
            kind: 'credits',
            what: 'balance',
            change: after.balance.settled - before.balance.settled
          } as const
        ])
  ]
}

function peerEvents(before: readonly PeerInfo[], after: readonly PeerInfo[]): LogEvent[] {
  const known = new Map(before.map(({ peer, connection }) => [peer, connection]))
  const here = new Set(after.map(({ peer }) => peer))
  const seen = after.flatMap(({ peer, connection }): LogEvent[] => {
    const was = known.get(peer)
    if (was === connection) return []
    return [{ kind: 'peers', what: was === undefined ? 'met' : 'moved', peer, connection }]
  })
  const gone = before.filter(({ peer }) => !here.has(peer))
  return [...seen, ...gone.map(({ peer }): LogEvent => ({ kind: 'peers', what: 'lost', peer }))]
}

type Work = NonNullable<SwarmStatus['work']['now']>

function workEvents(before: Work, after: Work): LogEvent[] {
  const name = ({ skill, requester }: Work[number]) => `${requester} ${skill}`
  const missing = (from: Work, other: Work) => {
    const names = new Set(other.map(name))
    return from.filter((each) => !names.has(name(each)))
  }
  const event =
    (what: 'taken' | 'over') =>
    (work: Work[number]): LogEvent => ({
      kind: 'work',
      what,
      skill: work.skill,
      requester: work.requester
    })
  return [...missing(after, before).map(event('taken')), ...missing(before, after).map(event('over'))]
}

/** In words, bounded; undefined: nothing to say. */
export function wordsOf(event: LogEvent): string | undefined {
  const { log } = texts
  switch (event.what) {
    case 'state':
      return texts.state[event.state].label
    case 'contributing':
    case 'resting':
      return log[event.what]
    case 'met':
    case 'moved':
      return log[event.what](shortId(event.peer), texts.peers[event.connection])
    case 'lost':
      return log.lost(shortId(event.peer))
    case 'taken':
    case 'over':
      return log[event.what](event.skill.slice(0, WORD_MOST), shortId(event.requester))
    case 'verified':
      return log.verified(formatUnits(event.units))
    case 'balance':
      return log.balance(`${event.change > 0n ? '+' : ''}${formatAmount(event.change)}`)
    case 'event': {
      const line = logLine(event.event)
      return line === undefined ? undefined : log.job(shortId(event.job), line)
    }
  }
}
