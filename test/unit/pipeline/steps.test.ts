import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { beforeEach, describe, expect, test } from 'vitest'
import { createInlineEngine, type Engine } from '../../../src/compute/index.ts'
import { chunkHashes, partHash } from '../../../src/jobs/chunks.ts'
import { GiveLimit } from '../../../src/jobs/give-limit.ts'
import { PartStore } from '../../../src/jobs/part-store.ts'
import { hex } from '../../../src/jobs/plan.ts'
import { signStep } from '../../../src/jobs/result.ts'
import { type Pull, type StepFrame, Steps } from '../../../src/jobs/steps.ts'
import { checkTicket, signTicket } from '../../../src/jobs/ticket.ts'
import { WorkWindow } from '../../../src/jobs/work-window.ts'
import { kernelHash, SKILLS, skillByName } from '../../../src/skills/index.ts'
import { NETWORKS, networkOf, type PeerIdString } from '../../../src/wire/index.ts'
import { int8s } from '../../fixtures/chain-input.ts'
import { KEYS } from '../../fixtures/schema-arbitrary.ts'

const network = await networkOf(NETWORKS.local)
const escrow = CID.createV1(0x71, Digest.create(0x12, new Uint8Array(32)))
const keyAt = (place: number) => {
  const key = KEYS[place]
  if (key === undefined) {
    throw new Error('three keys')
  }
  return key
}
const [payerKey, authorKey, takerKey] = [keyAt(0), keyAt(1), keyAt(2)]
const nameOf = (key: typeof payerKey) => peerIdFromPrivateKey(key).toString() as PeerIdString
const payer = nameOf(payerKey)
const author = nameOf(authorKey)
const taker = nameOf(takerKey)
const skill = skillByName('matmul-i8')
const never = new AbortController().signal
const NOW = 1_800_000_000_000

const engine: Engine = await createInlineEngine(SKILLS, kernelHash)
const hashOf = async (bytes: Uint8Array) => partHash(await chunkHashes(bytes))

/** A unit of 4 × 8 by 8 × 12, done, and the one after it by 12 × 4: everything by its hash. */
async function chain(spoil: (result: Uint8Array) => Uint8Array = (result) => result) {
  const begun = skill.chain?.begin({ a: int8s(32, 1), b: int8s(96, 2), m: 4, k: 8, n: 12 })
  const next = skill.chain?.follow({ b: int8s(48, 3), n: 4 }, 12)
  const [unit] = begun?.plan.units(4) ?? []
  const [after] = next?.units(4) ?? []
  const [columns] = begun?.plan.parts ?? []
  const [later] = next?.parts ?? []
  if (begun === undefined || !unit || !after || !columns || !later) {
    throw new Error('matmul-i8 stands in a pipeline')
  }
  const rows = begun.source.pack(0, 4)
  const run = engine.run({
    skill: 'matmul-i8',
    params: unit.params,
    data: rows,
    parts: [{ hash: 'columns', bytes: columns }]
  })
  const result = spoil(Uint8Array.from(await run))
  const [input, part, hash, laterHash] = await Promise.all([rows, columns, result, later].map(hashOf))
  if (!input || !part || !hash || !laterHash) {
    throw new Error('four hashes')
  }
  const signature = await signStep(authorKey, { escrow, index: 3, input, author }, hash)
  const origin = {
    peer: author,
    index: 3,
    skill: 'matmul-i8',
    params: [...unit.params],
    parts: [part],
    input,
    via: null,
    result: hash,
    size: result.byteLength,
    signature
  }
  const ticket = await signTicket(payerKey, network, {
    author: payer,
    ts: NOW,
    holder: author,
    taker,
    parts: [hash, input, part, laterHash]
  })
  const frame: StepFrame = {
    t: 'step',
    index: 0,
    mode: 'keep',
    params: [...after.params],
    parts: [laterHash],
    partSizes: [later.byteLength],
    dataSize: after.dataSize,
    input: hash,
    via: { skill: 'matmul-i8', params: [...unit.params], relu: true, scale: 60 },
    origin,
    tickets: [ticket]
  }
  const there = new Map<string, Uint8Array>()
  for (const [name, bytes] of [
    [hash, result],
    [input, rows],
    [part, columns],
    [laterHash, later]
  ] as const) {
    there.set(hex(name), bytes)
  }
  return { frame, there }
}

let pulled: string[] = []
beforeEach(() => {
  pulled = []
})

function stepsOver(there: ReadonlyMap<string, Uint8Array>, limit = 2 ** 20) {
  const pull: Pull = async ({ parts }, sink) => {
    for (const hash of parts) {
      const bytes = there.get(hash) ?? new Uint8Array(0)
      sink.expect(hash, bytes.byteLength)
      sink.keep(hash, bytes)
      pulled.push(hash)
    }
  }
  const store = new PartStore(limit)
  const steps = new Steps({
    skill,
    skills: SKILLS,
    parts: store.shelf(payer),
    escrow,
    payer,
    window: new WorkWindow({ max: 1_000n }),
    engine,
    compute: (unit) => engine.run(unit),
    pull
  })
  return { steps, store }
}

const run = async (frame: StepFrame, there: ReadonlyMap<string, Uint8Array>) => {
  const { steps } = stepsOver(there)
  return steps.run(frame, steps.costOf(frame), never)
}

describe('a step at its provider', () => {
  test('fetches each part once, checks what it builds on, computes, and keeps what came out', async () => {
    const { frame, there } = await chain()
    const { steps, store } = stepsOver(there)
    const { hash, bytes } = await steps.run(frame, steps.costOf(frame), never)
    expect(pulled.toSorted()).toEqual([...there.keys()].toSorted())
    expect(bytes.byteLength).toBe(4 * 4 * 4)
    const shelf = store.shelf(payer)
    expect(shelf.recall(hex(hash)) && shelf.get(hex(hash))).toEqual(bytes)
    await steps.run({ ...frame, index: 1 }, 1n, never)
    expect(pulled).toHaveLength(there.size)
  })

  test('does not build on a result of which any byte is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(191), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const { frame, there } = await chain((result) => result.with(at, (result[at] ?? 0) ^ flip))
        await expect(run(frame, there)).rejects.toMatchObject({ code: 'WRONG_INPUT' })
      }),
      { numRuns: 20 }
    )
  })

  test('takes no result that its author has not signed, or signed of another input', async () => {
    const { frame, there } = await chain()
    const { origin } = frame
    if (origin === null) {
      throw new Error('it has one')
    }
    for (const changed of [{ index: 4 }, { peer: taker }, { signature: new Uint8Array(64) }]) {
      await expect(run({ ...frame, origin: { ...origin, ...changed } }, there)).rejects.toMatchObject({
        code: 'BAD_SIGNATURE'
      })
    }
  })

  test('asks nobody without a ticket of its requester', async () => {
    const { frame, there } = await chain()
    await expect(run({ ...frame, tickets: [] }, there)).rejects.toMatchObject({ code: 'PROTOCOL' })
    const ticket = { author, ts: NOW, holder: author, taker, parts: [frame.input] }
    const foreign = await signTicket(authorKey, network, ticket)
    await expect(run({ ...frame, tickets: [foreign] }, there)).rejects.toMatchObject({ code: 'PROTOCOL' })
    expect(pulled).toEqual([])
  })

  test('is refused before anything is fetched where its sizes do not fit the skill', async () => {
    const { frame, there } = await chain()
    const { steps } = stepsOver(there)
    for (const changed of [{ dataSize: 4 }, { partSizes: [1] }, { params: [4, 4, 4] }, { partSizes: [] }]) {
      expect(() => steps.costOf({ ...frame, ...changed })).toThrow(
        expect.objectContaining({ code: 'BAD_UNIT' })
      )
    }
    expect(() => steps.costOf({ ...frame, origin: null })).toThrow(
      expect.objectContaining({ code: 'BAD_UNIT' })
    )
    expect(pulled).toEqual([])
  })

  test('checks for nothing only what was made of its own results', async () => {
    const { frame, there } = await chain()
    const { steps } = stepsOver(there)
    const check: StepFrame = { ...frame, mode: 'check' }
    expect(() => steps.costOf(check)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
  })

  test('stops where more is to be held than there is room for', async () => {
    const { frame, there } = await chain()
    const { steps, store } = stepsOver(there, 300)
    await expect(steps.run(frame, 1n, never)).rejects.toMatchObject({ code: 'BUSY' })
    expect(store.bytes).toBeLessThanOrEqual(300)
  })
})

test('a provider gives so much an hour on one word, whatever others have', () => {
  const limit = new GiveLimit(100)
  expect(limit.take(payer, 60, NOW)).toBe(true)
  expect(limit.take(payer, 41, NOW)).toBe(false)
  expect(limit.take(author, 100, NOW)).toBe(true)
  expect(limit.take(payer, 40, NOW + 3_599_999)).toBe(true)
  expect(limit.take(payer, 1, NOW + 3_599_999)).toBe(false)
  expect(limit.take(payer, 100, NOW + 3_600_000)).toBe(true)
})

describe('a ticket', () => {
  const terms = { author: payer, ts: NOW, holder: author, taker, parts: [new Uint8Array(32)] }
  const use = { network, now: NOW, holder: author, taker }

  test('holds for its network, holder, taker and hour', async () => {
    const signed = await signTicket(payerKey, network, terms)
    expect(await checkTicket(signed, use)).toMatchObject({ author: payer, holder: author, taker })
    const main = await networkOf(NETWORKS.main)
    for (const other of [
      { network: main },
      { holder: taker },
      { taker: author },
      { now: NOW + 2 * 3_600_000 },
      { now: NOW - 3_600_000 }
    ]) {
      await expect(checkTicket(signed, { ...use, ...other })).rejects.toMatchObject({ code: 'PROTOCOL' })
    }
  })

  test('is by who it says: nobody signs for another', async () => {
    const forged = await signTicket(authorKey, network, terms)
    await expect(checkTicket(forged, use)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })
})
