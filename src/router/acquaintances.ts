import type { Outcome } from '../trust/index.ts'
import { checked, type Replication, UNCHECKED } from '../trust/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { type Experience, judge, neverMet } from './experience.ts'

/** What is remembered of one peer for one skill. */
export interface Acquaintance {
  readonly experience: Experience
  /** Operations a ms of one unit; undefined: none was timed. */
  readonly speed: number | undefined
  readonly replication: Replication
}

export type Judgement = ReturnType<typeof judge>

export interface Known extends Acquaintance {
  /** `experience` as it stood at `judgedAt`: looked at for each candidate of each unit, and it changes slowly. */
  judgement: Judgement
  judgedAt: Milliseconds
}

/** Peers remembered, of each skill; and skills. */
const PEERS_MAX = 4_096
const JUDGEMENT_MAX_AGE: Milliseconds = 1_000
const NOBODY: ReadonlyMap<PeerIdString, Known> = new Map()

/** The peers that this node has hired, by skill; the least recently met are forgotten first. */
export class Acquaintances {
  private readonly bySkill = new Map<string, Map<PeerIdString, Known>>()

  get(skill: string, peer: PeerIdString): Acquaintance | undefined {
    return this.bySkill.get(skill)?.get(peer)
  }

  set(skill: string, peer: PeerIdString, acquaintance: Acquaintance, now: Milliseconds): void {
    const peers = this.bySkill.get(skill) ?? new Map<PeerIdString, Known>()
    this.bySkill.set(skill, peers)
    peers.delete(peer)
    peers.set(peer, { ...acquaintance, judgement: judge(acquaintance.experience, now), judgedAt: now })
    dropOldest(peers, PEERS_MAX)
    dropOldest(this.bySkill, PEERS_MAX)
  }

  /** Those met for a skill. */
  of(skill: string): ReadonlyMap<PeerIdString, Known> {
    return this.bySkill.get(skill) ?? NOBODY
  }

  /** All, the least recently met of each skill first. */
  *entries(): Generator<[skill: string, peer: PeerIdString, acquaintance: Acquaintance]> {
    for (const [skill, peers] of this.bySkill) {
      for (const [peer, { experience, speed, replication }] of peers) {
        yield [skill, peer, { experience, speed, replication }]
      }
    }
  }
}

/** As it stood within the last second. */
export function judged(known: Known, now: Milliseconds): Judgement {
  if (Math.abs(now - known.judgedAt) > JUDGEMENT_MAX_AGE) {
    known.judgement = judge(known.experience, now)
    known.judgedAt = now
  }
  return known.judgement
}

export function newAcquaintance(now: Milliseconds): Acquaintance {
  return { experience: neverMet(now), speed: undefined, replication: UNCHECKED }
}

/** A unit was checked against another computation of it; a wrong result counts in any case. */
export function replicated(before: Replication, outcome: Outcome, wasCompared: boolean): Replication {
  return outcome === 'wrong' || wasCompared ? checked(before, outcome === 'verified') : before
}

/** @param limit entries that may stay */
export function dropOldest<K>(map: Map<K, unknown>, limit = PEERS_MAX): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) {
      return
    }
    map.delete(oldest)
  }
}
