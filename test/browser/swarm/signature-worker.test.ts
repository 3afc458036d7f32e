import fc from 'fast-check'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { replayChain } from '../../../src/credit/index.ts'
import { checkLedger } from '../../../src/swarm/ledger-view.ts'
import { SignatureWorker } from '../../../src/swarm/signature-worker.ts'
import {
  NETWORKS,
  type Network,
  networkOf,
  type Signed,
  type VerifySignature
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'

const LENGTH = 200

let network: Network
let author: TestChain
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  author = await TestChain.create(network, 1, NOW)
  const body = { members: [], quorum: 0, unsure: true, votes: [] }
  while (author.signed.length < LENGTH) {
    await author.append({ kind: 'seat', ts: NOW + author.signed.length, body })
  }
})

afterEach(() => vi.restoreAllMocks())

/** Counts the workers that are started and ended, and what they are asked. */
function watchWorkers() {
  const counts = { started: 0, ended: 0, batches: 0 }
  const Original = globalThis.Worker
  vi.spyOn(globalThis, 'Worker').mockImplementation(function (this: Worker, url, options) {
    counts.started++
    const worker = new Original(url, options)
    const { terminate, postMessage } = worker
    vi.spyOn(worker, 'terminate').mockImplementation(() => {
      counts.ended++
      terminate.call(worker)
    })
    vi.spyOn(worker, 'postMessage').mockImplementation((...message) => {
      counts.batches++
      postMessage.apply(worker, message)
    })
    return worker
  })
  return counts
}

/** How far a tail holds, and what is wrong with the next record. */
async function outcome(tail: readonly Signed[], verify?: VerifySignature) {
  let held = 0
  const replaying = replayChain(undefined, tail, network, { verify, held: (records) => (held = records) })
  const end = await replaying.catch((error: { code: string; message: string }) => [error.code, error.message])
  return { held, end }
}

test('a worker finds right what WebCrypto in the page does, and nothing else', async () => {
  const workers = watchWorkers()
  const signatures = new SignatureWorker()
  await eventually(async () => {
    expect((await outcome(author.signed, signatures.verify)).end).toEqual(author.state)
    expect(workers.batches).toBeGreaterThan(0)
  })
  const flip = fc.record({
    place: fc.nat(LENGTH - 1),
    part: fc.constantFrom<keyof Signed>('payload', 'signature'),
    bit: fc.nat(511)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(flip, { maxLength: 2 }), async (flips) => {
      const tail = author.signed.map(({ payload, signature }) => ({ payload, signature }))
      for (const { place, part, bit } of flips) {
        const [signed] = tail.slice(place)
        if (signed) {
          const bytes = new Uint8Array(signed[part])
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          signed[part] = bytes
        }
      }
      expect(await outcome(tail, signatures.verify)).toEqual(await outcome(tail))
    }),
    { numRuns: 20 }
  )
  signatures.close()
  expect(workers).toMatchObject({ started: 1, ended: 1 })
})

test('who checks a ledger starts a worker for a long one alone, and ends it', async () => {
  const workers = watchWorkers()
  const ledger = { network: 'local', peer: author.peer, records: author.signed }
  expect(await checkLedger({ ...ledger, records: author.signed.slice(0, 64) })).toBeUndefined()
  expect(workers.started).toBe(0)
  expect(await checkLedger(ledger)).toBeUndefined()
  expect(workers).toMatchObject({ started: 1, ended: 1 })
})
