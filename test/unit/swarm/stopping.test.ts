import { memory } from '@libp2p/memory'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { TransportHandlers } from '../../../src/credit/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import type { Fittings } from '../../../src/swarm/fittings.ts'
import type { Parts } from '../../../src/swarm/parts.ts'
import { openSwarm } from '../../../src/swarm/sdk/index.ts'
import { type RunningSwarm, startSwarm } from '../../../src/swarm.ts'
import { TestChain } from '../../fixtures/chains.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const start = (fittings: Fittings) =>
  startSwarm({ network: 'local', relays: [], listen: [] }, { transports: [memory()], ...fittings })
const partsOf = (swarm: RunningSwarm) => (swarm as unknown as { parts: Parts }).parts // private, and what fails here

const broken = () => {
  throw new Error('broken')
}

test.each<[string, Fittings, (parts: Parts) => unknown]>([
  ['who saves its work first', { onQuiet: async () => broken() }, () => {}],
  ['the ledger', {}, ({ ledger }) => vi.spyOn(ledger, 'stop').mockRejectedValue(new Error('broken'))]
])('%s that fails while a node stops leaves nothing open', async (_, fittings, spoil) => {
  const store = memoryStore()
  const close = vi.spyOn(store, 'close')
  const swarm = await start({ store, ...fittings })
  const parts = partsOf(swarm)
  spoil(parts)
  const ended = vi.fn()
  swarm.addEventListener('change', ({ detail }) => ended(detail.state))
  await expect(swarm.stop()).rejects.toThrow('broken')
  expect(parts.node.status).toBe('stopped')
  expect(close).toHaveBeenCalledOnce()
  expect(ended).toHaveBeenLastCalledWith('stopped')
})

test('a node says why it does not contribute: it was not asked to, or it was paused', async () => {
  const swarm = await start({ store: memoryStore() })
  expect(swarm.status).toMatchObject({ contributing: false, paused: 'not-contributing' })
  await swarm.pause()
  expect(swarm.status).toMatchObject({ contributing: false, paused: 'paused' })
  await swarm.stop()
})

test('a balance that could not be read once does not end the change events', async () => {
  const swarm = await start({ store: memoryStore() })
  const balance = vi.spyOn(partsOf(swarm).ledger, 'balance').mockRejectedValueOnce(new Error('busy'))
  const changed = () => new Promise((resolve) => swarm.addEventListener('change', resolve, { once: true }))
  for (let i = 0; i < 2; i++) {
    const next = changed()
    await swarm.pause()
    await next
  }
  expect(balance).toHaveBeenCalled()
  await swarm.stop()
})

test('who checks signatures beside a node is asked by its ledger, and ends with the node', async () => {
  const workers: Array<{ isEnded: boolean }> = []
  class FakeWorker {
    isEnded = false
    constructor() {
      workers.push(this)
    }
    terminate() {
      this.isEnded = true
    }
  }
  vi.stubGlobal('Worker', FakeWorker)
  const swarm = await start({ store: memoryStore() })
  const { network, ledger } = partsOf(swarm)
  const author = await TestChain.create(network, 7, Date.now())
  const seat = { members: [], quorum: 0, unsure: true, votes: [] }
  while (author.signed.length < 70) {
    await author.append({ kind: 'seat', ts: author.head.ts, body: seat })
  }
  // private: what a peer would reach over a stream
  const inside = ledger as unknown as { answer: TransportHandlers['answer'] }
  const [record, tail] = [author.signedAt(69), author.signed.slice(0, -1)]
  expect(workers).toEqual([])
  await inside.answer(author.peer, { t: 'certify', record, tail, evidence: [] })
  expect(workers).toMatchObject([{ isEnded: false }])
  await swarm.stop()
  expect(workers).toMatchObject([{ isEnded: true }])
})

describe('the signal of createSwarm', () => {
  const open = (signal: AbortSignal, fittings: Fittings = {}) =>
    openSwarm({ network: 'local', relays: [], listen: [], signal }, { transports: [memory()], ...fittings })
  const cancelled = { name: 'JobError', code: 'CANCELLED', cause: { message: 'enough' } }

  test('that was aborted before starts nothing, and says so with a code', async () => {
    await expect(open(AbortSignal.abort(new Error('enough')))).rejects.toMatchObject(cancelled)
  })

  test.each(['onStore', 'onNode'] as const)(
    'that is aborted while it starts (%s) leaves nothing open',
    async (at) => {
      const store = memoryStore()
      const close = vi.spyOn(store, 'close')
      const abort = new AbortController()
      const starting = open(abort.signal, { store, [at]: async () => abort.abort(new Error('enough')) })
      await expect(starting).rejects.toMatchObject(cancelled)
      expect(close).toHaveBeenCalled()
    }
  )

  test('stops it later, also where something cannot be closed', async () => {
    const store = memoryStore()
    const closed = Promise.withResolvers<void>()
    vi.spyOn(store, 'close').mockImplementation(async () => {
      closed.resolve()
      broken()
    })
    const abort = new AbortController()
    const swarm = await open(abort.signal, { store })
    abort.abort()
    await closed.promise // what is rejected and not caught fails the run
    await expect(swarm.stop()).rejects.toThrow('broken')
    expect(swarm.status.state).toBe('stopped')
  })
})
