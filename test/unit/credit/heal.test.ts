import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Audit,
  audit,
  auditExports,
  type Intent,
  type VerifiedRecord
} from '../../../src/credit/index.ts'
import { escrowed } from '../../../src/credit/state.ts'
import type { Store } from '../../../src/store/index.ts'
import { type MicroCredits, NETWORKS, type Network, networkOf, type Signed } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { copyStore } from '../../fixtures/copy-store.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { LedgerSwarm, NOW, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let network: Network
let payee: TestChain
/** Chains that have paid the author, with their certificates for it. */
const sources: Array<{ chain: TestChain; certificate: ReturnType<TestChain['certificate']> }> = []
const EARNED = 700n
const AUTHOR = 1

beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  const author = await TestChain.create(network, AUTHOR, NOW)
  payee = await TestChain.create(network, 2, NOW)
  for (const seed of [3, 4, 5]) {
    const chain = await TestChain.create(network, seed, NOW)
    const escrow = await chain.append(chain.escrowIntent([[author.peer, EARNED]], NOW))
    const settle = await chain.append(chain.settleIntent(escrow, [EARNED], NOW))
    sources.push({ chain, certificate: chain.certificate(escrow, settle) })
  }
})

/** What an author may do; `pick` chooses among what is there. */
type Step =
  | { kind: 'escrow'; amount: number }
  | { kind: 'settle'; pick: number; percent: number }
  | { kind: 'transfer'; amount: number }
  | { kind: 'claim'; pick: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('escrow' as const), amount: fc.integer({ min: 1, max: 6_000_000 }) }),
  fc.record({ kind: fc.constant('settle' as const), pick: fc.nat(9), percent: fc.nat(100) }),
  fc.record({ kind: fc.constant('transfer' as const), amount: fc.integer({ min: 1, max: 6_000_000 }) }),
  fc.record({ kind: fc.constant('claim' as const), pick: fc.nat(2) })
)

/** Does the steps that the rules allow. Returns what they change of what the author has, and the claims made. */
async function walk(chain: TestChain, steps: readonly Step[], nonce: number, ts = NOW + 1) {
  let worth = 0n
  const claims = new Set<number>()
  for (const [i, each] of steps.entries()) {
    switch (each.kind) {
      case 'escrow': {
        const body = { nonce: new Uint8Array(16).fill(nonce * 40 + i) }
        if (BigInt(each.amount) <= chain.head.bal) {
          await chain.append(chain.escrowIntent([[payee.peer, BigInt(each.amount)]], ts, body))
        }
        break
      }
      case 'settle': {
        const open = [...chain.head.openEscrows.keys()]
        const key = open[each.pick % Math.max(1, open.length)]
        const escrow = chain.records.find(({ id }) => id.toString() === key)
        if (escrow?.record.kind === 'escrow') {
          const paid = (escrow.record.body.amount * BigInt(each.percent)) / 100n
          await chain.append(chain.settleIntent(escrow, [paid], ts))
          worth -= paid
        }
        break
      }
      case 'transfer':
        if (BigInt(each.amount) <= chain.head.bal) {
          const body = { to: payee.peer, amount: BigInt(each.amount), on: [], witnesses: [], quorum: 0 }
          await chain.append({ kind: 'transfer', ts, body })
          worth -= BigInt(each.amount)
        }
        break
      case 'claim': {
        const source = sources[each.pick]
        const escrow = source?.chain.records[1]
        if (source && escrow && !chain.head.claimed.has(`${escrow.id}/0`)) {
          await chain.claim(source.certificate, 0, ts)
          worth += EARNED
          claims.add(each.pick)
        }
      }
    }
  }
  return { worth, claims }
}

const worthOf = ({ head }: TestChain): MicroCredits => head.bal - head.debt + escrowed(head)

const branchOf = async (chain: TestChain) => {
  const branch = await TestChain.create(network, AUTHOR, NOW)
  for (const signed of chain.signed.slice(1)) {
    await branch.take(signed)
  }
  return branch
}

async function heal(main: TestChain, other: TestChain, from: number): Promise<VerifiedRecord> {
  const branch = other.records.slice(from)
  const body = {
    head: other.head.id,
    branch: other.signed.slice(from),
    witnesses: [...main.head.sure.members],
    quorum: main.head.sure.quorum
  }
  return main.append({ kind: 'heal', ts: NOW + 2, body }, branch)
}

const sidesOf = ({ minted, balances, openEscrows, certifiedUnclaimed, burned, forfeited, debt }: Audit) => [
  minted,
  balances + openEscrows + certifiedUnclaimed + burned + forfeited - debt
]

test('a heal at a place that 64 divides forgets the claims whose window is over, like all records there', async () => {
  const filler = (ts: number): Intent => ({
    kind: 'seat',
    ts,
    body: { members: [], quorum: 0, unsure: true, votes: [] }
  })
  const main = await TestChain.create(network, AUTHOR, NOW)
  await walk(main, [{ kind: 'claim', pick: 0 }], 0)
  const other = await branchOf(main)
  await other.append(filler(NOW + 2))
  const [until = 0] = main.head.claimed.values()
  for (const ts of [until, until + 1]) {
    const healed = await branchOf(main)
    while (healed.head.seq < 63) {
      await healed.append(filler(NOW + 3))
    }
    const body = { head: other.head.id, branch: other.signed.slice(2), witnesses: [], quorum: 0 }
    await healed.append({ kind: 'heal', ts, body }, other.records.slice(2))
    expect(healed.head.seq).toBe(64)
    expect(healed.head.claimed.size).toBe(ts > until ? 0 : 1)
  }
})

test('all debits of both branches count, shared credits once, and the books add up', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 6 }),
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.array(step, { minLength: 1, maxLength: 6 }),
      async (common, one, two) => {
        const trunk = await TestChain.create(network, AUTHOR, NOW)
        await walk(trunk, common, 0)
        const from = trunk.records.length
        const branches = await Promise.all([branchOf(trunk), branchOf(trunk)])
        const walked = [await walk(branches[0], one, 1), await walk(branches[1], two, 2)]
        const [main, other] =
          branches[0].records.length >= branches[1].records.length ? branches : branches.toReversed()
        if (!main || !other) {
          throw new Error('two branches')
        }
        fc.pre(other.records.length > from)
        await heal(main, other, from)
        const shared = [...(walked[0]?.claims ?? [])].filter((claim) => walked[1]?.claims.has(claim)).length
        const changes = walked.reduce((sum, { worth }) => sum + worth, 0n) - BigInt(shared) * EARNED
        expect(worthOf(main)).toBe(worthOf(trunk) + changes)
        expect(main.head.bal >= 0n && (main.head.debt === 0n || main.head.bal === 0n)).toBe(true)

        const books = audit(
          [main.records, payee.records, ...sources.map(({ chain }) => chain.records)],
          network.parameters
        )
        const [minted, accounted] = sidesOf(books)
        expect(accounted).toBe(minted)
        expect(books.debt).toBe(main.head.debt)
      }
    )
  ))

test('a debt is paid off by what comes in, and nothing is spent until then', async () => {
  const trunk = await TestChain.create(network, AUTHOR, NOW)
  const branches = await Promise.all([branchOf(trunk), branchOf(trunk)])
  for (const [i, branch] of branches.entries()) {
    await walk(branch, [{ kind: 'transfer', amount: i === 0 ? 10_000_000 : 500 }], i)
  }
  await heal(branches[0], branches[1], 1)
  expect([branches[0].head.bal, branches[0].head.debt]).toEqual([0n, 500n])
  await walk(branches[0], [{ kind: 'claim', pick: 0 }], 0, NOW + 3)
  expect([branches[0].head.bal, branches[0].head.debt]).toEqual([EARNED - 500n, 0n])
})

describe('a heal is refused', () => {
  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => 'taken',
      ({ message }: { message: string }) => message
    )
  let trunk: TestChain
  let main: TestChain
  let other: TestChain
  const grow = (chain: TestChain, amounts: readonly number[]) =>
    walk(
      chain,
      amounts.map((amount) => ({ kind: 'escrow', amount })),
      amounts[0] ?? 0
    )
  const growBoth = async () => {
    trunk = await TestChain.create(network, AUTHOR, NOW)
    await grow(trunk, [1, 2])
    ;[main, other] = (await Promise.all([branchOf(trunk), branchOf(trunk)])) as [TestChain, TestChain]
    await grow(main, [3, 3, 3])
    await grow(other, [4, 4])
  }
  const with_ = (branch: Signed[], records: VerifiedRecord[], head = other.head.id) =>
    refusal(
      main.append({ kind: 'heal', ts: NOW + 2, body: { head, branch, witnesses: [], quorum: 0 } }, records)
    )

  test('with a gap, another head, a longer branch, or records of somebody else', async () => {
    await growBoth()
    const { signed, records } = other
    expect(await with_([...signed.slice(3, 4)], records.slice(3, 4))).toContain('up to the head')
    const gap = [2, 4].flatMap((i) => signed[i] ?? [])
    const gapRecords = [2, 4].flatMap((i) => records[i] ?? [])
    expect(await with_(gap, gapRecords)).toContain('up to the head')
    const foreign = payee.records.slice(0, 1)
    expect(await with_(payee.signed.slice(0, 1), foreign, foreign[0]?.id)).toContain('own chain')
    await grow(other, [5, 5])
    expect(await with_(signed.slice(3), records.slice(3))).toContain('end of the longer branch')
  })

  test('under other witnesses than the last sure ones', async () => {
    await growBoth()
    const body = {
      head: other.head.id,
      branch: other.signed.slice(3),
      witnesses: [payee.peer],
      quorum: 1
    }
    expect(await refusal(main.append({ kind: 'heal', ts: NOW + 2, body }, other.records.slice(3)))).toContain(
      'last seat that is sure'
    )
  })
})

describe('a profile that was set back, and signed before it knew', () => {
  let swarm: LedgerSwarm
  afterEach(() => swarm.stop())

  async function job(requester: TestPeer, provider: TestPeer, amount: bigint): Promise<void> {
    const { escrow } = await requester.escrow([[provider, 1_000n]])
    const receipt = await requester.ledger.receipt(escrow, provider.peer, amount)
    await provider.ledger.acceptReceipt(receipt, requester.peer)
    await requester.ledger.settle(escrow, [{ weight: amount, payees: [0], quorum: 1 }], { seed: SEED })
  }
  const kindsOf = async ({ ledger }: TestPeer) => (await auditOf([ledger])).kinds
  const auditOf = async (ledgers: ReadonlyArray<TestPeer['ledger']>) => {
    const exports = await Promise.all(ledgers.map((ledger) => ledger.exportLedger()))
    const { decodeStrict, record, SIGNED_PAYLOAD_MAX } = await import('../../../src/wire/index.ts')
    const kinds = exports.flatMap(({ records }) =>
      records.map(({ payload }) => decodeStrict(payload, record, SIGNED_PAYLOAD_MAX).kind)
    )
    return { kinds, books: await auditExports(exports, swarm.network) }
  }

  /** Six peers: the first one's seat has four of the others, and one is left. */
  async function open() {
    swarm = await LedgerSwarm.create({ seats: true, rules: { seatPatienceMs: 300 } })
    const peers: TestPeer[] = []
    for (let seed = 1; seed <= 6; seed++) {
      peers.push(await swarm.add(seed))
    }
    const [requester] = peers
    const [first] = peers.slice(1)
    if (!requester || !first) {
      throw new Error('peers')
    }
    await job(requester, first, 100n)
    const asked = new Set(
      swarm.messages.flatMap(({ from, to, request }) =>
        from === requester.peer && request.t === 'certify' ? [to] : []
      )
    )
    const others = peers.slice(1)
    const seated = others.filter(({ peer }) => asked.has(peer))
    const [outsider] = others.filter(({ peer }) => !asked.has(peer))
    const [member] = seated
    if (seated.length !== 4 || !outsider || !member) {
      throw new Error(`a seat of four, not ${seated.length}`)
    }
    return { peers, requester, seated, outsider, member }
  }

  /** Signs jobs at home, and others on an old copy while none of the witnesses is there. */
  async function fork(atHome: number, away: number, wrap: (store: Store) => Store = (store) => store) {
    const { peers, requester, seated, outsider, member } = await open()
    const old = await copyStore(requester.store)
    for (let i = 0; i < atHome; i++) {
      await job(requester, member, 10n)
    }
    for (const { peer } of seated) {
      swarm.away.add(peer)
    }
    await requester.restart(wrap(old))
    swarm.now += 1_000
    for (let i = 0; i < away; i++) {
      await job(requester, outsider, 7n)
    }
    const meet = async () => {
      for (const { peer } of seated) {
        await swarm.back(peer)
      }
    }
    return { peers, requester, outsider, member, seated, meet }
  }

  test.each([
    ['longer', 3, 1],
    ['shorter', 1, 3]
  ])('finds its %s branch, heals, pays what both have spent, and goes on', async (_, atHome, away) => {
    const { peers, requester, outsider, member, seated, meet } = await fork(atHome, away)
    await meet()
    await eventually(async () => expect(await kindsOf(requester)).toContain('heal'))
    await job(requester, member, 1n)
    await job(requester, outsider, 1n)
    for (const { ledger } of peers) {
      await ledger.maintain()
    }
    const { books } = await auditOf(peers.map(({ ledger }) => ledger))
    expect(books).toMatchObject({ balanced: true, debt: 0n, openEscrows: 0n })
    const spent = 100n + 10n * BigInt(atHome) + 7n * BigInt(away) + 2n
    expect((await requester.ledger.balance()).settled).toBe(10_000_000n - spent)
    expect(new Set(swarm.verdicts.flatMap(({ forked }) => forked ?? []))).toEqual(new Set([requester.peer]))

    await requester.restart()
    await job(requester, seated[1] ?? member, 5n)
    expect((await kindsOf(requester)).filter((kind) => kind === 'heal')).toHaveLength(1)
  })

  test.each([0, 1, 2, 3].flatMap((at) => [[at, 'before', 3] as const, [at, 'after', 1] as const]))(
    'heals once, whatever write of it a crash falls on (%i, %s)',
    async (at, moment, atHome) => {
      let crashing: CrashingStore | undefined
      const { peers, requester, outsider, member, meet } = await fork(atHome, 2, (store) => {
        crashing = new CrashingStore(store)
        return crashing
      })
      crashing?.arm(at, moment)
      await meet()
      await vi.waitFor(() => expect(crashing?.writes).toBeGreaterThan(at)).catch(() => {}) // it may need fewer
      await requester.restart(crashing?.inner)
      await vi.waitFor(
        async () => {
          await requester.ledger.maintain()
          expect((await kindsOf(requester)).filter((kind) => kind === 'heal')).toHaveLength(1)
        },
        { timeout: 15_000 }
      )
      await vi.waitFor(() => job(requester, member, 1n), { timeout: 15_000 })
      await job(requester, outsider, 1n)
      for (const { ledger } of peers) {
        await ledger.maintain()
      }
      const { books } = await auditOf(peers.map(({ ledger }) => ledger))
      expect(books).toMatchObject({ balanced: true, debt: 0n })
    }
  )
})
