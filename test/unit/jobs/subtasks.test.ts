import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { afterEach, describe, expect, test } from 'vitest'
import { ComputeError, type RunOptions } from '../../../src/compute/index.ts'
import { verifyRecord } from '../../../src/credit/index.ts'
import { DEPTH_MAX, type Place, Subtasks } from '../../../src/jobs/subtasks.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { EngineHouse } from '../../fixtures/engine-house.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { eventOf } from '../../fixtures/node-house.ts'

const escrow = CID.createV1(0x71, Digest.create(0x12, new Uint8Array(32)))
const none = new AbortController().signal

describe('jobs that hire jobs', () => {
  test('never spend more together than was set aside, and give back what they did not, in whatever order they end', () => {
    const step = fc.record({
      at: fc.nat(9),
      budget: fc.bigInt(1n, 60n),
      share: fc.nat(100),
      act: fc.constantFrom('begin', 'begin', 'done', 'failed')
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const subtasks = new Subtasks()
        begin(subtasks, 'root', undefined, 100n, 100n)
        /** The oracle: who runs under whom, and what has come to be spent there. */
        const root: Model = { id: 'root', budget: 100n, forOthers: 100n, hirer: undefined, absorbed: 0n }
        let running: Model[] = []
        const leftOf = (model: Model) =>
          running
            .filter(({ hirer }) => hirer === model)
            .reduce((left, { budget }) => left - budget, model.forOthers - model.absorbed)
        for (const [i, { at, budget, share, act }] of steps.entries()) {
          const all = [root, ...running]
          const model = all[at % all.length] ?? root
          if (act === 'begin') {
            const forOthers = budget / 2n
            try {
              const place = begin(subtasks, `${i}`, model.id, budget, forOthers)
              expect(leftOf(model)).toBeGreaterThanOrEqual(budget)
              running.push({ id: `${i}`, budget, forOthers, hirer: model, absorbed: 0n, place })
            } catch (error) {
              expect(error).toMatchObject({ code: expect.stringMatching('BUDGET_TOO_SMALL|BAD_OPTION') })
            }
          } else if (model.hirer !== undefined) {
            const { hirer } = model
            const paid = ((model.budget - model.forOthers) * BigInt(share)) / 100n
            void model.place?.end(paid, act)
            running = running.filter((each) => each !== model)
            hirer.absorbed += paid + model.absorbed
            for (const each of running.filter((other) => other.hirer === model)) {
              each.hirer = hirer
              expect(each.place?.signal.aborted).toBe(act === 'failed' || each.isEnded === true)
              each.isEnded ||= act === 'failed'
            }
          }
          for (const each of [root, ...running]) {
            expect(leftOf(each)).toBeGreaterThanOrEqual(0n)
          }
          const left = leftOf(root)
          expect(() => subtasks.check('root', left + 1n)).toThrow(
            expect.objectContaining({ code: 'BUDGET_TOO_SMALL' })
          )
          subtasks.check('root', left)
        }
      })
    )
  })

  test('go so deep and no deeper', () => {
    const subtasks = new Subtasks()
    begin(subtasks, '0', undefined, 100n, 100n)
    for (let depth = 1; depth <= DEPTH_MAX; depth++) {
      begin(subtasks, `${depth}`, `${depth - 1}`, 10n, 10n)
    }
    expect(() => subtasks.check(`${DEPTH_MAX}`, 1n)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    expect(() => subtasks.check('unknown', 1n)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  test('cite the escrow of the one that hired them, once there is one', async () => {
    const subtasks = new Subtasks()
    const parent = begin(subtasks, 'parent', undefined, 10n, 10n)
    const waiting = begin(subtasks, 'child', 'parent', 5n, 0n).parentEscrow(none)
    parent.opened(escrow)
    expect(await waiting).toEqual(escrow)
    expect(await parent.parentEscrow(none)).toBeUndefined()
  })

  test('end with it, and with what hired that', () => {
    const subtasks = new Subtasks()
    const top = new AbortController()
    subtasks.begin({ id: 'top', parent: undefined, budget: 10n, subtaskBudget: 10n, signal: top.signal })
    const middle = begin(subtasks, 'middle', 'top', 10n, 10n)
    const low = begin(subtasks, 'low', 'middle', 5n, 0n)
    top.abort(new Error('enough'))
    for (const { signal } of [middle, low]) {
      expect(signal.reason).toMatchObject({ code: 'CANCELLED' })
    }
  })

  test('end with it when it fails, whose books are closed when theirs are', async () => {
    const subtasks = new Subtasks()
    const top = begin(subtasks, 'top', undefined, 10n, 10n)
    const middle = begin(subtasks, 'middle', 'top', 10n, 10n)
    const low = begin(subtasks, 'low', 'middle', 5n, 0n)
    const order: string[] = []
    const ending = top.end(0n, 'failed').then(() => order.push('top'))
    for (const { signal } of [middle, low]) {
      expect(signal.reason).toMatchObject({ code: 'CANCELLED' })
    }
    const between = middle.end(0n, 'failed').then(() => order.push('middle'))
    order.push('low')
    await low.end(0n, 'failed')
    await Promise.all([ending, between])
    expect(order).toEqual(['low', 'middle', 'top'])
  })

  test('go on when it is done, and end with who hired that', () => {
    const subtasks = new Subtasks()
    const abort = new AbortController()
    subtasks.begin({ id: 'top', parent: undefined, budget: 10n, subtaskBudget: 10n, signal: abort.signal })
    const middle = begin(subtasks, 'middle', 'top', 10n, 10n)
    const low = begin(subtasks, 'low', 'middle', 5n, 0n)
    void middle.end(0n, 'done')
    expect(low.signal.aborted).toBe(false)
    abort.abort(new Error('enough'))
    expect(low.signal.reason).toMatchObject({ code: 'CANCELLED' })
  })
})

interface Model {
  readonly id: string
  readonly budget: bigint
  readonly forOthers: bigint
  readonly place?: Place
  hirer: Model | undefined
  absorbed: bigint
  isEnded?: boolean
}

let house: TestSwarm | undefined
afterEach(() => house?.stop())

test('a subtask is paid within the budget of its parent, and its escrow names that of its parent', async () => {
  house = await createTestSwarm({ peers: 3, seed: 4 })
  const { requester } = house
  const input = (seed: number) => ({
    a: new Int8Array(128 * 128).fill(seed),
    b: new Int8Array(128 * 128).fill(1),
    m: 128,
    k: 128,
    n: 128
  })
  const parent = requester.submit('matmul-i8', input(1), { units: 8, subtaskBudget: 40n })
  expect(() => requester.submit('matmul-i8', input(2), { parent: parent.id, budget: 41n })).toThrow(
    expect.objectContaining({ code: 'BUDGET_TOO_SMALL' })
  )
  const child = requester.submit('matmul-i8', input(2), { parent: parent.id, budget: 30n })
  expect(() => requester.submit('matmul-i8', input(3), { parent: child.id })).toThrow(
    expect.objectContaining({ code: 'BUDGET_TOO_SMALL' })
  )
  const [{ receipt }, { receipt: hired }] = await Promise.all([parent.result, child.result])
  expect(() => requester.submit('matmul-i8', input(3), { parent: parent.id })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION' })
  )
  const network = await networkOf(NETWORKS.local)
  const { records } = await requester.exportLedger()
  const parents = new Map<string, string | undefined>()
  for (const signed of records) {
    const { id, record } = await verifyRecord(signed, network)
    if (record.kind === 'escrow') {
      parents.set(id.toString(), record.body.parent?.toString())
    }
  }
  expect(parents.get(hired.escrows[0] ?? '')).toBe(receipt.escrows[0])
  expect(parents.get(receipt.escrows[0] ?? '')).toBeUndefined()
  expect((await house.audit()).balanced).toBe(true)
})

describe('a job that ends before those that it has hired', () => {
  const input = (seed: number) => ({
    a: new Int8Array(64 * 64).fill(seed),
    b: new Int8Array(64 * 64).fill(1),
    m: 64,
    k: 64,
    n: 64
  })
  /** Computes nothing until the unit is called off. */
  const never = (_: unknown, { signal }: RunOptions = {}) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })

  test.each(['fails', 'is cancelled'])(
    'takes them with it when it %s, and nothing stays locked',
    async (how) => {
      const fail = Promise.withResolvers<never>()
      fail.promise.catch(() => {}) // where the job is cancelled nobody waits for it
      const engines = await EngineHouse.open([
        () => ({ run: (...given) => Promise.race([fail.promise, never(...given)]) }),
        () => ({ run: never })
      ])
      try {
        const { requester } = engines
        const [first, second] = engines.providers.map(({ peer }) => [peer])
        const parent = requester.submit('matmul-i8', input(1), {
          units: 1,
          subtaskBudget: 40n,
          ...(first && { providers: first })
        })
        const child = requester.submit('matmul-i8', input(2), {
          parent: parent.id,
          budget: 30n,
          ...(second && { providers: second })
        })
        await eventOf(child, 'assigned')
        if (how === 'fails') {
          fail.reject(new ComputeError('TIMEOUT', 'Nothing comes.', { retryable: true }))
          await expect(parent.result).rejects.toMatchObject({ code: 'UNIT_FAILED' })
        }
        await parent.cancel()
        expect([parent.state, child.state]).toEqual([how === 'fails' ? 'failed' : 'cancelled', 'cancelled'])
        await expect(child.result).rejects.toMatchObject({ code: 'CANCELLED' })
        const { receipt } = await eventOf(child, 'settled')
        expect(receipt).toMatchObject({ paid: 0n, refund: receipt.price })
        await eventually(async () =>
          expect(await engines.audit()).toMatchObject({ balanced: true, openEscrows: 0n })
        )
      } finally {
        await engines.close()
      }
    }
  )
})

function begin(
  subtasks: Subtasks,
  id: string,
  parent: string | undefined,
  budget: bigint,
  subtaskBudget: bigint
) {
  return subtasks.begin({ id, parent, budget, subtaskBudget, signal: none })
}
