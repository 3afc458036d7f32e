import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { afterEach, describe, expect, test } from 'vitest'
import { verifyRecord } from '../../../src/credit/index.ts'
import { DEPTH_MAX, Subtasks } from '../../../src/jobs/subtasks.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'

const escrow = CID.createV1(0x71, Digest.create(0x12, new Uint8Array(32)))
const none = new AbortController().signal

describe('jobs that hire jobs', () => {
  test('never leave more than their subtask budget to those that they hire, in whatever order these begin and end', () => {
    const step = fc.record({
      parent: fc.nat(6),
      budget: fc.bigInt(1n, 40n),
      share: fc.nat(100),
      isEnd: fc.boolean()
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const subtasks = new Subtasks()
        const all = [
          { id: 'root', left: 100n, place: begin(subtasks, 'root', undefined, 100n, 100n), parent: '' }
        ]
        const out = new Map([['root', 0n]])
        for (const [i, { parent, budget, share, isEnd }] of steps.entries()) {
          const at = all[parent % all.length]
          if (at === undefined) {
            continue
          }
          if (isEnd && at.id !== 'root' && !all.some((each) => each.parent === at.id)) {
            at.place.end((at.left * BigInt(share)) / 100n)
            out.set(at.parent, (out.get(at.parent) ?? 0n) - at.left + (at.left * BigInt(share)) / 100n)
            all.splice(all.indexOf(at), 1)
            continue
          }
          try {
            const place = begin(subtasks, `${i}`, at.id, budget, budget)
            all.push({ id: `${i}`, left: budget, place, parent: at.id })
            out.set(at.id, (out.get(at.id) ?? 0n) + budget)
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching('BUDGET_TOO_SMALL|BAD_OPTION') })
          }
          expect(out.get(at.id) ?? 0n).toBeLessThanOrEqual(at.left)
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
})

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

function begin(
  subtasks: Subtasks,
  id: string,
  parent: string | undefined,
  budget: bigint,
  subtaskBudget: bigint
) {
  return subtasks.begin({ id, parent, budget, subtaskBudget, signal: none })
}
