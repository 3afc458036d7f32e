import fc from 'fast-check'
import { expect, it } from 'vitest'
import { interleave, median, ratio, row } from '../../../bench/report.ts'

const figures = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 })

it('a median has as many figures below it as above it', () => {
  fc.assert(
    fc.property(figures, (values) => {
      const middle = median(values)
      const half = values.length / 2
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(half)
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(half)
    })
  )
})

it('a ratio is of medians', () => {
  const fast = row('fast', 'ms', [1, 2, 3])
  const slow = row('slow', 'ms', [4, 100, 8])
  expect(ratio('slow.of-fast', slow, fast)).toEqual({
    name: 'slow.of-fast',
    value: 4,
    of: 'slow',
    to: 'fast'
  })
})

it('rivals take turns, each first as often as last, and warming up does not count', async () => {
  const order: string[] = []
  const measure = (name: string, value: number) => () => {
    order.push(name)
    return value
  }
  const taken = await interleave(4, { a: measure('a', 1), b: measure('b', 2) })
  expect(taken).toEqual({ a: [1, 1, 1, 1], b: [2, 2, 2, 2] })
  expect(order.join('')).toBe('baabbaabba'.slice(0, 10))
})
