import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KnownAnswers } from '../../../src/jobs/known-answers.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'

const peer = (name: string) => name as PeerIdString // the rule never reads into an id
const parts = (...hashes: string[]) => ({
  partRefs: hashes.map((hash) => ({ hash, bytes: new Uint8Array() }))
})
const answer = (bytes: number, partsOf: number[] = [], name = 0) => ({
  spec: { params: [bytes, name], parts: partsOf, data: new Uint8Array(bytes), cost: 1n },
  result: Uint8Array.of(bytes)
})

test('a peer gets each unit once, and none that it has computed', () => {
  const known = new KnownAnswers()
  known.add('skill', parts(), answer(1), [peer('a'), peer('b')])
  expect(known.take('skill', parts(), peer('a'), 0)).toBeUndefined()
  expect(known.take('other', parts(), peer('c'), 0)).toBeUndefined()
  expect(known.take('skill', parts(), peer('c'), 0)?.result).toEqual(Uint8Array.of(1))
  expect(known.take('skill', parts(), peer('c'), 0)).toBeUndefined()
})

test('the same unit again is kept once, with all that have computed it', () => {
  const known = new KnownAnswers()
  known.add('skill', parts(), answer(1), [peer('a')])
  known.add('skill', parts(), answer(1), [peer('b')])
  expect(known.size).toBe(1)
  expect(known.take('skill', parts(), peer('b'), 0)).toBeUndefined()
})

test('a unit is known by the parts that this job has, under their places in it', () => {
  const known = new KnownAnswers()
  known.add('skill', parts('x', 'y', 'z'), answer(1, [2, 0]), [])
  expect(known.take('skill', parts('x', 'y'), peer('a'), 0)).toBeUndefined()
  expect(known.take('skill', parts('z', 'x'), peer('a'), 0)?.spec.parts).toEqual([0, 1])
})

test('what turned out to be wrong is forgotten', () => {
  const known = new KnownAnswers()
  known.add('skill', parts(), answer(1), [])
  const taken = known.take('skill', parts(), peer('a'), 0)
  known.forget(taken?.result ?? new Uint8Array())
  expect(known.size).toBe(0)
})

test('whatever comes, it keeps within its limits, and the newest of each skill', () => {
  const sizes = fc.array(
    fc.record({ skill: fc.constantFrom('a', 'b', 'c'), bytes: fc.integer({ min: 1, max: 40 }) })
  )
  fc.assert(
    fc.property(sizes, (units) => {
      const known = new KnownAnswers({ answerBytes: 30, bytes: 100, perSkill: 4 })
      for (const [name, { skill, bytes }] of units.entries()) {
        known.add(skill, parts(), answer(bytes, [], name), [])
      }
      let bytes = 0
      for (const skill of ['a', 'b', 'c']) {
        const seen = []
        for (let next = known.take(skill, parts(), peer('x'), 0); next !== undefined; ) {
          seen.push(next.spec.data.byteLength)
          bytes += next.spec.data.byteLength + 1
          next = known.take(skill, parts(), peer('x'), 0)
        }
        expect(seen.length).toBeLessThanOrEqual(4)
        const all = units.filter((unit) => unit.skill === skill && unit.bytes < 30).map((unit) => unit.bytes)
        expect(seen).toEqual(all.slice(all.length - seen.length))
      }
      expect(bytes).toBeLessThanOrEqual(100)
    })
  )
})
