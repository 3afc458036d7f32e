import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyRecord, audit, type ChainState, type VerifiedRecord } from '../../../src/credit/index.ts'
import { encodeState } from '../../../src/credit/state-codec.ts'
import { Economy, network, step } from '../../fixtures/economy.ts'
import { LONG, RUNS } from '../../fixtures/invariant-runs.ts'

/**
 * The invariants of the ledger's rules, as pure as the rules themselves: no keys, no store, so that there can be many
 * runs. What needs signatures and stores is in `safety.test.ts` and `model.test.ts`.
 */

describe('whatever peers do and try, in whatever order', () => {
  test(
    'every credit is accounted for after every step, no balance falls below 0, nothing is settled or claimed twice',
    LONG,
    () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 24 }), (steps) => {
          const economy = new Economy()
          for (const each of steps) {
            if (economy.take(each)) {
              throw new Error(`The rules let it ${each.kind}.`)
            }
            const books = audit(
              economy.chains.map(({ records }) => records),
              network.parameters,
              economy.now
            )
            if (!books.balanced || books.debt > 0n || economy.chains.some(({ head }) => head.bal < 0n)) {
              throw new Error(`After ${each.kind} the books are ${Object.values(books).join()}.`)
            }
          }
        }),
        RUNS
      )
    }
  )

  test(
    'records that come in another order and again and again make the same state, and no other',
    LONG,
    () => {
      fc.assert(
        fc.property(
          fc.array(step, { minLength: 3, maxLength: 16 }),
          fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
          (steps, order) => {
            const economy = new Economy()
            for (const each of steps) {
              economy.take(each)
            }
            for (const { records, head } of economy.chains) {
              const state = deliver(records, order)
              expect(encodeState(state)).toEqual(encodeState(head))
            }
          }
        ),
        RUNS
      )
    }
  )
})

/** What a follower comes to that is shown a chain's records in any order, until it has them all. */
function deliver(records: readonly VerifiedRecord[], order: readonly number[]): ChainState {
  const arrivals = order.map((place) => records[place % records.length] as VerifiedRecord) // within its length
  let state: ChainState | undefined
  for (const record of [...arrivals, ...records, ...arrivals.slice(0, 4)]) {
    try {
      state = applyRecord(state, record, network.parameters)
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching('BAD_RECORD|FORK') })
    }
  }
  return state as ChainState // the whole chain was among them, in order
}
