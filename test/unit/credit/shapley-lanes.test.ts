import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pipelineValues, replaySplit, splitLanes, weightsFor } from '../../../src/credit/index.ts'
import { mergeLanes } from '../../../src/credit/shapley-lanes.ts'
import type { PipelineLane } from '../../../src/wire/index.ts'

const sum = (amounts: readonly bigint[]) => amounts.reduce((all, amount) => all + amount, 0n)
const weights = fc.bigInt(0n, 10n ** 9n)
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const PLAYERS = 7

/** Stages of one to three of seven players, none of them twice. */
const lane: fc.Arbitrary<PipelineLane> = fc
  .tuple(
    fc.shuffledSubarray([...Array(PLAYERS).keys()], { minLength: 1 }),
    fc.array(fc.tuple(weights, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 5 })
  )
  .map(([players, stages]) => {
    const left = [...players]
    return stages.flatMap(([weight, count]) => {
      const payees = left.splice(0, count)
      return payees.length === 0 ? [] : [{ weight, payees }]
    })
  })
const lanes = fc.array(lane, { maxLength: 12 })

describe('the split of a pipeline by lanes', () => {
  test('shares all of the weights, and nothing else', () => {
    fc.assert(
      fc.property(lanes, seeds, (some, seed) => {
        const shares = splitLanes(some, PLAYERS, seed)
        expect(sum(shares)).toBe(sum(some.flat().map(({ weight }) => weight)))
        expect(shares.every((share) => share >= 0n)).toBe(true)
      })
    )
  })

  test('is that of the quadrature, lane by lane, within the rounding', () => {
    fc.assert(
      fc.property(lanes, seeds, (some, seed) => {
        const expected = new Array<number>(PLAYERS).fill(0)
        for (const each of some) {
          for (const [player, value] of pipelineValues(each, PLAYERS).entries()) {
            expected[player] = (expected[player] ?? 0) + value
          }
        }
        for (const [player, share] of splitLanes(some, PLAYERS, seed).entries()) {
          expect(Math.abs(Number(share) - (expected[player] ?? 0))).toBeLessThan(1.01)
        }
      })
    )
  })

  test('is what a walk through all orders gives', () => {
    const stages: PipelineLane = [
      { weight: 600n, payees: [0] },
      { weight: 300n, payees: [1, 2] },
      { weight: 100n, payees: [3] }
    ]
    const walk = () => {
      const here = new Set<number>()
      let before = 0
      return (player: number) => {
        here.add(player)
        const covered = stages.filter(({ payees }) => payees.some((payee) => here.has(payee)))
        const worth =
          covered.reduce((all, { weight }) => all + Number(weight) / 2, 0) +
          (covered.length === stages.length ? 500 : 0)
        const gain = worth - before
        before = worth
        return gain
      }
    }
    const orders = permutations([0, 1, 2, 3])
    const means = [0, 0, 0, 0]
    for (const order of orders) {
      const arrive = walk()
      for (const player of order) {
        means[player] = (means[player] ?? 0) + arrive(player) / orders.length
      }
    }
    const shares = splitLanes([stages], 4, new Uint8Array(32))
    for (const [player, mean] of means.entries()) {
      expect(Math.abs(Number(shares[player]) - mean)).toBeLessThan(1)
    }
  })

  test('does not change when lanes of the same payees are put together', () => {
    fc.assert(
      fc.property(lanes, seeds, (some, seed) => {
        expect(splitLanes(mergeLanes(some), PLAYERS, seed)).toEqual(splitLanes(some, PLAYERS, seed))
      })
    )
  })

  test('adds to one payee what a lane of its own weighs, and changes nothing for the others', () => {
    fc.assert(
      fc.property(lanes, seeds, weights, fc.nat(PLAYERS - 1), (some, seed, weight, payee) => {
        const before = splitLanes(some, PLAYERS, seed)
        const after = splitLanes([...some, [{ weight, payees: [payee] }]], PLAYERS, seed)
        expect(after).toEqual(before.map((share, i) => share + (i === payee ? weight : 0n)))
      })
    )
  })

  test('replays from a settle', () => {
    fc.assert(
      fc.property(lanes, seeds, (inputs, seed) => {
        const payouts = splitLanes(inputs, PLAYERS, seed)
        expect(replaySplit({ payouts, split: { form: 'pipeline', seed, inputs } })).toEqual(payouts)
      })
    )
  })

  test('refuses a payee that is not there, or in two stages of a lane', () => {
    const seed = new Uint8Array(32)
    const twice: PipelineLane = [
      { weight: 1n, payees: [0] },
      { weight: 1n, payees: [0] }
    ]
    expect(() => splitLanes([twice], 2, seed)).toThrow(expect.objectContaining({ code: 'BAD_SPLIT' }))
    expect(() => splitLanes([[{ weight: 1n, payees: [2] }]], 2, seed)).toThrow(
      expect.objectContaining({ code: 'BAD_SPLIT' })
    )
  })
})

describe('the weights of a lane', () => {
  const prices = fc.array(fc.bigInt(1n, 10n ** 9n), { minLength: 2, maxLength: 8 })
  const sharesOf = (some: readonly bigint[]) =>
    splitLanes([some.map((weight, payee) => ({ weight, payees: [payee] }))], some.length, new Uint8Array(32))

  test('pay each its price at least, and the whole less than twice the prices', () => {
    fc.assert(
      fc.property(prices, (some) => {
        const chosen = weightsFor(some)
        const shares = sharesOf(chosen)
        expect(shares.every((share, i) => share >= (some[i] ?? 0n))).toBe(true)
        expect(sum(chosen)).toBeLessThan(2n * sum(some) + BigInt(some.length))
      })
    )
  })

  test('come to the prices where none is below half an even share', () => {
    expect(sharesOf(weightsFor([450n, 450n, 300n]))).toEqual([450n, 450n, 300n])
    fc.assert(
      fc.property(prices, (some) => {
        const even = sum(some) / (2n * BigInt(some.length))
        fc.pre(some.every((price) => price > even))
        expect(sum(weightsFor(some)) - sum(some)).toBeLessThanOrEqual(BigInt(some.length))
      })
    )
  })

  test('are none for a stage that costs next to nothing', () => {
    expect(weightsFor([1_000n, 1n, 1n])).toEqual([1_500n, 0n, 0n])
  })
})

function permutations(items: readonly number[]): number[][] {
  return items.length < 2
    ? [[...items]]
    : items.flatMap((item) =>
        permutations(items.filter((each) => each !== item)).map((rest) => [item, ...rest])
      )
}
