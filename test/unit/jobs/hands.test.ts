import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Hands } from '../../../src/jobs/hands.ts'
import { WorkWindow } from '../../../src/jobs/work-window.ts'

const spec = (cost: bigint) => ({ params: [], parts: [], data: new Uint8Array(), cost })

describe('the units in a provider’s hands', () => {
  test('have numbers of the stream, which tell nothing of the job', () => {
    const hands = new Hands(1_000)
    const numbers = [700, 3, 41].map((index) => hands.take(index, spec(1n), 1).number)
    expect(numbers).toEqual([0, 1, 2])
    expect(hands.find(1).index).toBe(3)
    expect(() => hands.find(3)).toThrow(/which it does not have/)
    hands.delete(3)
    expect(() => hands.find(1)).toThrow(/which it does not have/)
  })

  test('may still have to be paid until they are let go of, taken back or not', () => {
    const steps = fc.array(
      fc.record({ index: fc.nat(9), step: fc.constantFrom('take', 'withdraw', 'delete') })
    )
    fc.assert(
      fc.property(steps, (walk) => {
        const hands = new Hands(1_000)
        const there = new Map<number, { isOwed: boolean }>()
        for (const { index, step } of walk) {
          if (step === 'take' && !there.has(index)) {
            hands.take(index, spec(BigInt(index + 1)), 1)
            there.set(index, { isOwed: false })
          } else if (step === 'withdraw') {
            const isThere = there.get(index)?.isOwed === false
            expect(hands.withdraw(index) !== undefined).toBe(isThere)
            there.set(index, { isOwed: true })
            if (!isThere && hands.get(index) === undefined) {
              there.delete(index)
            }
          } else if (step === 'delete') {
            expect(hands.delete(index)).toBe(there.delete(index))
          }
        }
        expect(hands.size).toBe(there.size)
        expect(hands.owesAnswer).toBe([...there.values()].some(({ isOwed }) => isOwed))
        expect(hands.price).toBe([...there.keys()].reduce((sum, index) => sum + BigInt(index + 1), 0n))
      })
    )
  })
})

describe('a provider’s window of unreceipted work', () => {
  test('is all that a requester can take: whatever it sends, cancels, and receipts', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('unit' as const), price: fc.bigInt({ min: 1n, max: 9n }) }),
      fc.record({ kind: fc.constant('deliver' as const) }),
      fc.record({ kind: fc.constant('cancel' as const) }),
      fc.record({ kind: fc.constant('receipt' as const), share: fc.nat(100) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new WorkWindow({ max: 10_000n })
        const inWork: bigint[] = []
        let delivered = 0n
        let receipted = 0n
        let dearest = 0n
        for (const each of steps) {
          if (each.kind === 'unit') {
            dearest = each.price > dearest ? each.price : dearest
            if (!window.take(each.price)) {
              return // the stream is cut
            }
            inWork.push(each.price)
          } else if (each.kind === 'deliver') {
            const price = inWork.shift()
            if (price !== undefined) {
              window.deliver(price)
              delivered += price
            }
          } else if (each.kind === 'cancel') {
            const price = inWork.pop()
            if (price !== undefined) {
              window.giveBack(price)
            }
          } else {
            const next = receipted + ((delivered - receipted) * BigInt(each.share)) / 100n
            expect(window.receive(next)).toBe(next > receipted)
            receipted = next > receipted ? next : receipted
          }
          expect(window.owed).toBe(delivered - receipted)
          expect(window.owed).toBeLessThanOrEqual(BigInt(window.units) * dearest)
        }
      })
    )
  })

  test('is that of the escrow: what was receipted before counts as delivered, and no unit beyond its pay is taken', () => {
    const window = new WorkWindow({ max: 10n, receipted: 7n })
    expect([window.total, window.owed, window.units]).toEqual([7n, 0n, 1])
    expect(window.pays(3n)).toBe(true)
    expect(window.pays(4n)).toBe(false)
    expect(window.take(2n)).toBe(true)
    window.deliver(2n)
    expect([window.owed, window.pays(1n), window.pays(2n)]).toEqual([2n, true, false])
    expect(window.receive(9n)).toBe(true)
    expect([window.owed, window.units]).toEqual([0n, 2])
    window.close()
    expect(window.pays(1n)).toBe(false)
  })

  test('doubles with each receipt for whole units, up to 64', () => {
    const window = new WorkWindow({ max: 8n })
    const sizes: number[] = []
    for (let paid = 1n; paid <= 8n; paid++) {
      expect(window.take(1n)).toBe(true)
      window.deliver(1n)
      expect(window.receive(paid)).toBe(true)
      sizes.push(window.units)
    }
    expect(sizes).toEqual([2, 4, 8, 16, 32, 64, 64, 64])
  })
})
