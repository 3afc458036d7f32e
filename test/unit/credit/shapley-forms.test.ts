import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CapacityGame,
  capacityValues,
  EXACT_PLAYERS_MAX,
  type PipelineStage,
  permutationValues,
  pipelineValues,
  SAMPLINGS,
  splitByPermutations,
  splitCapacity,
  splitPipeline,
  worthOfAll
} from '../../../src/credit/index.ts'
import {
  additive,
  airport,
  bruteForce,
  countCoalitions,
  errorOf,
  integrateCapacity,
  integratePipeline,
  unanimity,
  voting,
  walkCapacity,
  walkPipeline
} from '../../fixtures/shapley-games.ts'

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
const SEED = new Uint8Array(32).fill(7)
const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n)
const bad = expect.objectContaining({ code: 'BAD_SPLIT' })

const PLAYERS = 8
/** Players 0 … 7 dealt out to stages; those of stage −1 are in none. */
const pipeline: fc.Arbitrary<PipelineStage[]> = fc
  .tuple(
    fc.array(fc.integer({ min: -1, max: 3 }), { minLength: PLAYERS, maxLength: PLAYERS }),
    fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 4, maxLength: 4 })
  )
  .map(([stageOf, weights]) =>
    weights
      .map((weight, stage) => ({
        weight,
        payees: stageOf.flatMap((own, player) => (own === stage ? [player] : []))
      }))
      .filter(({ payees }) => payees.length > 0)
  )

/** Points of F that never fall, steps among them. */
const worth = fc.array(fc.tuple(fc.nat(30), fc.nat(10 ** 9)), { minLength: 1, maxLength: 4 }).map((rises) => {
  let [at, value] = [1, 0]
  return rises.map(([right, up]) => {
    at += right
    value += up
    return { at: BigInt(at), value: BigInt(value) }
  })
})
const capacityOf = (min: number, max: number): fc.Arbitrary<CapacityGame> =>
  fc.record({
    capacities: fc.array(fc.bigInt(0n, 12n), { minLength: min, maxLength: max }),
    worth
  })

/** Equal to 1e-9 of the whole. */
function expectClose(values: readonly number[], truth: readonly number[]): void {
  const whole = Math.max(1, ...truth.map(Math.abs))
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - (truth[i] ?? 0)) / whole).toBeLessThan(1e-9)
  }
}

describe('a pipeline', () => {
  test('is split as its definition says', () => {
    fc.assert(
      fc.property(pipeline, (stages) => {
        expectClose(pipelineValues(stages, PLAYERS), bruteForce(walkPipeline(stages, PLAYERS)))
      }),
      { numRuns: 40 }
    )
  })

  test('pays all of its weight in whole µcr, equals alike, and those in no stage nothing', () => {
    fc.assert(
      fc.property(pipeline, seed, (stages, bytes) => {
        const shares = splitPipeline(stages, PLAYERS, bytes)
        expect(sum(shares)).toBe(sum(stages.map(({ weight }) => weight)))
        for (const { payees } of stages) {
          const paid = payees.map((payee) => shares[payee] ?? 0n).sort((a, b) => Number(a - b))
          expect((paid.at(-1) ?? 0n) - (paid[0] ?? 0n)).toBeLessThanOrEqual(1n)
        }
        const named = new Set(stages.flatMap(({ payees }) => payees))
        expect(shares.every((share, payee) => named.has(payee) || share === 0n)).toBe(true)
        expect(splitPipeline(stages, PLAYERS, bytes)).toEqual(shares)
      })
    )
  })

  test('of a thousand alternates still pays everybody of a stage alike, and sums up', () => {
    const stages = [1, 2, 3, 4].map((stage) => ({
      weight: BigInt(stage * 1_000_003),
      payees: Array.from({ length: 250 }, (_, i) => i * 4 + stage - 1)
    }))
    const values = pipelineValues(stages, 1_000)
    expectClose(values, integratePipeline(stages, 1_000))
    expect(values.reduce((all, value) => all + value, 0) / 10_000_030).toBeCloseTo(1, 12)
    // four stages of equal size: the half for the whole pipeline goes to all alike
    for (const [i, { weight, payees }] of stages.entries()) {
      expect(values[payees[i] ?? 0]).toBeCloseTo(Number(weight) / 500 + 10_000_030 / 2_000, 6)
    }
  })

  test.each([
    [[{ weight: 1n, payees: [] }]],
    [[{ weight: 1n, payees: [8] }]],
    [
      [
        { weight: 1n, payees: [0] },
        { weight: 1n, payees: [0] }
      ]
    ],
    [[{ weight: -1n, payees: [0] }]]
  ])('that makes no sense is refused: %o', (stages: PipelineStage[]) => {
    expect(() => pipelineValues(stages, PLAYERS)).toThrow(bad)
  })
})

describe('a capacity', () => {
  test('of a few players is split as the definition says', () => {
    fc.assert(
      fc.property(capacityOf(1, 7), (game) => {
        expectClose(capacityValues(game), bruteForce(walkCapacity(game)))
      })
    )
  })

  test('of sixteen players equals the count of all coalitions by size and sum', () => {
    fc.assert(
      fc.property(capacityOf(EXACT_PLAYERS_MAX, EXACT_PLAYERS_MAX), (game) => {
        expectClose(capacityValues(game), countCoalitions(game))
      }),
      { numRuns: 4 }
    )
  })

  test('pays what all are worth in whole µcr, more to who has more, nothing to who has nothing', () => {
    fc.assert(
      fc.property(fc.oneof(capacityOf(1, 9), capacityOf(17, 40)), seed, (game, bytes) => {
        const shares = splitCapacity(game, bytes)
        expect(sum(shares)).toBe(worthOfAll(game))
        expect(splitCapacity(game, bytes)).toEqual(shares)
        for (const [i, capacity] of game.capacities.entries()) {
          expect(capacity > 0n || shares[i] === 0n).toBe(true)
          for (const [j, other] of game.capacities.entries()) {
            if (capacity === other) {
              expect(Math.abs(Number((shares[i] ?? 0n) - (shares[j] ?? 0n)))).toBeLessThanOrEqual(1)
            }
          }
        }
      }),
      { endOnFailure: true }
    )
  })

  test('never pays less for more of it', () => {
    fc.assert(
      fc.property(capacityOf(2, 9), fc.nat(8), fc.bigInt(1n, 9n), (game, pick, more) => {
        const player = pick % game.capacities.length
        const better = {
          ...game,
          capacities: game.capacities.with(player, (game.capacities[player] ?? 0n) + more)
        }
        const after = capacityValues(better)[player] ?? 0
        expect(after).toBeGreaterThanOrEqual((capacityValues(game)[player] ?? 0) - 1e-3)
      })
    )
  })

  test('of two functions together is the sum of their values', () => {
    const game = (points: ReadonlyArray<readonly [number, number]>) => ({
      capacities: [3n, 5n, 7n, 11n, 2n],
      worth: points.map(([at, value]) => ({ at: BigInt(at), value: BigInt(value) }))
    })
    const one = capacityValues(
      game([
        [10, 100],
        [20, 500]
      ])
    )
    const other = capacityValues(
      game([
        [10, 70],
        [20, 70]
      ])
    )
    const both = capacityValues(
      game([
        [10, 170],
        [20, 570]
      ])
    )
    expectClose(
      both,
      one.map((value, i) => value + (other[i] ?? 0))
    )
  })

  /** Capacities from 1 to 9 and what half, or a third, of them is worth. */
  const large = (players: number, share: number, isStep: boolean): CapacityGame => {
    const capacities = Array.from({ length: players }, (_, i) => BigInt(1 + ((i * 7) % 9)))
    const at = BigInt(Math.round(Number(sum(capacities)) * share))
    const value = 10n ** 9n
    return {
      capacities,
      worth: isStep
        ? [
            { at, value: 0n },
            { at, value }
          ]
        : [{ at, value }]
    }
  }

  test.each([
    [17, 1 / 3, false, 0.002],
    [17, 1 / 2, false, 0.002],
    [17, 1 / 3, true, 0.01],
    [30, 1 / 3, false, 0.0005],
    [30, 2 / 3, false, 0.0005],
    [30, 1 / 2, true, 0.0005]
  ])(
    'of %d players, needed %d of it (a step: %s), is within %d of the count',
    (players, share, isStep, bound) => {
      const game = large(players, share, isStep)
      expect(errorOf(capacityValues(game), countCoalitions(game))).toBeLessThan(bound)
    }
  )

  test('is within 2 % however unlike the players are, if 25 to 90 % of what they can do is needed', () => {
    const unlike = fc.record({
      capacities: fc.array(fc.oneof(fc.bigInt(1n, 9n), fc.bigInt(1n, 9n), fc.bigInt(10n, 150n)), {
        minLength: 17,
        maxLength: 40
      }),
      percent: fc.bigInt(25n, 90n)
    })
    fc.assert(
      fc.property(unlike, ({ capacities, percent }) => {
        const game = { capacities, worth: [{ at: (sum(capacities) * percent) / 100n, value: 10n ** 9n }] }
        expect(errorOf(capacityValues(game), integrateCapacity(game))).toBeLessThan(0.02)
      }),
      { numRuns: 15, endOnFailure: true }
    )
  })

  test('of a thousand players is within 0.01 % of the exact integral', () => {
    const game = large(1_000, 2 / 3, false)
    expect(errorOf(capacityValues(game), integrateCapacity(game))).toBeLessThan(0.0001)
  })

  test.each([
    [{ capacities: [1n], worth: [] }],
    [{ capacities: [1n], worth: [{ at: 0n, value: 1n }] }],
    [{ capacities: [-1n], worth: [{ at: 1n, value: 1n }] }],
    [{ capacities: [2n ** 53n], worth: [{ at: 1n, value: 1n }] }],
    [
      {
        capacities: [1n],
        worth: [
          { at: 2n, value: 1n },
          { at: 1n, value: 1n }
        ]
      }
    ],
    [
      {
        capacities: [1n],
        worth: [
          { at: 2n, value: 2n },
          { at: 3n, value: 1n }
        ]
      }
    ]
  ])('that makes no sense is refused', (game: CapacityGame) => {
    expect(() => capacityValues(game)).toThrow(bad)
  })
})

describe('permutations', () => {
  /** Littlechild and Owen's example as credit.md has it: 100 players of cost 1 … 10. */
  const COSTS = [8, 12, 6, 14, 8, 9, 13, 10, 10, 10].flatMap((count, i) =>
    new Array<number>(count).fill(i + 1)
  )

  test('meet the airport game, whichever way they are drawn', () => {
    const { game, values } = airport(COSTS)
    const published = [0.01, 0.02087, 0.03337, 0.04688, 0.06355, 0.08278, 0.10604, 0.13937, 0.18937, 0.28937]
    for (const [i, cost] of COSTS.entries()) {
      expect(values[i]).toBeCloseTo(published[cost - 1] ?? 0, 5)
    }
    for (const sampling of SAMPLINGS) {
      const estimate = permutationValues(game, SEED, { orders: 10_000, sampling })
      const error =
        values.reduce((all, value, i) => all + Math.abs(value - (estimate.values[i] ?? 0)), 0) / 100
      expect(error).toBeLessThan(0.007) // .0051 for plain ones in credit.md
    }
  })

  test.each([
    ['voting', voting(9, 5)],
    ['unanimity', unanimity(9, new Set([1, 4, 6]))],
    ['additive', additive([3, 1, 4, 1, 5, 9, 2, 6])]
  ])('meet %s within four standard errors', (_, { game, values }) => {
    for (const sampling of SAMPLINGS) {
      const estimate = permutationValues(game, SEED, { orders: 4_000, sampling })
      for (const [i, value] of estimate.values.entries()) {
        const off = Math.abs(value - (values[i] ?? 0))
        expect(off).toBeLessThanOrEqual(4 * (estimate.errors[i] ?? 0) + 1e-9)
      }
    }
  })

  test('share v(all) exactly and give a dummy nothing, in every single order', () => {
    fc.assert(
      fc.property(
        seed,
        fc.constantFrom(...SAMPLINGS),
        fc.integer({ min: 1, max: 40 }),
        (bytes, sampling, orders) => {
          const { game } = unanimity(6, new Set([0, 2]))
          const { values } = permutationValues(game, bytes, { orders, sampling })
          expect(values.reduce((all, value) => all + value, 0)).toBeCloseTo(1, 12)
          expect([1, 3, 4, 5].every((dummy) => values[dummy] === 0)).toBe(true)
        }
      )
    )
  })

  test('take what suits the game: rotations for a quorum, never the reverse of half a quorum', () => {
    const { game } = voting(9, 5) // the reverse of an order has the same pivot
    expect(permutationValues(game, SEED).sampling).toBe('rotations')
    const error = (sampling: 'plain' | 'antithetic') =>
      permutationValues(game, SEED, { orders: 4_000, sampling }).errors.reduce((all, one) => all + one, 0)
    expect(error('antithetic')).toBeGreaterThan(error('plain'))
  })

  test('replay from the seed, byte for byte', () => {
    const stages = [
      { weight: 600n, payees: [0, 1, 2] },
      { weight: 300n, payees: [2, 3] } // payee 2 is in two stages: no other form fits
    ]
    const game = walkPipeline(stages, 4)
    fc.assert(
      fc.property(seed, (bytes) => {
        const shares = splitByPermutations(game, 900n, bytes, { orders: 200 })
        expect(sum(shares)).toBe(900n)
        expect(splitByPermutations(game, 900n, bytes, { orders: 200 })).toEqual(shares)
      })
    )
    // a vector: another engine, or another build, must find the same
    expect(splitByPermutations(game, 900n, SEED, { orders: 200 })).toMatchInlineSnapshot(`
      [
        112n,
        134n,
        466n,
        188n,
      ]
    `)
  })

  test('without an order are refused', () => {
    expect(() => permutationValues(voting(3, 2).game, SEED, { orders: 0 })).toThrow(bad)
  })
})
