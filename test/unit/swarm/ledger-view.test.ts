import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openIdentity } from '../../../src/swarm/identity-view.ts'
import { checkLedger, readLedger } from '../../../src/swarm/ledger-view.ts'
import { encode, NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'

let author: TestChain
beforeAll(async () => {
  author = await TestChain.create(await networkOf(NETWORKS.local), 1, NOW)
  const body = { members: [], quorum: 0, unsure: true, votes: [] }
  while (author.signed.length < 300) {
    await author.append({ kind: 'seat', ts: NOW, body })
  }
})

afterEach(() => {
  vi.unstubAllGlobals()
})

const exported = (length: number) => ({
  network: 'local',
  peer: author.peer,
  records: author.signed.slice(0, length)
})

test('a page that shows a long ledger is not kept from everything else', async () => {
  const breath = vi.fn(async () => {})
  vi.stubGlobal('scheduler', { yield: breath })
  expect(await readLedger(exported(300))).toHaveLength(300)
  expect(breath).toHaveBeenCalledOnce()
})

describe('for a long file a worker is started, and ended with the check:', () => {
  /** Workers that are never there. */
  function countWorkers() {
    const counts = { started: 0, ended: 0 }
    class FakeWorker {
      constructor() {
        counts.started++
      }
      terminate() {
        counts.ended++
      }
    }
    vi.stubGlobal('Worker', FakeWorker)
    return counts
  }

  test.each([
    [64, 0],
    [65, 1]
  ])('a ledger of %i records', async (length, workers) => {
    const counts = countWorkers()
    expect(await checkLedger(exported(length))).toBeUndefined()
    expect(counts).toEqual({ started: workers, ended: workers })
  })

  test.each([
    [64, 0],
    [65, 1]
  ])('an identity of %i records', async (length, workers) => {
    const counts = countWorkers()
    const kind = 'swarmharness-identity'
    const key = privateKeyToProtobuf(author.key)
    const { records } = exported(length)
    const file = encode({ kind, v: 1, network: 'local', key, token: null, records, rows: [] })
    expect(await openIdentity(file)).toMatchObject({ peer: author.peer, records: length })
    expect(counts).toEqual({ started: workers, ended: workers })
  })
})
