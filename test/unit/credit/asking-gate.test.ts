import { beforeAll, describe, expect, test } from 'vitest'
import { askingGate } from '../../../src/credit/transport.ts'
import { FloodGate } from '../../../src/net/index.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'

/** What others may ask a ledger for, where names cost nothing. */

let known: PeerIdString
beforeAll(async () => {
  known = (await TestChain.create(await networkOf(NETWORKS.local), 1, NOW)).peer
})
const gateOf = () => askingGate((peer) => peer === known)

/** Takes all that a name gets, in large pieces and then in small ones. */
function drain(gate: FloodGate, name: string, now: number): void {
  for (const cost of [510, 32, 5, 1]) {
    while (gate.admits(name, now, cost)) {}
  }
}

describe('where somebody takes all that it gets', () => {
  test('under twenty names, everybody else is heard: who is known, and who asks now and then', () => {
    const gate = gateOf()
    for (let second = 0; second < 120; second++) {
      const now = NOW + second * 1_000
      for (let name = 0; name < 20; name++) {
        drain(gate, `bad ${name}`, now)
      }
      expect(gate.admits(known, now, 13)).toBe(true)
      expect(gate.admits(`honest ${second % 50}`, now, 13)).toBe(true)
    }
  })

  test('under a thousand new names each second, who is known is heard', () => {
    const gate = gateOf()
    for (let second = 0; second < 20; second++) {
      const now = NOW + second * 1_000
      for (let name = 0; name < 1_200; name++) {
        drain(gate, `bad ${second} ${name}`, now)
      }
      expect(gate.admits('honest', now, 13)).toBe(false)
      expect(gate.admits(known, now, 13)).toBe(true)
    }
  })

  test('who is known gets no more than one peer may have, and leaves the others theirs', () => {
    const gate = gateOf()
    drain(gate, known, NOW)
    expect(gate.admits(known, NOW + 1_000, 130)).toBe(false)
    expect(gate.admits(known, NOW + 1_000, 127)).toBe(true)
    expect(gate.admits('honest', NOW + 1_000, 13)).toBe(true)
  })
})

describe('what an answer costs', () => {
  const rate = { burst: 100, perSecond: 10 }

  test('is paid back before anything more is admitted', () => {
    const gate = new FloodGate(rate, { burst: 10_000, perSecond: 0 })
    gate.admit('a', NOW, 50)?.(80)
    expect(gate.admits('a', NOW + 3_000)).toBe(false)
    expect(gate.admits('a', NOW + 3_101)).toBe(true)
    expect(gate.admits('b', NOW)).toBe(true)
  })

  test('of all together likewise, and never more than a burst', () => {
    const gate = new FloodGate({ burst: 10_000, perSecond: 0 }, rate)
    gate.admit('a', NOW, 50)?.(1_000_000)
    expect(gate.admits('b', NOW + 10_000)).toBe(false)
    expect(gate.admits('b', NOW + 10_101)).toBe(true)
  })
})
