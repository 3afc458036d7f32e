import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, chooseMembers, quorumOf, seatChange } from '../../../src/credit/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'

// rules of names only: any text will do for a peer
const named = (i: number) => `peer-${String(i).padStart(2, '0')}` as PeerIdString
const SIZES = [0, 1, 2, 3, 4, 7]

const candidates = fc
  .uniqueArray(
    fc.record({ peer: fc.nat(20).map(named), upSince: fc.integer({ min: NOW - 3 * HOUR, max: NOW }) }),
    {
      selector: ({ peer }) => peer
    }
  )
  .map((list): Candidate[] => list)

test('any two quorums of a seat share more members than may be bad', () => {
  for (const members of SIZES.slice(1)) {
    const bad = Math.floor((members - 1) / 3)
    const quorum = quorumOf(members)
    expect(2 * quorum - members).toBeGreaterThan(bad)
    expect(quorum).toBeLessThanOrEqual(members - bad)
  }
  expect(SIZES.map(quorumOf)).toEqual([0, 1, 2, 2, 3, 5])
})

describe('the members of a seat', () => {
  test('are the most that fill a seat, different, and of those who are there', () => {
    fc.assert(
      fc.property(candidates, (here) => {
        const members = chooseMembers(here, [], NOW)
        expect(SIZES).toContain(members.length)
        expect(new Set(members).size).toBe(members.length)
        expect(here.map(({ peer }) => peer)).toEqual(expect.arrayContaining(members))
        const steady = here.filter(({ upSince }) => NOW - upSince >= HOUR).length
        const pool = steady >= 4 ? steady : here.length
        expect(members.length).toBe(SIZES.findLast((size) => size <= pool))
      })
    )
  })

  test('are those up for an hour, where four are; whoever sits stays', () => {
    fc.assert(
      fc.property(candidates, fc.shuffledSubarray([...Array(21).keys()].map(named)), (here, keep) => {
        const members = chooseMembers(here, keep, NOW)
        const steady = here.filter(({ upSince }) => NOW - upSince >= HOUR)
        const pool = (steady.length >= 4 ? steady : here).map(({ peer }) => peer)
        const sitting = pool.filter((peer) => keep.includes(peer))
        const stay = members.filter((peer) => keep.includes(peer))
        expect(members.every((peer) => pool.includes(peer))).toBe(true)
        expect(stay).toHaveLength(Math.min(sitting.length, members.length))
      })
    )
  })

  test('do not depend on the order in which they were seen', () => {
    fc.assert(
      fc.property(candidates, (here) => {
        expect(chooseMembers([...here].reverse(), [], NOW)).toEqual(chooseMembers(here, [], NOW))
      })
    )
  })
})

describe('a seat', () => {
  const patienceMs = 60_000
  const here = (...peers: number[]) => peers.map((i) => ({ peer: named(i), upSince: NOW - i }))
  const seatOf = (...peers: number[]) => ({ members: peers.map(named), quorum: quorumOf(peers.length) })
  const silence = (ms: number, ...peers: number[]) => new Map(peers.map((i) => [named(i), NOW - ms]))
  const change = (
    seat: ReturnType<typeof seatOf>,
    present: number[],
    lastSeen = new Map<PeerIdString, number>()
  ) => seatChange(seat, { candidates: here(...present), lastSeen, now: NOW, patienceMs })

  test('that is none yet is unsure, and stays none where nobody is', () => {
    expect(change(seatOf(), [])).toBeUndefined()
    expect(change(seatOf(), [2, 1])).toEqual({ members: [named(2), named(1)], unsure: true })
  })

  test('keeps a member that is away for a moment', () => {
    expect(change(seatOf(1, 2, 3), [1, 2, 4], silence(59_999, 3))).toEqual({
      members: expect.arrayContaining([1, 2, 3, 4].map(named)),
      unsure: false
    })
    expect(change(seatOf(1, 2, 3), [1, 2], silence(59_999, 3))).toBeUndefined()
  })

  test('replaces a member that was silent for too long, if there is another', () => {
    expect(change(seatOf(1, 2, 3), [1, 2, 9], silence(60_000, 3))).toEqual({
      members: [2, 1, 9].map(named),
      unsure: false
    })
    expect(change(seatOf(1, 2, 3), [1, 2], silence(60_000, 3))).toBeUndefined()
  })

  test('without a quorum waits, then is unsure, with those who are there', () => {
    expect(change(seatOf(1, 2, 3), [1, 8], silence(59_999, 2, 3))).toBeUndefined()
    expect(change(seatOf(1, 2, 3), [1, 8], silence(60_000, 2, 3))).toEqual({
      members: [1, 8].map(named),
      unsure: true
    })
    expect(change(seatOf(1, 2), [], silence(60_000, 1, 2))).toEqual({ members: [], unsure: true })
  })

  test('is changed with votes only while a quorum of it is there, and never shrinks then', () => {
    fc.assert(
      fc.property(
        candidates,
        fc
          .constantFrom(1, 2, 3, 4, 7)
          .chain((size) => fc.shuffledSubarray([...Array(21).keys()], { minLength: size, maxLength: size })),
        fc.nat(120_000),
        (present, sitting, ms) => {
          const seat = seatOf(...sitting)
          const next = seatChange(seat, {
            candidates: present,
            lastSeen: silence(ms, ...sitting),
            now: NOW,
            patienceMs
          })
          const quorate = seat.members.filter((member) => present.some(({ peer }) => peer === member))
          if (next && !next.unsure) {
            expect(quorate.length).toBeGreaterThanOrEqual(seat.quorum)
            expect(next.members.length).toBeGreaterThanOrEqual(seat.members.length)
          } else if (next) {
            expect(quorate.length).toBeLessThan(seat.quorum)
            expect(ms).toBeGreaterThanOrEqual(patienceMs)
          }
        }
      )
    )
  })
})
