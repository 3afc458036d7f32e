import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { replaySplit, splitUnits } from '../../../src/credit/index.ts'
import { divide } from '../../../src/credit/settling.ts'
import type { EscrowBody, PeerIdString, UnitGroup } from '../../../src/wire/index.ts'
import { cidOf } from '../../../src/wire/index.ts'

const PLAYERS = 6
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })

const groupOf = (weight: fc.Arbitrary<bigint>): fc.Arbitrary<UnitGroup> =>
  fc.record({
    weight,
    payees: fc.uniqueArray(fc.nat(PLAYERS - 1), { minLength: 1, maxLength: PLAYERS }),
    quorum: fc.integer({ min: 1, max: PLAYERS })
  })
const groups = fc.array(groupOf(fc.bigInt(0n, 10_000n)), { maxLength: 12 })

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n)

/** v(S) by the definition. S is a bit mask. */
function worth(game: readonly UnitGroup[], coalition: number): bigint {
  return sum(
    game.map(({ weight, payees, quorum }) =>
      payees.filter((payee) => coalition & (1 << payee)).length >= quorum ? weight : 0n
    )
  )
}

const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1))

/** n!·φ by the sum over all coalitions. */
function bruteForce(game: readonly UnitGroup[], players: number): bigint[] {
  return Array.from({ length: players }, (_, player) => {
    let total = 0n
    for (let coalition = 0; coalition < 1 << players; coalition++) {
      if (coalition & (1 << player)) {
        continue
      }
      const size = coalition.toString(2).replaceAll('0', '').length
      const orders = factorial(size) * factorial(players - size - 1)
      total += orders * (worth(game, coalition | (1 << player)) - worth(game, coalition))
    }
    return total
  })
}

test('is the Shapley value by its definition, rounded by the largest remainder', () => {
  fc.assert(
    fc.property(groups, seed, (game, bytes) => {
      const scale = factorial(PLAYERS)
      const exact = bruteForce(game, PLAYERS)
      const split = splitUnits(game, PLAYERS, bytes)
      expect(sum(split)).toBe(worth(game, (1 << PLAYERS) - 1))
      const remainders = exact.map((value) => value % scale)
      const ups = split.map((share, i) => share - (exact[i] ?? 0n) / scale)
      expect(ups.every((up) => up === 0n || up === 1n)).toBe(true)
      const raised = remainders.filter((_, i) => ups[i] === 1n)
      const kept = remainders.filter((_, i) => ups[i] === 0n)
      expect(raised.every((up) => kept.every((down) => up >= down))).toBe(true)
    }),
    { numRuns: 60 }
  )
})

test('gives a dummy nothing, and equal players the same but for a rounded µcr', () => {
  fc.assert(
    fc.property(groups, seed, (game, bytes) => {
      const twins = game.map((group) => ({
        ...group,
        payees: [...group.payees.filter((p) => p > 1), ...(group.payees.some((p) => p < 2) ? [0, 1] : [])]
      }))
      const [a = 0n, b = 0n, ...rest] = splitUnits(twins, PLAYERS + 1, bytes)
      expect(a - b).toBeLessThanOrEqual(1n)
      expect(b - a).toBeLessThanOrEqual(1n)
      expect(rest.at(-1)).toBe(0n)
    })
  )
})

test('of two games together is the sum of their splits', () => {
  const exactGroups = fc.array(groupOf(fc.bigInt(0n, 100n).map((weight) => weight * 60n)), { maxLength: 8 })
  fc.assert(
    fc.property(exactGroups, exactGroups, seed, (one, other, bytes) => {
      const a = splitUnits(one, PLAYERS, bytes)
      const b = splitUnits(other, PLAYERS, bytes)
      expect(splitUnits([...one, ...other], PLAYERS, bytes)).toEqual(
        a.map((share, i) => share + (b[i] ?? 0n))
      )
    })
  )
})

test('breaks ties by the seed alone', () => {
  const game = [{ weight: 1n, payees: [0, 1, 2], quorum: 1 }]
  const winners = new Set(
    [0, 1, 2].map((last) => splitUnits(game, 3, Uint8Array.of(0, 0, 0, last, ...new Array(28))).indexOf(1n))
  )
  expect(winners.size).toBe(3)
})

test.each([
  [{ weight: 1n, payees: [3], quorum: 1 }],
  [{ weight: 1n, payees: [0, 0], quorum: 1 }],
  [{ weight: 1n, payees: [0], quorum: 0 }]
])('refuses a group that makes no sense: %o', (group) => {
  expect(() => splitUnits([group], 3, new Uint8Array(32))).toThrow(
    expect.objectContaining({ code: 'BAD_SPLIT' })
  )
})

test('a settle replays to its payouts, exact and never below a receipt', async () => {
  const escrow = await cidOf(new Uint8Array())
  const max = 200_000n
  fc.assert(
    fc.property(
      groups,
      fc.array(fc.bigInt(0n, max), { minLength: 6, maxLength: 6 }),
      seed,
      (game, given, bytes) => {
        const body = {
          payees: given.map((_, i) => ({ peer: `${i}` as PeerIdString, max, on: [] })),
          amount: max * 6n
        } as unknown as EscrowBody // what `divide` looks at
        const settle = divide(escrow, body, game, given, bytes)
        expect(replaySplit(settle)).toEqual(settle.payouts)
        expect(sum(settle.payouts) + settle.refund).toBe(body.amount)
        expect(settle.payouts.every((payout, i) => payout >= (given[i] ?? 0n))).toBe(true)
        const fair = splitUnits(game, 6, bytes)
        expect(settle.payouts.every((payout, i) => payout === fair[i] || payout === given[i])).toBe(true)
      }
    )
  )
})
