import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { stateHash } from '../../../src/credit/checkpoint.ts'
import { median } from '../../../src/credit/clock.ts'
import { decodeStatement } from '../../../src/credit/envelope.ts'
import { StoreError } from '../../../src/store/index.ts'
import { decodeStrict, type PeerIdString, record } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, NOW, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm | undefined
afterEach(() => swarm?.stop())

async function open(count: number, { seats = true, seesJumps = true } = {}) {
  swarm = await LedgerSwarm.create({ seats })
  swarm.seesJumps = seesJumps
  const peers: TestPeer[] = []
  for (let seed = 1; seed <= count; seed++) {
    peers.push(await swarm.add(seed))
  }
  return { swarm, peers: peers as [TestPeer, TestPeer, ...TestPeer[]] }
}

describe('the clock of an author', () => {
  test('is moved by fewer than half of its witnesses no further than by the others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5_000, max: 5_000 }), { minLength: 1, maxLength: 7 }),
        fc.array(fc.integer(), { maxLength: 6 }),
        (honest, bad) => {
          fc.pre(bad.length < honest.length)
          const middle = median([...honest, ...bad]) ?? Number.NaN
          expect(middle).toBeGreaterThanOrEqual(Math.min(...honest))
          expect(middle).toBeLessThanOrEqual(Math.max(...honest))
        }
      )
    )
  })

  test('that is wrong is set right: an hour behind, it is certified all the same', async () => {
    const { swarm, peers } = await open(5)
    const [late, payee] = peers
    swarm.skew.set(late.peer, -3_600_000)
    const { escrow } = await late.escrow([[payee, 10n]])
    await payee.ledger.acceptReceipt(await late.ledger.receipt(escrow, payee.peer, 10n), late.peer)
    await late.restart()
    expect((await late.escrow([[payee, 10n]])).certifiedBy).toEqual([payee.peer])
    expect(swarm.logs.join()).not.toContain('CLOCK')
  })
})

describe('a clock that is set while its ledger runs', () => {
  const job = async ([author, payee]: readonly [TestPeer, TestPeer, ...TestPeer[]]) => {
    const { escrow } = await author.escrow([[payee, 10n]])
    await payee.ledger.acceptReceipt(await author.ledger.receipt(escrow, payee.peer, 10n), author.peer)
    return escrow
  }
  const lastOf = async ({ ledger }: TestPeer) => {
    const { records } = await ledger.exportLedger()
    const payload = records.at(-1)?.payload ?? expect.unreachable('a record')
    const { ts, seq, kind } = decodeStrict(payload, record, payload.byteLength)
    return { ts, seq, kind }
  }

  test.each([
    ['ahead', HOUR],
    ['back', -HOUR]
  ])('is seen to be, and set right before anything is signed: %s', async (_, skew) => {
    const { swarm, peers } = await open(5)
    const [author] = peers
    const escrow = await job(peers)
    swarm.skew.set(author.peer, skew)
    swarm.now += 20_000
    const units = [{ weight: 10n, payees: [0], quorum: 1 }]
    expect((await author.ledger.settle(escrow, units, { seed: SEED })).certainty).toBe('witnessed')
    expect(await lastOf(author)).toMatchObject({ kind: 'settle', ts: swarm.now })
    swarm.skew.delete(author.peer) // and so when somebody sets it right
    swarm.now += 20_000
    await job(peers)
    expect(await lastOf(author)).toMatchObject({ kind: 'escrow', ts: swarm.now })
    expect(swarm.logs.join()).not.toContain('CLOCK')
  })

  test('and not seen to be, is set right when its witnesses refuse, which keep their seat', async () => {
    const { swarm, peers } = await open(5, { seesJumps: false })
    const [author] = peers
    await job(peers)
    const { seq } = await lastOf(author)
    swarm.now += HOUR // for the others: its own has stopped
    swarm.skew.set(author.peer, -HOUR)
    await job(peers)
    expect(swarm.logs.join()).toContain('CLOCK')
    // the escrow that was refused, its refund, and the second one
    expect(await lastOf(author)).toMatchObject({ kind: 'escrow', seq: seq + 3, ts: swarm.now })
  })
})

test('witnesses a year ahead move nobody: its chain stays in its time, and goes on with others', async () => {
  const { swarm, peers } = await open(3)
  const [author, ...bad] = peers
  const [payee] = bad
  for (const { peer } of bad) {
    swarm.skew.set(peer, 365 * 24 * HOUR)
  }
  await expect(author.escrow([[payee, 10n]])).rejects.toMatchObject({ code: 'CLOCK' })
  expect(await author.ledger.balance()).toMatchObject({ settled: 10_000_000n, escrowed: 0n })
  swarm.skew.clear()
  for (const { peer } of bad) {
    await swarm.back(peer)
  }
  expect((await author.escrow([[payee, 10n]])).certifiedBy).toEqual([payee.peer])
})

test('a seat that cannot be stored fails the escrow by its own name, and leaves nothing behind', async () => {
  const { peers } = await open(5)
  const [payer, payee] = peers
  const full = new StoreError('FULL', 'The storage is full.')
  const append = vi.spyOn(payer.store.chain, 'append').mockRejectedValue(full)
  await expect(payer.escrow([[payee, 10n]])).rejects.toBe(full)
  append.mockRestore()
  expect((await payer.escrow([[payee, 10n]])).certifiedBy).toEqual([payee.peer])
  expect((await payer.ledger.balance()).escrowed).toBe(10n)
})

/** A proof that the peer with this seed has voted twice, known to a peer. */
async function convict(swarm: LedgerSwarm, seed: number, at: TestPeer): Promise<PeerIdString> {
  const voter = await TestChain.create(swarm.network, seed, NOW)
  const seat = (members: PeerIdString[]) =>
    voter.statement(NOW, { kind: 'reseat', subject: at.peer, seq: 1, prev: voter.head.id, members })
  const [one, two] = await Promise.all([seat([at.peer]), seat([voter.peer])])
  const answer = await swarm.deliver(at.peer, at.peer, {
    t: 'forked',
    proof: { kind: 'votes', one: one ?? (await seat([])), two: two ?? (await seat([])) }
  })
  expect(answer.t).toBe('ok')
  return voter.peer
}

describe('a seat of which two have voted twice', () => {
  test('is refused where too few votes are left, and all of them are named', async () => {
    const { swarm, peers } = await open(9)
    const [payer, payee] = peers
    await payer.escrow([[payee, 1n]])
    const shown = swarm.messages.find(
      ({ to, request }) => to === payee.peer && request.t === 'escrow'
    )?.request
    if (shown?.t !== 'escrow') {
      throw new Error('no escrow was shown')
    }
    const voters = shown.votes.map((vote) => decodeStatement(vote, 'vote').author)
    const [voter = payee.peer] = voters.filter((peer) => peer !== payee.peer)
    const seeds = new Map(peers.map(({ peer }, at) => [peer, at + 1]))
    const another = [3, 4].find((seed) => seed !== seeds.get(voter)) ?? 3
    const bad = [await convict(swarm, seeds.get(voter) ?? 0, payee), await convict(swarm, another, payee)]
    const answer = await swarm.deliver(payer.peer, payee.peer, shown)
    expect(answer).toMatchObject({ t: 'refused', code: 'SEAT' })
    for (const peer of bad) {
      expect(answer.t === 'refused' ? answer.message : '').toContain(peer)
    }
    await eventually(() =>
      expect(swarm.verdicts.filter(({ by }) => by === payer.peer).map(({ forked }) => forked)).toEqual(
        expect.arrayContaining(bad)
      )
    )
  })

  test('serves with the votes of the others', async () => {
    const { swarm, peers } = await open(9)
    const [payer, payee] = peers
    await payer.escrow([[payee, 1n]])
    const bad = [await convict(swarm, 3, payee), await convict(swarm, 4, payee)]
    const { certifiedBy } = await payer.escrow([[payee, 10n]])
    expect(certifiedBy).toEqual([payee.peer])
    const taken = swarm.messages.findLast(
      ({ to, request }) => to === payee.peer && request.t === 'escrow'
    )?.request
    const voters = (taken?.t === 'escrow' ? taken.votes : []).map(
      (vote) => decodeStatement(vote, 'vote').author
    )
    expect(voters.filter((peer) => !bad.includes(peer)).length).toBeGreaterThanOrEqual(5)
  })
})

describe('a seat stuffed with own names', () => {
  /** An author whose witnesses are itself, with two escrows for one place; each names the same payer for its payee. */
  async function stuffed(swarm: LedgerSwarm, payees: readonly TestPeer[], payer: PeerIdString) {
    const names = await Promise.all([40, 41, 42].map((seed) => TestChain.create(swarm.network, seed, NOW)))
    const author = await TestChain.create(swarm.network, 9, NOW)
    const members = names.map(({ peer }) => peer)
    await author.append({ kind: 'seat', ts: NOW, body: { members, quorum: 2, unsure: true, votes: [] } })
    return Promise.all(
      payees.map(async ({ peer }, nonce) => {
        const branch = await TestChain.create(swarm.network, 9, NOW)
        await branch.take(author.signedAt(1))
        const intent = branch.escrowIntent([[peer, 100n]], NOW, {
          payees: [{ peer, max: 100n, on: [{ payer, amount: 50n }] }],
          witnesses: members,
          quorum: 2,
          nonce: new Uint8Array(16).fill(nonce)
        })
        const escrow = await branch.append(intent)
        const votes = await Promise.all(names.slice(0, 2).map((name) => name.vote(escrow, NOW)))
        return { author: branch.peer, id: escrow.id, escrow: branch.signedAt(2), votes }
      })
    )
  }

  const show = (
    swarm: LedgerSwarm,
    { author, escrow, votes }: Awaited<ReturnType<typeof stuffed>>[number],
    to: TestPeer
  ) => swarm.deliver(author, to.peer, { t: 'escrow', escrow, votes })

  test('shows one earning to two providers: the payer whom both are to trust tells the second', async () => {
    const { swarm, peers } = await open(3, { seats: false })
    const [one, two, payer] = peers
    for (const { peer } of [one, two]) {
      swarm.known.set(peer, new Set())
    }
    const pair = await stuffed(swarm, [one, two], payer?.peer ?? one.peer)
    const [first, second] = pair
    if (!first || !second) {
      throw new Error('two escrows')
    }
    expect((await show(swarm, first, one)).t).toBe('ok')
    expect((await one.ledger.earning(first.id))?.on).toHaveLength(1)
    expect(await show(swarm, second, two)).toMatchObject({ t: 'refused', code: 'FORK' })
    await eventually(() =>
      expect(swarm.verdicts.filter(({ forked }) => forked === first.author).map(({ by }) => by)).toEqual(
        expect.arrayContaining([one.peer, two.peer])
      )
    )
  })

  test('is served as a stranger where that payer cannot be asked', async () => {
    const { swarm, peers } = await open(3, { seats: false })
    const [one, two, payer] = peers
    swarm.known.set(one.peer, new Set())
    swarm.away.add(payer?.peer ?? two.peer)
    const [first] = await stuffed(swarm, [one], payer?.peer ?? two.peer)
    if (!first) {
      throw new Error('an escrow')
    }
    expect((await show(swarm, first, one)).t).toBe('ok')
    expect((await one.ledger.earning(first.id))?.on).toEqual([])
  })

  test('counts where this node has seen the work of those who sit in it', async () => {
    const { swarm, peers } = await open(3, { seats: false })
    const [one, , payer] = peers
    swarm.away.add(payer?.peer ?? one.peer)
    const [first] = await stuffed(swarm, [one], payer?.peer ?? one.peer)
    if (!first) {
      throw new Error('an escrow')
    }
    expect((await show(swarm, first, one)).t).toBe('ok')
    expect((await one.ledger.earning(first.id))?.on).toHaveLength(1)
  })
})

describe('an unsure seat after a sure one', () => {
  /** An author that has spent in sight of its witnesses, and then, without that, takes a seat of others. */
  async function rewound(
    swarm: LedgerSwarm,
    witness: TestPeer,
    next: TestPeer,
    payees: readonly TestPeer[],
    padding = 0
  ) {
    const chain = async () => {
      const made = await TestChain.create(swarm.network, 50, NOW)
      const body = { members: [witness.peer], quorum: 1, unsure: true, votes: [] }
      await made.append({ kind: 'seat', ts: NOW, body })
      return made
    }
    const ask = (to: TestPeer, of: TestChain) =>
      swarm.deliver(of.peer, to.peer, {
        t: 'certify',
        record: of.signedAt(of.signed.length - 1),
        tail: of.signed.slice(0, -1),
        evidence: []
      })
    const [spent, other] = [await chain(), await chain()]
    for (const [nonce, { peer }] of payees.entries()) {
      const witnesses = [witness.peer]
      await spent.append(
        spent.escrowIntent([[peer, 100n]], NOW, {
          witnesses,
          quorum: 1,
          nonce: new Uint8Array(16).fill(nonce)
        })
      )
    }
    expect((await ask(witness, spent)).t).toBe('vote')
    for (let i = 0; i < padding; i++) {
      const state = await stateHash(other.head)
      await other.append({ kind: 'checkpoint', ts: NOW, body: { state } })
    }
    const members = [next.peer]
    await other.append({ kind: 'seat', ts: NOW + 1, body: { members, quorum: 1, unsure: true, votes: [] } })
    return { author: other, take: () => ask(next, other), goOn: () => ask(next, other) }
  }

  const forkedBy = (swarm: LedgerSwarm, { peer }: TestPeer) =>
    swarm.verdicts.filter(({ by }) => by === peer).map(({ forked }) => forked)

  test('that hides what its witnesses have seen is found by whoever sits in it', async () => {
    const { swarm, peers } = await open(4, { seats: false })
    const [witness, next, ...payees] = peers
    const { author, take } = await rewound(swarm, witness, next, payees)
    expect((await take()).t).toBe('vote')
    await eventually(() => expect(forkedBy(swarm, next)).toContain(author.peer))
    await eventually(() => expect(forkedBy(swarm, witness)).toContain(author.peer))
  })

  test('behind more free records than were spent on the other way is found as well', async () => {
    const { swarm, peers } = await open(4, { seats: false })
    const [witness, next, ...payees] = peers
    const { author, take } = await rewound(swarm, witness, next, payees, 40)
    expect((await take()).t).toBe('vote')
    await eventually(() => expect(forkedBy(swarm, next)).toContain(author.peer))
  })

  test('is looked into again when a witness of before is back, however much was signed meanwhile', async () => {
    const { swarm, peers } = await open(3, { seats: false })
    const [witness, next, payee] = peers
    const { author, take, goOn } = await rewound(swarm, witness, next, [payee ?? next])
    swarm.away.add(witness.peer)
    expect((await take()).t).toBe('vote')
    for (let i = 0; i < 40; i++) {
      const body = { witnesses: [next.peer], quorum: 1, nonce: new Uint8Array(16).fill(100 + i) }
      await author.append(author.escrowIntent([[payee?.peer ?? next.peer, 10n]], NOW + 1, body))
    }
    expect((await goOn()).t).toBe('vote')
    expect(forkedBy(swarm, next)).toEqual([])
    await swarm.back(witness.peer)
    await eventually(() => expect(forkedBy(swarm, next)).toContain(author.peer))
  })

  test('of who has only lost its witnesses accuses nobody', async () => {
    const { swarm, peers } = await open(2, { seats: false })
    const [witness, next] = peers
    const { author, take } = await rewound(swarm, witness, next, [])
    expect((await take()).t).toBe('vote')
    await eventually(() =>
      expect(
        swarm.messages.filter(({ to, request }) => to === witness.peer && request.t === 'records')
      ).toHaveLength(1)
    )
    await next.ledger.maintain()
    expect(forkedBy(swarm, next)).not.toContain(author.peer)
  })
})
