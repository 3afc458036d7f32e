import { afterEach, describe, expect, test, vi } from 'vitest'
import { Deposits } from '../../../src/credit/deposits.ts'
import { Earnings } from '../../../src/credit/earnings.ts'
import { Follower } from '../../../src/credit/follower.ts'
import { createVoter, quorumOf } from '../../../src/credit/index.ts'
import { memoryStore, type Store, StoreError } from '../../../src/store/index.ts'
import type { LedgerResponse, Signed } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer, testKey } from '../../fixtures/ledger-swarm.ts'

/** What strangers can make a node keep, under the rules of `main`. */
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }
const DAY = 24 * HOUR

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

async function open(): Promise<TestPeer> {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  return swarm.add(1)
}

const codeOf = (answer: LedgerResponse) => (answer.t === 'refused' ? answer.code : answer.t)

/** An escrow of a stranger's, certified by its own names, with a receipt on it. */
async function ownEscrow(
  payee: TestChain,
  extra: { witness?: TestPeer; ts: number; payTo?: TestPeer; seed?: number }
) {
  const { witness, ts, payTo, seed = 50 } = extra
  const author = await TestChain.create(swarm.network, seed, ts)
  const own = await Promise.all([60, 61, 62].map((seed) => TestChain.create(swarm.network, seed, ts)))
  const members = [...(witness ? [witness.peer] : []), ...own.map(({ peer }) => peer)]
  await author.append({
    kind: 'seat',
    ts,
    body: { members, quorum: quorumOf(members.length), unsure: true, votes: [] }
  })
  const escrow = await author.append(
    author.escrowIntent([[payTo?.peer ?? payee.peer, 5n]], ts, {
      witnesses: members,
      quorum: quorumOf(members.length)
    })
  )
  const receipt = await author.statement(ts, {
    kind: 'receipt',
    escrow: escrow.id,
    payee: payee.peer,
    amount: 5n,
    pairTotal: 5n
  })
  const votes = await Promise.all(own.map((voter) => voter.vote(escrow, ts)))
  return { author, escrow: author.signedAt(2), votes, receipt }
}

describe('an escrow of another age', () => {
  test('is kept by no witness: nobody could forget it', async () => {
    const witness = await open()
    const payee = await TestChain.create(swarm.network, 51, NOW)
    const lodge = async (ts: number) => {
      const { escrow, votes, receipt } = await ownEscrow(payee, { witness, ts })
      return codeOf(await swarm.deliver(payee.peer, witness.peer, { t: 'lodge', escrow, votes, receipt }))
    }
    expect(await lodge(NOW + 10_000 * 365 * DAY)).toBe('CLOCK')
    expect(await lodge(NOW + 25 * HOUR)).toBe('CLOCK')
    expect(await lodge(NOW)).toBe('ok')
    swarm.now += 10 * DAY
    await witness.ledger.maintain()
    expect(await witness.store.table('contracts').entries()).toEqual([])
  })

  test('is taken by no payee', async () => {
    const payee = await open()
    const other = await TestChain.create(swarm.network, 51, NOW)
    const show = async (ts: number, seed: number) => {
      const { author, escrow, votes } = await ownEscrow(other, { ts, payTo: payee, seed })
      return codeOf(await swarm.deliver(author.peer, payee.peer, { t: 'escrow', escrow, votes }))
    }
    expect(await show(NOW + 30 * DAY, 50)).toBe('CLOCK')
    expect(await show(NOW, 52)).toBe('ok')
  })
})

test('receipts beyond what a witness has room for are refused; one that it has may rise', async () => {
  await open()
  const deposits = new Deposits({ store: memoryStore() })
  const chain = await TestChain.create(swarm.network, 50, NOW)
  const { id } = chain.head
  const given = { payee: chain.peer, amount: 1n, receipt: chain.signedAt(0), tClose: NOW }
  await deposits.lodge(id, 0, given, 2)
  await deposits.lodge(id, 1, given, 2)
  await expect(deposits.lodge(id, 2, given, 2)).rejects.toMatchObject({ code: 'BUSY' })
  await deposits.lodge(id, 1, { ...given, amount: 2n }, 2)
  await deposits.forget(NOW + 9 * DAY)
  await deposits.lodge(id, 2, given, 2)
  expect([...deposits.amounts(id)]).toEqual([[2, 1n]])
})

test('no settle is voted for below a receipt that a witness had no room for', async () => {
  await open()
  const deposits = new Deposits({ store: memoryStore() })
  const chain = await TestChain.create(swarm.network, 50, NOW)
  const { id } = chain.head
  const given = { payee: chain.peer, amount: 1n, receipt: chain.signedAt(0), tClose: NOW }
  await deposits.lodge(id, 0, given, 1)
  await expect(deposits.lodge(id, 1, { ...given, amount: 7n }, 1)).rejects.toMatchObject({ code: 'BUSY' })
  await expect(deposits.lodge(id, 1, { ...given, amount: 6n }, 1)).rejects.toMatchObject({ code: 'BUSY' })
  expect([...deposits.amounts(id)].sort()).toEqual([
    [0, 1n],
    [1, 7n]
  ])
})

test('a payer that has all of its questions waiting keeps no payee from lodging', async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const store = memoryStore()
  let go = () => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const slow: Store = {
    ...store,
    identity: () => store.identity(),
    saveIdentity: (key) => store.saveIdentity(key),
    close: () => store.close(),
    table: (name) => {
      const table = store.table(name)
      return name === 'votes'
        ? {
            get: (key) => gate.then(() => table.get(key)),
            entries: () => table.entries(),
            put: (key, value, options) => table.put(key, value, options),
            delete: (key) => table.delete(key)
          }
        : table
    }
  }
  const witness = await swarm.add(1, slow)
  const payee = await TestChain.create(swarm.network, 51, NOW)
  const { author, escrow, votes, receipt } = await ownEscrow(payee, { witness, ts: NOW })
  const [genesis, seat] = author.signed as [Signed, Signed]
  const asked = Array.from({ length: 9 }, () =>
    swarm.deliver(author.peer, witness.peer, { t: 'certify', record: seat, tail: [genesis], evidence: [] })
  )
  const lodged = swarm.deliver(payee.peer, witness.peer, { t: 'lodge', escrow, votes, receipt })
  expect(codeOf(await lodged)).toBe('ok')
  go()
  expect((await Promise.all(asked)).map(codeOf)).toContain('BUSY')
})

test('of escrows without number a payee forgets the oldest on which nothing was receipted', async () => {
  const payee = await open()
  const store = memoryStore()
  const earnings = new Earnings({ store, network: swarm.network, self: payee.peer, limit: 2 })
  const payers = await Promise.all(
    Array.from({ length: 3 }, (_, i) => TestChain.create(swarm.network, 70 + i, NOW))
  )
  const escrows = await Promise.all(
    payers.map((payer) => payer.append(payer.escrowIntent([[payee.peer, 9n]], NOW)))
  )
  const join = async (i: number) => {
    const { id, record } = escrows[i] as (typeof escrows)[number]
    if (record.kind === 'escrow') {
      await earnings.join(id, record)
    }
    return id
  }
  const [first, second] = [await join(0), await join(1)]
  const receipt = await (payers[0] as TestChain).statement(NOW, {
    kind: 'receipt',
    escrow: first,
    payee: payee.peer,
    amount: 3n,
    pairTotal: 3n
  })
  await earnings.accept(receipt, (payers[0] as TestChain).peer)
  const third = await join(2)
  expect([first, second, third].map((id) => earnings.get(id)?.amount)).toEqual([3n, undefined, 0n])
  expect(await store.table('contracts').entries()).toHaveLength(2)
})

describe('of a chain that nobody votes on', () => {
  test('so much is kept at most, also if it comes in pieces; of many, the newest', async () => {
    await open()
    const chain = await TestChain.create(swarm.network, 50, NOW)
    for (let i = 0; i < 40; i++) {
      await chain.append({ kind: 'seat', ts: NOW, body: { members: [], quorum: 0, unsure: true, votes: [] } })
    }
    const bytes = chain.signed.map(({ payload }) => payload.byteLength)
    const sum = bytes.reduce((all, size) => all + size, 0)
    const bounded = (each: number, all = each) =>
      new Follower({ network: swarm.network, limits: { records: 1_000, bytes: each, all } })
    const follower = bounded(sum - 1)
    await follower.follow(chain.peer, chain.signed.slice(0, 30))
    const rest = chain.signed.slice(30)
    await expect(follower.follow(chain.peer, rest)).rejects.toMatchObject({ code: 'BUSY' })
    await expect(follower.follow(chain.peer, rest)).rejects.toMatchObject({ code: 'BUSY' })
    expect((await follower.of(chain.peer)).steps).toHaveLength(30)

    const many = bounded(sum, sum)
    await many.follow(chain.peer, chain.signed)
    const other = await TestChain.create(swarm.network, 51, NOW)
    await many.follow(other.peer, other.signed)
    expect((await many.of(chain.peer)).steps).toHaveLength(0)
    expect((await many.of(other.peer)).steps).toHaveLength(1)
  })

  test('no escrows and claims are kept beside its records, but those that settles end', async () => {
    await open()
    const chain = await TestChain.create(swarm.network, 50, NOW)
    const payee = await TestChain.create(swarm.network, 51, NOW)
    for (let i = 0; i < 20; i++) {
      const body = { nonce: new Uint8Array(16).fill(i) }
      await chain.append(chain.escrowIntent([[payee.peer, 1n]], NOW, body))
    }
    const [, ended] = chain.records
    if (ended === undefined) {
      throw new Error('an escrow')
    }
    await chain.append(chain.settleIntent(ended, [1n], NOW))
    const { steps } = await new Follower({ network: swarm.network }).follow(chain.peer, chain.signed)
    const kept = steps.flatMap(({ before }) => [...(before?.openEscrows.keys() ?? [])])
    expect(kept).toEqual([ended.id.toString()])
  })
})

test('a relay forgets old receipts while it runs', async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const store = memoryStore()
  const key = await testKey(9)
  let now = NOW
  const voter = createVoter({
    store,
    key,
    network: swarm.network,
    node: swarm.transportOf(() => voter.peer),
    now: () => now
  })
  await voter.start()
  const payee = await TestChain.create(swarm.network, 51, NOW)
  const { escrow, votes, receipt } = await ownEscrow(payee, {
    witness: { peer: voter.peer } as TestPeer,
    ts: NOW
  })
  const lodged = await swarm.deliver(payee.peer, voter.peer, { t: 'lodge', escrow, votes, receipt })
  expect(codeOf(lodged)).toBe('ok')
  now += 10 * DAY
  await swarm.deliver(payee.peer, voter.peer, { t: 'forks', author: payee.peer })
  await voter.stop()
  expect(await store.table('contracts').entries()).toEqual([])
})

test('a proof that cannot be stored makes nobody a slanderer', async () => {
  const judge = await open()
  const teller = await TestChain.create(swarm.network, 51, NOW)
  const make = async (ts: number): Promise<Signed> =>
    (await TestChain.create(swarm.network, 52, ts)).signedAt(0)
  const proof = { kind: 'records' as const, one: await make(NOW), two: await make(NOW + 1) }
  const tell = async () => codeOf(await swarm.deliver(teller.peer, judge.peer, { t: 'forked', proof }))
  const table = judge.store.table.bind(judge.store)
  const full = vi.spyOn(judge.store, 'table').mockImplementation((name) => ({
    get: (key) => table(name).get(key),
    entries: () => table(name).entries(),
    delete: (key) => table(name).delete(key),
    put: () => Promise.reject(new StoreError('FULL', 'The storage is full.'))
  }))
  expect(await tell()).toBe('FULL')
  full.mockRestore()
  expect(swarm.verdicts.filter(({ slandered }) => slandered)).toEqual([])
  expect(await tell()).toBe('ok')
})
