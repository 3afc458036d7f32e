import { expect, test } from 'vitest'
import type { Earning } from '../../../src/credit/earnings.ts'
import { Lodging } from '../../../src/credit/lodging.ts'
import { type LedgerRequest, NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'
import { witnessedChains } from '../../fixtures/witnessed-chains.ts'

test('what witnesses keep of an escrow is remembered as long as it is open, and no longer', async () => {
  const network = await networkOf(NETWORKS.local)
  const { payer, witnesses, certificates } = await witnessedChains(network)
  const { escrow, receipt } = certificates.payout
  const channel = {
    payer: payer.peer,
    jobId: new Uint8Array(16),
    index: 0,
    max: 1_000n,
    tClose: NOW + 60_000
  }
  const state = { released: null, settled: false, claimed: false }
  const earning: Earning = { ...channel, ...state, receipt, amount: 250n, certified: { escrow, votes: [] } }
  let open: Array<[string, Earning]> = []
  const asked: Array<LedgerRequest['t']> = []
  const lodging = new Lodging({
    earnings: { get: () => earning, open: () => open },
    payee: { claim: () => Promise.reject(new Error('nothing is due')) },
    transport: {
      connectedPeers: () => [],
      call: (_, { t }) => {
        asked.push(t)
        return Promise.resolve({ t: 'ok' })
      }
    },
    network,
    now: () => NOW,
    log: () => {},
    within: () => new AbortController().signal
  })
  const lodgedAfter = async (rows: typeof open) => {
    open = rows
    await lodging.tend()
    return asked.filter((t) => t === 'lodge').length
  }
  const row: [string, Earning] = [payer.head.id.toString(), earning]
  expect(await lodgedAfter([row])).toBe(witnesses.length)
  expect(await lodgedAfter([row])).toBe(witnesses.length)
  expect(await lodgedAfter([])).toBe(witnesses.length) // its payer has settled
  expect(await lodgedAfter([row])).toBe(2 * witnesses.length)
})
