import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MatmulOutput, matmulI8, type OutputPiece, type StreamOptions } from '../../../src/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { eventOf, isProduct, product } from '../../fixtures/node-house.ts'

// Outputs larger than memory, over whole nodes in memory: what the reader does not take stays undone.

let house: TestSwarm
beforeAll(async () => {
  house = await createTestSwarm({ peers: 4, seed: 9 })
})
afterAll(() => house?.stop())

const SIDE = 128
const UNITS = 32
const input = product(SIDE)
const PIECE = (SIDE * SIDE * 4) / UNITS

function open(options: StreamOptions = {}) {
  const stream = house.requester.stream(matmulI8, input, { units: UNITS, windowBytes: 4 * PIECE, ...options })
  const assigned = new Set<number>()
  const verified = new Set<number>()
  void (async () => {
    for await (const event of stream.job) {
      if (event.type === 'assigned') {
        assigned.add(event.unit)
      } else if (event.type === 'verified') {
        verified.add(event.unit)
      }
    }
  })()
  return { stream, assigned, verified }
}

/** Put together by what each piece says of itself. */
function outputOf(pieces: readonly OutputPiece[]): MatmulOutput {
  const c = new Int32Array(SIDE * SIDE)
  for (const { place, bytes } of pieces) {
    const { top = 0, left = 0, rows = 0, columns = 0 } = place
    const block = new Int32Array(bytes.slice().buffer)
    for (let row = 0; row < rows; row++) {
      c.set(block.subarray(row * columns, (row + 1) * columns), (top + row) * SIDE + left)
    }
  }
  return { c, m: SIDE, n: SIDE }
}

describe('a stream', () => {
  test('whose reader stops has no more under way, and no more waiting, than its window', async () => {
    const { stream, assigned, verified } = open()
    const pieces = stream[Symbol.asyncIterator]()
    const first = await pieces.next()
    await eventually(() => expect(verified.size).toBe(4)) // one of them is in the reader's hands
    // the same providers have room for others meanwhile
    const other = product(64)
    expect(isProduct((await house.requester.submit(matmulI8, other, { units: 8 }).result).value, other)).toBe(
      true
    )
    expect(assigned.size).toBe(4)
    expect(stream.job.state).toBe('running')

    const read = first.done === true ? [] : [first.value]
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      read.push(next.value)
      expect(verified.size - read.length).toBeLessThanOrEqual(4)
    }
    expect(read).toHaveLength(UNITS)
    expect(isProduct(outputOf(read), input)).toBe(true)
    const { value, receipt } = await stream.job.result
    expect(value).toBeUndefined()
    expect(receipt.paid).toBeGreaterThanOrEqual(receipt.price)
  })

  test('that is left cancels its job: what was verified is paid, the rest comes back', async () => {
    const { stream } = open()
    for await (const _ of stream) {
      break
    }
    expect(stream.job.state).toBe('cancelled')
    const { receipt } = await eventOf(stream.job, 'settled')
    expect(receipt.paid).toBeGreaterThan(0n)
    expect(receipt.paid).toBeLessThan(receipt.price)
    await eventually(async () =>
      expect(await house.audit()).toMatchObject({ balanced: true, openEscrows: 0n })
    )
    await eventually(() => expect(house.requester.status.balance.escrowed).toBe(0n))
  })

  test('whose reader has no room hires nobody in the place of providers that go', async () => {
    await using other = await createTestSwarm({ peers: 3, seed: 2 })
    const [first, second] = other.providers
    const stream = other.requester.stream(matmulI8, input, { units: UNITS, windowBytes: 4 * PIECE })
    const hired: string[] = []
    const verified = new Set<number>()
    void (async () => {
      for await (const event of stream.job) {
        if (event.type === 'hired') {
          hired.push(event.type)
        } else if (event.type === 'verified') {
          verified.add(event.unit)
        }
      }
    })()
    await eventually(() => expect(verified.size).toBe(4))
    const before = hired.length
    await Promise.all([first?.pause(), second?.pause()]) // both say goodbye: the round is settled
    await eventually(() => expect(stream.job.state).toBe('settling'))
    await Promise.all([first?.contribute(), second?.contribute()])
    await eventually(async () => expect(await other.audit()).toMatchObject({ openEscrows: 0n }))
    expect(hired).toHaveLength(before)
    const read: OutputPiece[] = []
    for await (const piece of stream) {
      read.push(piece)
    }
    expect(isProduct(outputOf(read), input)).toBe(true)
    expect(hired.length).toBeGreaterThan(before)
  })

  test('with a window smaller than a piece goes piece by piece', async () => {
    const { stream, verified } = open({ windowBytes: 1, units: 4 })
    let read = 0
    for await (const _ of stream) {
      read += 1
      expect(verified.size).toBeLessThanOrEqual(read + 1)
    }
    expect(read).toBe(4)
  })

  test('that nobody reads ends with its deadline', async () => {
    const { stream, verified } = open({ deadlineMs: 1_500 })
    await expect(stream.job.result).rejects.toMatchObject({ code: 'DEADLINE' })
    expect(verified.size).toBeLessThanOrEqual(4)
  })

  test('is read once, and its error is the reader’s', async () => {
    const { stream } = open({ providers: [house.requester.peer], providerWaitMs: 50 })
    const pieces = stream[Symbol.asyncIterator]()
    expect(() => stream[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    await expect(pieces.next()).rejects.toMatchObject({ code: 'NO_PROVIDER' })
  })

  test.each<[string, unknown]>([
    ['a window of 0', { windowBytes: 0 }],
    ['half a byte', { windowBytes: 0.5 }],
    ['a window in words', { windowBytes: '1 MB' }],
    ['a key', { key: 'once' }],
    ['no object at all', 5]
  ])('refuses %s', (_, options) => {
    expect(() => house.requester.stream(matmulI8, input, options as StreamOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' })
    )
  })
})
