import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type CheckingWorker, SignatureWorker } from '../../../src/swarm/signature-worker.ts'
import type { PeerIdString } from '../../../src/wire/index.ts'
import { testKey } from '../../fixtures/ledger-swarm.ts'

/** A worker that says whatever a test wants: the true one is in test/browser/swarm. */
class FakeWorker implements CheckingWorker {
  onmessage: CheckingWorker['onmessage'] = null
  onerror: CheckingWorker['onerror'] = null
  isEnded = false
  readonly batches: Array<{ id: number; size: number }> = []

  postMessage([id, , sizes]: [number, Uint8Array, number[]]): void {
    this.batches.push({ id, size: sizes.length })
  }
  terminate(): void {
    this.isEnded = true
  }
  /** With nothing: that it is there. */
  say(id = 0, right: unknown[] = []): void {
    if (this.onmessage) {
      Reflect.apply(this.onmessage, this, [{ data: [id, right] }])
    }
  }
  die(): void {
    if (this.onerror) {
      Reflect.apply(this.onerror, this, [new Event('error')])
    }
  }
}

interface Case {
  readonly peer: PeerIdString
  readonly message: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array
  readonly isRight: boolean
}

let cases: Case[]
beforeAll(async () => {
  const keys = await Promise.all([1, 2].map(testKey))
  cases = await Promise.all(
    Array.from({ length: 24 }, (_, i) => caseOf(keys[i % 2] as PrivateKey, i, i % 3 > 0)) // there are two
  )
})

async function caseOf(key: PrivateKey, i: number, isRight: boolean): Promise<Case> {
  const message = Uint8Array.of(i, 1, 2)
  const signature = new Uint8Array(await key.sign(message))
  signature[i] = (signature[i] ?? 0) ^ (isRight ? 0 : 1)
  // the text of a libp2p id of an Ed25519 key
  return { peer: peerIdFromPrivateKey(key).toString() as PeerIdString, message, signature, isRight }
}

/** What comes of asking for all of these; a rejection is a no. */
const ask = (signatures: SignatureWorker, asked: readonly Case[]) =>
  asked.map(({ peer, message, signature }) => signatures.verify(peer, message, signature).catch(() => false))
const truth = (asked: readonly Case[]) => asked.map(({ isRight }) => isRight)

/** One that is there, and its fakes so far. */
async function ready() {
  const workers: FakeWorker[] = []
  const signatures = new SignatureWorker(() => {
    const worker = new FakeWorker()
    workers.push(worker)
    return worker
  })
  await Promise.all(ask(signatures, cases.slice(0, 1)))
  const [worker] = workers
  if (!worker) {
    throw new Error('no worker was started')
  }
  worker.say()
  return { signatures, workers, worker }
}

afterEach(() => {
  vi.useRealTimers()
})

test('what is asked before the worker is there is checked here, and nothing waits for it', async () => {
  const fake = new FakeWorker()
  const signatures = new SignatureWorker(() => fake)
  expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
  expect(fake.batches).toEqual([])
  signatures.close()
})

test('what is asked at once is one batch; a yes is taken, and all else is checked here', async () => {
  const answers = fc.array(fc.constantFrom('truth', 'no', 'nonsense'), { minLength: 24, maxLength: 24 })
  const cuts = fc.tuple(fc.nat(24), fc.nat(24), fc.boolean(), fc.nat(24))
  await fc.assert(
    fc.asyncProperty(answers, cuts, async (said, [one, other, isReversed, missing]) => {
      const { signatures, worker } = await ready()
      const [from, to] = [Math.min(one, other), Math.max(one, other)]
      const parts = [cases.slice(0, from), cases.slice(from, to), cases.slice(to)]
      const verdicts: Array<Promise<boolean>> = []
      for (const part of parts) {
        verdicts.push(...ask(signatures, part))
        await Promise.resolve()
      }
      expect(worker.batches.map(({ size }) => size)).toEqual(
        parts.map(({ length }) => length).filter((length) => length > 0)
      )
      let at = 0
      const replies = worker.batches.map(({ id, size }) => {
        const right = cases
          .slice(at, at + size)
          .map(({ isRight }, i) =>
            said[at + i] === 'truth' ? isRight : said[at + i] === 'no' ? false : 'yes'
          )
        at += size
        return () => worker.say(id, right.slice(0, missing))
      })
      for (const reply of isReversed ? replies.toReversed() : replies) {
        reply()
      }
      expect(await Promise.all(verdicts)).toEqual(truth(cases))
      signatures.close()
    })
  )
})

describe('a worker that fails', () => {
  test('with batches under way loses none: they are checked here, and no other worker is started', async () => {
    const { signatures, workers, worker } = await ready()
    const verdicts = ask(signatures, cases.slice(0, 12))
    await Promise.resolve()
    verdicts.push(...ask(signatures, cases.slice(12))) // not sent yet
    worker.die()
    expect(await Promise.all(verdicts)).toEqual(truth(cases))
    expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
    expect(workers).toHaveLength(1)
    expect(worker.isEnded).toBe(true)
  })

  test('because the page may have none is tried once', async () => {
    const spawn = vi.fn(() => {
      throw new DOMException('worker-src', 'SecurityError')
    })
    const signatures = new SignatureWorker(spawn)
    expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
    expect(spawn).toHaveBeenCalledOnce()
  })

  test('by never answering is given up, and what it owes is checked here', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { signatures, workers, worker } = await ready()
    const verdicts = ask(signatures, cases)
    await Promise.resolve()
    vi.runAllTimers()
    expect(worker.isEnded).toBe(true)
    expect(await Promise.all(verdicts)).toEqual(truth(cases))
    await Promise.all(ask(signatures, cases))
    expect(workers).toHaveLength(1)
  })
})

test('a worker of which nothing is asked for a while is ended, and started again when it is needed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { signatures, workers, worker } = await ready()
  vi.runAllTimers()
  expect(worker.isEnded).toBe(true)
  expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
  expect(workers).toHaveLength(2)
  signatures.close()
})

test('closed, the worker is ended at once; what is under way, and all that comes, is checked here', async () => {
  const { signatures, workers, worker } = await ready()
  const verdicts = ask(signatures, cases)
  await Promise.resolve()
  const { onmessage } = worker
  signatures.close()
  expect(worker.isEnded).toBe(true)
  expect([onmessage === null, worker.onmessage === null]).toEqual([false, true]) // its last word is not heard
  expect(await Promise.all(verdicts)).toEqual(truth(cases))
  expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
  expect(workers).toHaveLength(1)
})

test('without web workers, as in Node, this thread does it', async () => {
  const signatures = new SignatureWorker()
  expect(await Promise.all(ask(signatures, cases))).toEqual(truth(cases))
})
