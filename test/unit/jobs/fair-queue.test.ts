import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FairQueue } from '../../../src/jobs/fair-queue.ts'

interface Item {
  readonly requester: string
  readonly cost: number
}

const names = ['ann', 'bob', 'eve', 'joe']
const weights = fc.record(Object.fromEntries(names.map((name) => [name, fc.integer({ min: 1, max: 50 })])))
const items = fc.array(
  fc.record({ requester: fc.constantFrom(...names), cost: fc.integer({ min: 1, max: 30 }) })
)

function drain(queue: FairQueue<Item>): Item[] {
  const taken: Item[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) {
    taken.push(item)
  }
  return taken
}

describe('a weighted-fair queue', () => {
  test('gives back everything once, and each requester its own in order', () => {
    fc.assert(
      fc.property(items, weights, (added, weightOf) => {
        const queue = new FairQueue<Item>()
        for (const item of added) {
          queue.add(item.requester, weightOf[item.requester] ?? 0, item.cost, item)
        }
        expect(queue.size).toBe(added.length)
        expect(queue.cost).toBe(added.reduce((sum, { cost }) => sum + cost, 0))
        const taken = drain(queue)
        for (const name of names) {
          const of = (list: Item[]) => list.filter(({ requester }) => requester === name)
          expect(of(taken)).toEqual(of(added))
        }
        expect([queue.size, queue.cost]).toEqual([0, 0])
      })
    )
  })

  // Goyal, Vin & Cheng 1996, theorem 1: while two wait, what they got per weight differs by one item of each at most
  test('serves those that wait in proportion to their weights, whatever they bring', () => {
    const many = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 40, maxLength: 80 })
    fc.assert(
      fc.property(
        many,
        many,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (a, b, wa, wb) => {
          const queue = new FairQueue<Item>()
          a.forEach((cost) => void queue.add('ann', wa, cost, { requester: 'ann', cost }))
          b.forEach((cost) => void queue.add('bob', wb, cost, { requester: 'bob', cost }))
          const got = { ann: 0, bob: 0 }
          const left = { ann: a.length, bob: b.length }
          const bound = Math.max(...a) / wa + Math.max(...b) / wb
          while (left.ann > 0 && left.bob > 0) {
            const { requester, cost } = queue.take() ?? { requester: 'nobody', cost: 0 }
            const name = requester === 'ann' ? 'ann' : 'bob'
            got[name] += cost
            left[name] -= 1
            expect(Math.abs(got.ann / wa - got.bob / wb)).toBeLessThanOrEqual(bound + 1e-9)
          }
        }
      )
    )
  })

  test('two names get no more than one with the weight of both', () => {
    const served = (flows: ReadonlyArray<[string, number]>) => {
      const queue = new FairQueue<Item>()
      for (let i = 0; i < 200; i++) {
        for (const [requester, weight] of flows) {
          queue.add(requester, weight, 1, { requester, cost: 1 })
        }
      }
      return Array.from({ length: 100 }, () => queue.take()?.requester).filter((name) => name !== 'ann')
        .length
    }
    expect(
      served([
        ['ann', 4],
        ['eve', 1],
        ['joe', 1]
      ])
    ).toBeLessThanOrEqual(
      served([
        ['ann', 4],
        ['eve', 2]
      ]) + 1
    )
  })

  test('a requester that was idle has saved up nothing', () => {
    const queue = new FairQueue<Item>()
    const add = (requester: string) => queue.add(requester, 1, 1, { requester, cost: 1 })
    for (let i = 0; i < 100; i++) {
      add('ann')
    }
    for (let i = 0; i < 50; i++) {
      queue.take()
    }
    for (let i = 0; i < 50; i++) {
      add('bob')
    }
    const next = Array.from({ length: 20 }, () => queue.take()?.requester)
    expect(next.filter((name) => name === 'bob')).toHaveLength(10)
  })

  test('strangers come after everyone else, and share alike', () => {
    fc.assert(
      fc.property(items, (added) => {
        const queue = new FairQueue<Item>()
        const weightOf = (name: string) => (name === 'ann' || name === 'bob' ? 1 : 0)
        for (const item of added) {
          queue.add(item.requester, weightOf(item.requester), item.cost, item)
        }
        const kinds = drain(queue).map(({ requester }) => weightOf(requester))
        expect(kinds).toEqual([...kinds].sort((a, b) => b - a))
      })
    )
  })

  test('what is removed does not come, and changes nothing for the others', () => {
    fc.assert(
      fc.property(items, fc.array(fc.boolean()), weights, (added, removed, weightOf) => {
        const queue = new FairQueue<Item>()
        for (const item of added) {
          queue.add(item.requester, weightOf[item.requester] ?? 0, item.cost, item)
        }
        const stays = added.filter((item, i) => {
          const goes = removed[i] === true
          expect(!goes || queue.remove(item.requester, item)).toBe(true)
          return !goes
        })
        expect(queue.size).toBe(stays.length)
        expect(new Set(drain(queue))).toEqual(new Set(stays))
        expect(added.every((item) => !queue.remove(item.requester, item))).toBe(true)
      })
    )
  })
})
