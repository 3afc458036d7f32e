import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterEach, expect, test, vi } from 'vitest'
import {
  auditExports,
  forgetLeft,
  importProfile,
  leftProfile,
  resumeImport
} from '../../../src/credit/index.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'
import {
  decodeIdentityFile,
  decodeStrict,
  NETWORKS,
  networkOf,
  record,
  SIGNED_PAYLOAD_MAX,
  sha256
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, NOW, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

async function open(rules = {}) {
  swarm = await LedgerSwarm.create({ seats: true, rules })
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= 4; seed++) {
    peers.push(await swarm.add(seed))
  }
  const [mover, payee] = peers
  if (!mover || !payee) {
    throw new Error('peers')
  }
  await job(mover, payee, 100n)
  return { peers, mover, payee }
}

async function job(requester: TestPeer, payee: TestPeer, amount: bigint): Promise<void> {
  const { escrow } = await requester.escrow([[payee, 1_000n]])
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, amount), requester.peer)
  await requester.ledger.settle(escrow, [{ weight: amount, payees: [0], quorum: 1 }], { seed: SEED })
}

const kindsOf = async ({ ledger }: TestPeer) =>
  (await ledger.exportLedger()).records.map(
    ({ payload }) => decodeStrict(payload, record, SIGNED_PAYLOAD_MAX).kind
  )

async function importInto(file: Uint8Array, store: Store = memoryStore()): Promise<Store> {
  await importProfile(store, decodeIdentityFile(file), swarm.network)
  return store
}

test('an identity that moves signs nothing any more where it was, and goes on where it is', async () => {
  const { peers, mover, payee } = await open()
  const old = mover.store
  const file = await mover.ledger.moveAway()
  await expect(mover.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'MOVED' })
  await expect(mover.ledger.moveAway()).rejects.toMatchObject({ code: 'MOVED' })
  const ask = { t: 'forks' as const, author: payee.peer }
  expect(await swarm.deliver(payee.peer, mover.peer, ask)).toMatchObject({ t: 'refused', code: 'MOVED' })
  await expect(mover.restart(old)).rejects.toMatchObject({ code: 'MOVED' })

  await mover.restart(await importInto(file))
  await job(mover, payee, 200n)
  await job(payee, mover, 50n)
  expect(await kindsOf(mover)).toEqual([
    'genesis',
    'seat',
    'escrow',
    'settle',
    'closed',
    'opened',
    'escrow',
    'settle',
    'claim'
  ])
  expect((await mover.ledger.balance()).settled).toBe(10_000_000n - 300n + 50n)
  const exports = await Promise.all(peers.map(({ ledger }) => ledger.exportLedger()))
  expect(await auditExports(exports, swarm.network)).toMatchObject({ balanced: true, debt: 0n })
  expect(swarm.verdicts).toEqual([])

  await mover.restart()
  await job(mover, payee, 1n)
})

test('its file is made again until somebody says that it is kept, and opens the chain as the first one would', async () => {
  const { mover, payee } = await open()
  const old = mover.store
  await old.saveIdentity(privateKeyToProtobuf(mover.key))
  expect(await leftProfile(old, swarm.network)).toBeUndefined()
  const file = await mover.ledger.moveAway()
  const { peer, file: again } = (await leftProfile(old, swarm.network)) ?? fail()
  expect(peer).toBe(mover.peer)
  expect(again).toEqual(file)
  expect(decodeIdentityFile(again).rows.map(({ key }) => key)).not.toContain('left-token')
  const there = await importInto(again)
  expect(await leftProfile(there, swarm.network)).toBeUndefined()
  await mover.restart(there)
  await job(mover, payee, 5n)
  await forgetLeft(old)
  expect(await leftProfile(old, swarm.network)).toBeUndefined()
})

test('a chain that was to be closed, and was not, is here as before', async () => {
  const { mover, payee } = await open()
  const store = mover.store
  vi.spyOn(store.chain, 'append').mockRejectedValueOnce(new Error('The disk is full.'))
  await expect(mover.ledger.moveAway()).rejects.toThrow()
  expect(await leftProfile(store, swarm.network)).toBeUndefined()
  await job(mover, payee, 1n)
})

test('exporting the ledger alone changes nothing', async () => {
  const { mover, payee } = await open()
  const before = await mover.ledger.exportLedger()
  expect(await mover.ledger.exportLedger()).toEqual(before)
  await job(mover, payee, 1n)
})

test('an identity with an open escrow stays', async () => {
  const { mover, payee } = await open()
  await mover.escrow([[payee, 1n]])
  await expect(mover.ledger.moveAway()).rejects.toThrow('open escrows')
  await job(mover, payee, 1n)
})

test('imported while it lives elsewhere it is for looking at until a quorum has answered, however long that takes', async () => {
  const { mover, payee, peers } = await open({ seatPatienceMs: 50 })
  const file = await mover.ledger.moveAway()
  const first = await importInto(file)
  await mover.restart(first)
  await eventually(() => job(mover, payee, 7n)) // a job waits no longer for the witnesses than the network is patient

  const others = peers.slice(1).map(({ peer }) => peer)
  for (const peer of others) {
    swarm.away.add(peer)
  }
  await mover.restart(await importInto(file))
  swarm.now += 1_000
  const before = await kindsOf(mover)
  await expect(mover.escrow([[payee, 1n]])).rejects.toMatchObject({ code: 'RECOVERING' })
  await eventually(() =>
    expect(swarm.logs.filter((line) => line.includes('did not say where')).length).toBeGreaterThan(6)
  )
  expect(await kindsOf(mover)).toEqual(before)
  for (const peer of others) {
    await swarm.back(peer)
  }
  await eventually(() => mover.escrow([[payee, 1n]]))
  expect(await kindsOf(mover)).toEqual(expect.arrayContaining(['opened', 'escrow']))
  expect((await kindsOf(mover)).filter((kind) => kind === 'opened')).toHaveLength(1)
  expect(swarm.verdicts).toEqual([])
})

const fail = (): never => {
  throw new Error('a record')
}

test('the votes that it gave as a witness move with it', async () => {
  const { mover, peers } = await open()
  const author = await TestChain.create(swarm.network, 9, NOW)
  const members = [mover.peer]
  await author.append({ kind: 'seat', ts: NOW, body: { members, quorum: 1, unsure: true, votes: [] } })
  const branches = await Promise.all(
    [1, 2].map(async (nonce) => {
      const branch = await TestChain.create(swarm.network, 9, NOW)
      await branch.take(author.signedAt(1))
      const body = { witnesses: members, quorum: 1, nonce: new Uint8Array(16).fill(nonce) }
      await branch.append(branch.escrowIntent([[peers[1]?.peer ?? mover.peer, 10n]], NOW, body))
      return branch
    })
  )
  const ask = ({ signed }: TestChain) => {
    const last = signed.at(-1) ?? fail()
    const request = { t: 'certify' as const, record: last, tail: signed.slice(0, -1), evidence: [] }
    return swarm.deliver(author.peer, mover.peer, request)
  }
  const [one, two] = branches
  if (!one || !two) {
    throw new Error('two branches')
  }
  const vote = await ask(one)
  expect(vote.t).toBe('vote')
  const file = await mover.ledger.moveAway()
  await mover.restart(await importInto(file))
  await eventually(async () => expect(await kindsOf(mover)).toContain('opened'))
  await eventually(async () => expect(await ask(one)).toEqual(vote))
  expect((await ask(two)).t).toBe('conflict')
})

test('a file of another network, another identity in the store, and a chain opened with a wrong token are refused', async () => {
  const { mover, payee } = await open()
  const file = decodeIdentityFile(await mover.ledger.moveAway())
  const main = await networkOf(NETWORKS.main)
  await expect(importProfile(memoryStore(), file, main)).rejects.toMatchObject({ code: 'BAD_RECORD' })
  const taken = memoryStore()
  await taken.saveIdentity(Uint8Array.of(1))
  await expect(importProfile(taken, file, swarm.network)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await taken.chain.head()).toBeUndefined()

  const chain = await TestChain.create(swarm.network, 8, NOW)
  const token = new Uint8Array(32).fill(1)
  const next = await sha256(token)
  await chain.append({ kind: 'closed', ts: NOW, body: { next } })
  const opened = (with_: Uint8Array) =>
    sha256(with_).then((shown) => chain.append({ kind: 'opened', ts: NOW, body: { token: with_ } }, shown))
  await expect(opened(new Uint8Array(32))).rejects.toThrow('with its token')
  await expect(chain.append(chain.escrowIntent([[payee.peer, 1n]], NOW))).rejects.toThrow('closed')
  await opened(token)
  await expect(opened(token)).rejects.toThrow('with its token')
})

test('an import that is stopped anywhere is ended by the next start: never a chain without its records, nor a key without its chain', async () => {
  const { mover } = await open()
  const file = decodeIdentityFile(await mover.ledger.moveAway())
  const whole = memoryStore()
  await importProfile(whole, file, swarm.network)
  const expected = await contentsOf(whole)
  for (const moment of ['before', 'after'] as const) {
    let isWhole = false
    for (let at = 0; !isWhole; at++) {
      const store = memoryStore()
      const crashing = new CrashingStore(store)
      crashing.arm(at, moment)
      isWhole = await importProfile(crashing, file, swarm.network).then(
        () => true,
        () => false
      )
      await resumeImport(store)
      const isUntouched = at === 0 && moment === 'before'
      expect(await contentsOf(store)).toEqual(isUntouched ? await contentsOf(memoryStore()) : expected)
    }
  }
})

test('an identity that is here is not disturbed by the file of another one', async () => {
  const { mover, payee } = await open()
  const file = decodeIdentityFile(await mover.ledger.moveAway())
  const store = memoryStore()
  await store.saveIdentity(privateKeyToProtobuf(payee.key))
  const before = await contentsOf(store)
  await expect(importProfile(store, file, swarm.network)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await contentsOf(store)).toEqual(before)
})

async function contentsOf(store: Store) {
  const tables = ['votes', 'contracts', 'certificates', 'meta'] as const
  return {
    identity: await store.identity(),
    chain: await store.chain.range(),
    rows: await Promise.all(tables.map((table) => store.table(table).entries()))
  }
}
