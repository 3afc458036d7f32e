import { beforeAll, expect, test } from 'vitest'
import {
  createLedger,
  followStanding,
  type LedgerService,
  Priorities,
  type Standing
} from '../../../src/credit/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { encode, NETWORKS, type Network, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, NOW, testKey } from '../../fixtures/ledger-swarm.ts'

let network: Network
let v: TestChain
let j: TestChain
let p: TestChain

/** p works for v and pays j; j claims, and hires v on p's name. */
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  ;[v, j, p] = (await Promise.all([1, 2, 3].map((seed) => TestChain.create(network, seed, NOW)))) as [
    TestChain,
    TestChain,
    TestChain
  ]
  await pay(p, j, 1_000n, NOW + 1_000)
})

async function pay(from: TestChain, to: TestChain, amount: bigint, ts: number): Promise<void> {
  const escrow = await from.append(from.escrowIntent([[to.peer, amount]], ts))
  const split = {
    form: 'units' as const,
    seed: new Uint8Array(32),
    inputs: [{ weight: amount, payees: [0], quorum: 1 }]
  }
  const settle = await from.append({
    kind: 'settle',
    ts,
    body: { escrow: escrow.id, payouts: [amount], refund: 0n, split }
  })
  await to.claim(from.certificate(escrow, settle, []), 0, ts + 1)
}

const unit = (cost: bigint) => ({ cost, inputBy: 'self', verdict: 'verified' }) as const

function prioritiesOfV(store = memoryStore(), now = NOW + 2_000) {
  return new Priorities({ store, network, self: v.peer, now: () => now })
}

test('a chain shows what its author was paid and what it spent, open escrows in full, settled ones as used', async () => {
  const chain = await TestChain.create(network, 4, NOW)
  await pay(p, chain, 500n, NOW + 2_000)
  const on = [{ payer: p.peer, amount: 80n }]
  const intent = chain.escrowIntent([[v.peer, 100n]], NOW + 3_000, {
    payees: [{ peer: v.peer, max: 100n, on }]
  })
  const escrow = await chain.append(intent)
  const split = {
    form: 'units' as const,
    seed: new Uint8Array(32),
    inputs: [{ weight: 30n, payees: [0], quorum: 1 }]
  }
  await chain.append({
    kind: 'settle',
    ts: NOW + 4_000,
    body: { escrow: escrow.id, payouts: [30n], refund: 70n, split }
  })
  const seen: Array<Standing> = []
  let standing: Standing = new Map()
  for (const verified of chain.records) {
    const ends =
      verified.record.kind === 'settle' && escrow.record.kind === 'escrow' ? escrow.record.body : undefined
    standing = followStanding(standing, verified, ends)
    seen.push(standing)
  }
  expect(seen.map((at) => at.get(p.peer))).toEqual([
    undefined,
    { paid: 500n, spent: 0n },
    { paid: 500n, spent: 80n },
    { paid: 500n, spent: 30n }
  ])
})

test('a refund at tClose, without releases, returns no recognition', async () => {
  const chain = await TestChain.create(network, 5, NOW)
  const escrow = await chain.append(
    chain.escrowIntent([[v.peer, 100n]], NOW + 3_000, {
      payees: [{ peer: v.peer, max: 100n, on: [{ payer: p.peer, amount: 80n }] }]
    })
  )
  const body = escrow.record.kind === 'escrow' ? escrow.record.body : undefined
  const standing = followStanding(new Map(), escrow, undefined)
  for (const [ts, spent] of [
    [NOW + 4_000, 30n],
    [body?.tClose ?? 0, 80n]
  ] as const) {
    const settle = await TestChain.create(network, 5, NOW)
    await settle.take(chain.signedAt(1))
    const settled = await settle.append(settle.settleIntent(escrow, [30n], ts))
    expect(followStanding(standing, settled, body).get(p.peer)?.spent).toBe(spent)
  }
})

test('a stranger weighs nothing; who was paid by a peer that worked here weighs that', async () => {
  const priorities = prioritiesOfV()
  expect(priorities.weightOf(j.peer)).toBe(0)
  await priorities.learnEdge(p.peer, unit(600n))
  expect(priorities.weightOf(j.peer)).toBe(0)
  for (const record of j.records) {
    priorities.follow(record)
  }
  expect(priorities.sharesOf(j.peer)).toEqual([{ payer: p.peer, amount: 300n }])
  expect(priorities.weightOf(j.peer)).toBeCloseTo(300, 3)
  expect(priorities.weightOf(p.peer)).toBe(300)
})

test('following a record twice changes nothing; a gap forgets what was before it', async () => {
  const priorities = prioritiesOfV()
  await priorities.learnEdge(p.peer, unit(10_000n))
  for (const record of [...j.records, ...j.records]) {
    priorities.follow(record)
  }
  expect(priorities.sharesOf(j.peer)).toEqual([{ payer: p.peer, amount: 500n }])
})

test('what a settle gives back was spent before: who has not seen that owes nothing for it', async () => {
  const priorities = prioritiesOfV()
  await priorities.learnEdge(p.peer, unit(10_000n))
  const chain = await TestChain.create(network, 7, NOW)
  const friend = await TestChain.create(network, 8, NOW)
  const on = [{ payer: p.peer, amount: 5_000n }]
  const escrow = await chain.append(
    chain.escrowIntent([[friend.peer, 5_000n]], NOW + 1, {
      payees: [{ peer: friend.peer, max: 5_000n, on }]
    })
  )
  const settle = await chain.append(chain.settleIntent(escrow, [0n], NOW + 2))
  const body = escrow.record.kind === 'escrow' ? escrow.record.body : undefined
  priorities.follow(settle, body) // the first that this life of v sees of the chain
  expect(priorities.sharesOf(chain.peer)).toEqual([])
})

test('under an unsure seat an author is a stranger for a day, by this node’s clock', async () => {
  let now = NOW + 2_000
  const priorities = new Priorities({ store: memoryStore(), network, self: v.peer, now: () => now })
  const chain = await TestChain.create(network, 6, NOW)
  await priorities.learnEdge(chain.peer, unit(600n))
  expect(priorities.weightOf(chain.peer)).toBe(300)
  const seat = await chain.append({
    kind: 'seat',
    ts: NOW + 1_000,
    body: { members: [p.peer], quorum: 1, unsure: true, votes: [] }
  })
  priorities.follow(seat)
  expect(priorities.weightOf(chain.peer)).toBe(0)
  expect(priorities.sharesOf(chain.peer)).toEqual([])
  expect(
    await priorities.promise('of a stranger', { payer: chain.peer, max: 10n, tClose: NOW + HOUR })
  ).toEqual([])
  now += 24 * HOUR
  expect(priorities.weightOf(chain.peer)).toBeGreaterThan(0)
})

test('a witness knows since when the author has earned nothing; who is none knows nothing of that', async () => {
  let now = NOW + 2_000
  const priorities = new Priorities({ store: memoryStore(), network, self: v.peer, now: () => now })
  for (const [seed, members, idle] of [
    [20, [v.peer], 100 * HOUR],
    [21, [p.peer], 0]
  ] as const) {
    now = NOW + 2_000
    const chain = await TestChain.create(network, seed, NOW)
    const body = { members: [...members], quorum: 1, unsure: true, votes: [] }
    priorities.follow(await chain.append({ kind: 'seat', ts: NOW + 1_000, body }))
    now = NOW + 1_000 + 100 * HOUR
    expect(priorities.idleOf(chain.peer)).toBe(idle)
  }
  expect(priorities.idleOf(j.peer)).toBe(0)
})

test('the day of an unsure seat goes on over a restart, and begins at first sight, whenever that is', async () => {
  let now = NOW + 2_000
  const store = memoryStore()
  const start = async () => {
    const made = new Priorities({ store, network, self: v.peer, now: () => now })
    await made.load()
    return made
  }
  const first = await start()
  const chain = await TestChain.create(network, 9, NOW)
  await first.learnEdge(chain.peer, unit(600n))
  const seat = await chain.append({
    kind: 'seat',
    ts: NOW + 1_000,
    body: { members: [p.peer], quorum: 1, unsure: true, votes: [] }
  })
  first.follow(seat)
  const seated = { witnesses: [p.peer], quorum: 1 }
  const later = await chain.append(chain.escrowIntent([[v.peer, 1n]], NOW + 1_500, seated))
  now += 23 * HOUR
  const second = await start()
  expect(second.weightOf(chain.peer)).toBe(0)
  second.follow(later, undefined, seat.record.seq) // the same seat: no new day
  now += HOUR - 1
  expect(second.weightOf(chain.peer)).toBe(0)
  now += 1
  expect(second.weightOf(chain.peer)).toBeGreaterThan(0)
  const third = await start()
  third.follow(later, undefined, seat.record.seq)
  expect(third.weightOf(chain.peer)).toBeGreaterThan(0)
  // another one, which this node sees only by what stands on it
  third.follow(
    await chain.append(
      chain.escrowIntent([[v.peer, 1n]], NOW + 1_600, { ...seated, nonce: new Uint8Array(16).fill(9) })
    ),
    undefined,
    77
  )
  expect(third.weightOf(chain.peer)).toBe(0)
  await eventually(async () =>
    expect(await store.table('meta').entries()).toContainEqual([
      `unsure/${chain.peer}`,
      encode({ seat: 77, until: now + 24 * HOUR })
    ])
  )
})

test('weight fades with idling', async () => {
  const priorities = prioritiesOfV(memoryStore(), NOW + 1_000 + 168 * HOUR)
  await priorities.learnEdge(p.peer, unit(600n))
  for (const record of j.records) {
    priorities.follow(record)
  }
  expect(priorities.weightOf(j.peer)).toBeCloseTo(150, 3)
})

/** A unit on an escrow that has begun. */
function work(priorities: Priorities, escrow: string, price: bigint): void {
  const reservation = priorities.reserve(escrow, price)
  expect(reservation).toBeDefined()
  reservation?.begin()
  reservation?.end()
}

test('what is promised comes back as far as no unit has used it, and what was used no further stream gets', async () => {
  const priorities = prioritiesOfV()
  await priorities.learnEdge(p.peer, unit(600n))
  const terms = { payer: p.peer, max: 200n, tClose: NOW + HOUR, on: [{ payer: p.peer, amount: 200n }] }
  for (let again = 0; again < 2; again++) {
    expect(await priorities.promise('escrow', terms)).toEqual(terms.on)
    expect(priorities.weightOf(p.peer)).toBe(100)
  }
  work(priorities, 'escrow', 50n)
  for (let again = 0; again < 2; again++) {
    await priorities.settled('escrow')
    expect(priorities.weightOf(p.peer)).toBe(250)
  }
  expect(await priorities.promise('escrow', terms)).toEqual([{ payer: p.peer, amount: 150n }])
  work(priorities, 'escrow', 150n)
  await priorities.settled('escrow')
  expect(await priorities.promise('escrow', terms)).toEqual([])
  expect(priorities.weightOf(p.peer)).toBe(100)
})

test('a unit is worked on recognition only where that covers its whole price; what waits holds it', async () => {
  const priorities = prioritiesOfV()
  await priorities.learnEdge(p.peer, unit(600n))
  await priorities.promise('escrow', { payer: p.peer, max: 200n, tClose: NOW + HOUR })
  expect(priorities.reserve('escrow', 201n)).toBeUndefined()
  const [first, second] = [priorities.reserve('escrow', 120n), priorities.reserve('escrow', 80n)]
  expect(priorities.reserve('escrow', 1n)).toBeUndefined()
  first?.end() // it never began
  work(priorities, 'escrow', 120n)
  second?.begin()
  second?.end()
  expect(priorities.reserve('escrow', 1n)).toBeUndefined()
  expect(priorities.weightOf(p.peer, 'escrow')).toBe(0)
})

test('a node that dies takes nothing from who had its word for long: what was not used is owed again at the next start', async () => {
  const store = memoryStore()
  const before = prioritiesOfV(store)
  await before.learnEdge(p.peer, unit(1_600n))
  await before.promise('idle', { payer: p.peer, max: 200n, tClose: NOW + HOUR })
  await before.promise('at work', { payer: p.peer, max: 400n, tClose: NOW + HOUR })
  work(before, 'at work', 100n)
  const rows = async () => (await store.table('meta').entries()).filter(([key]) => key.startsWith('promise/'))
  await eventually(async () => expect((await rows()).some(([, row]) => row.length > 0)).toBe(true))
  const after = prioritiesOfV(store)
  await after.load()
  expect(after.weightOf(p.peer)).toBe(800 - 100 - 50) // an eighth ahead of what was used
  expect(await rows()).toEqual([])
  expect(
    await after.promise('at work', {
      payer: p.peer,
      max: 400n,
      tClose: NOW + HOUR,
      on: [{ payer: p.peer, amount: 400n }]
    })
  ).toEqual([{ payer: p.peer, amount: 250n }])
})

test('who votes on the escrow that names what it owes serves on it as others do: its own claim is not spent before', async () => {
  const priorities = prioritiesOfV()
  await priorities.learnEdge(p.peer, unit(10_000n))
  const chain = await TestChain.create(network, 11, NOW)
  await pay(p, chain, 1_000n, NOW + 2_000)
  const on = [{ payer: p.peer, amount: 400n }]
  const escrow = await chain.append(
    chain.escrowIntent([[v.peer, 400n]], NOW + 3_000, { payees: [{ peer: v.peer, max: 400n, on }] })
  )
  for (const record of chain.records) {
    priorities.follow(record)
  }
  const terms = { payer: chain.peer, max: 400n, tClose: NOW + HOUR, on }
  expect(priorities.sharesOf(chain.peer)).toEqual([{ payer: p.peer, amount: 100n }])
  expect(await priorities.promise('another', terms)).toEqual([{ payer: p.peer, amount: 100n }])
  await priorities.settled('another')
  expect(await priorities.promise(escrow.id.toString(), terms)).toEqual(on)
})

test('a promise outlives neither its escrow nor its peer’s good name', async () => {
  const store = memoryStore()
  let now = NOW
  const priorities = new Priorities({ store, network, self: v.peer, now: () => now })
  await priorities.learnEdge(p.peer, unit(600n))
  await priorities.promise('left open', { payer: p.peer, max: 200n, tClose: NOW + HOUR })
  now += HOUR
  await priorities.promise('another', { payer: p.peer, max: 10n, tClose: now + HOUR })
  expect(priorities.weightOf(p.peer)).toBe(290)
  await priorities.forget(p.peer)
  await priorities.settled('another')
  const last = prioritiesOfV(store)
  await last.load()
  expect(last.weightOf(p.peer)).toBe(0)
})

test('a ledger tells what its votes rest on: who was paid by a worker of this node is no stranger', async () => {
  const swarm = await LedgerSwarm.create()
  const [worker, requester] = [await swarm.add(1), await swarm.add(2)]
  const store = memoryStore()
  const provider: LedgerService = createLedger({
    store,
    key: await testKey(3),
    network: swarm.network,
    node: swarm.transportOf(() => provider.peer),
    now: () => swarm.now,
    followed: (verified, escrow) => priorities.follow(verified, escrow)
  })
  const priorities = new Priorities({
    store,
    network: swarm.network,
    self: provider.peer,
    now: () => swarm.now
  })
  await provider.start()
  const { escrow } = await worker.escrow([[requester, 1_000n]])
  await worker.ledger.settle(escrow, [{ weight: 1_000n, payees: [0], quorum: 1 }], {
    seed: new Uint8Array(32)
  })
  await priorities.learnEdge(worker.peer, unit(600n))
  expect(priorities.weightOf(requester.peer)).toBe(0)
  await requester.ledger.openEscrow({
    jobId: new Uint8Array(16),
    channels: [{ peer: provider.peer, max: 10n }],
    inputRoot: new Uint8Array(32),
    tClose: swarm.now + HOUR
  })
  expect(priorities.sharesOf(requester.peer)).toEqual([{ payer: worker.peer, amount: 300n }])
  await provider.stop()
  await swarm.stop()
})
