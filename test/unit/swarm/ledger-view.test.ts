import { afterEach, expect, test, vi } from 'vitest'
import { readLedger } from '../../../src/swarm/ledger-view.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

test('a page that shows a long ledger is not kept from everything else', async () => {
  const breath = vi.fn(async () => {})
  vi.stubGlobal('scheduler', { yield: breath })
  const author = await TestChain.create(await networkOf(NETWORKS.local), 1, NOW)
  const body = { members: [], quorum: 0, unsure: true, votes: [] }
  while (author.signed.length < 300) {
    await author.append({ kind: 'seat', ts: NOW, body })
  }
  const rows = await readLedger({ network: 'local', peer: author.peer, records: author.signed })
  expect(rows).toHaveLength(300)
  expect(breath).toHaveBeenCalledOnce()
})
