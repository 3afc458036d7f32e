import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openStart, vouched } from '../../../src/credit/chain-start.ts'
import { stateHash } from '../../../src/credit/checkpoint.ts'
import { readStarts } from '../../../src/credit/checkpoints.ts'
import { openExport, replayChain } from '../../../src/credit/index.ts'
import { OwnChain } from '../../../src/credit/own-chain.ts'
import { encodeState } from '../../../src/credit/state-codec.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  type ChainStart,
  type LedgerResponse,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  type Signed
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { HOUR, LedgerSwarm, NOW, SEED, type TestPeer, testKey } from '../../fixtures/ledger-swarm.ts'

let network: Network
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
})

/** A chain under three witnesses, with a checkpoint in its middle that two of them vote for, and gifts around it. */
async function certified(gifts: readonly number[], at: number) {
  const author = await TestChain.create(network, 1, NOW)
  const witnesses = await Promise.all([4, 5, 6].map((seed) => TestChain.create(network, seed, NOW)))
  const members = witnesses.map(({ peer }) => peer)
  await author.append({ kind: 'seat', ts: NOW, body: { members, quorum: 2, unsure: true, votes: [] } })
  let state = author.head
  let place = 0
  for (const [i, amount] of [...gifts, 1].entries()) {
    if (i === Math.min(at, gifts.length)) {
      state = author.head
      place = state.seq + 1
      await author.append({ kind: 'checkpoint', ts: NOW + i, body: { state: await stateHash(state) } })
    }
    const body = {
      to: members[0] ?? author.peer,
      amount: BigInt(amount),
      on: [],
      witnesses: members,
      quorum: 2
    }
    await author.append({ kind: 'transfer', ts: NOW + i, body })
  }
  const checkpoint = author.records[place]
  if (!checkpoint) {
    throw new Error('a checkpoint')
  }
  const votes = await Promise.all(witnesses.slice(0, 2).map((witness) => witness.vote(checkpoint, NOW)))
  const start: ChainStart = { state: encodeState(state), votes }
  return { author, witnesses, members, place, start, tail: author.signed.slice(place) }
}

describe('a chain read from a checkpoint', () => {
  test('comes to the same state as from its genesis', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 6 }),
        fc.nat(6),
        async (gifts, at) => {
          const { author, start, tail } = await certified(gifts, at)
          const [checkpoint] = tail
          if (!checkpoint) {
            throw new Error('a tail')
          }
          const opened = await openStart(start, checkpoint, network)
          expect(vouched(opened, () => true)).toBe(true)
          expect(await replayChain(opened.state, tail, network)).toEqual(author.state)
        }
      )
    ))

  test('is refused with any bit of its state, its votes or its checkpoint changed', async () => {
    const { start, tail } = await certified([5, 7], 1)
    const [checkpoint] = tail
    if (!checkpoint) {
      throw new Error('a tail')
    }
    const flip = (bytes: Uint8Array, at: number, bit: number) => {
      const flipped = bytes.slice()
      const place = at % bytes.byteLength
      flipped[place] = (bytes[place] ?? 0) ^ (1 << bit)
      return flipped
    }
    const part = fc.constantFrom('state', 'vote', 'vote signature', 'checkpoint', 'signature')
    await fc.assert(
      fc.asyncProperty(part, fc.nat(5_000), fc.nat(7), async (which, at, bit) => {
        const [vote, ...others] = start.votes
        if (!vote) {
          throw new Error('a vote')
        }
        const bent = { ...start, votes: [...start.votes] }
        let record = checkpoint
        if (which === 'state') {
          bent.state = flip(start.state, at, bit)
        } else if (which === 'checkpoint') {
          record = { ...checkpoint, payload: flip(checkpoint.payload, at, bit) }
        } else if (which === 'signature') {
          record = { ...checkpoint, signature: flip(checkpoint.signature, at, bit) }
        } else {
          const key = which === 'vote' ? ('payload' as const) : ('signature' as const)
          bent.votes = [{ ...vote, [key]: flip(vote[key], at, bit) }, ...others]
        }
        await expect(openStart(bent, record, network)).rejects.toMatchObject({ code: expect.any(String) })
      }),
      { numRuns: 300 }
    )
  })

  test('needs a quorum of votes of the seat that its state names, of those that count, each once', async () => {
    const { author, witnesses, members, place, start, tail } = await certified([5], 1)
    const [checkpoint] = tail
    const record = author.records[place]
    const [one, two] = start.votes
    const stranger = await TestChain.create(network, 9, NOW)
    if (!checkpoint || !record || !one || !two) {
      throw new Error('a checkpoint')
    }
    const open = (votes: Signed[]) => openStart({ ...start, votes }, checkpoint, network)
    expect(vouched(await open([one]), () => true)).toBe(false)
    expect(vouched(await open([one, two]), (peer) => peer === members[0])).toBe(false)
    await expect(open([one, one])).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    await expect(open([one, await stranger.vote(record, NOW)])).rejects.toMatchObject({
      code: 'BAD_CERTIFICATE'
    })
    const other = author.records[place + 1]
    const elsewhere = other && (await witnesses[2]?.vote(other, NOW))
    await expect(open([one, elsewhere ?? one])).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' })
    const [next] = tail.slice(1)
    await expect(openStart(start, next ?? checkpoint, network)).rejects.toMatchObject({ code: 'BAD_RECORD' })
  })
})

describe('a witness that is new to a long chain', () => {
  let swarm: LedgerSwarm
  afterEach(() => swarm.stop())

  /** @param records of the first one's chain, before it has witnesses */
  async function open(count: number, records = 1) {
    swarm = await LedgerSwarm.create({ seats: true, rules: { seatPatienceMs: 100 } })
    const store = memoryStore()
    const { network, now } = swarm
    const chain = new OwnChain({ store, key: await testKey(1), network, now: () => now })
    await chain.open()
    for (let seq = 1; seq < records; seq++) {
      const body = { members: [], quorum: 0, unsure: true, votes: [] }
      await chain.append((_, ts) => ({ intent: { kind: 'seat', ts, body } }))
    }
    const peers: TestPeer[] = [await swarm.add(1, store)]
    for (let seed = 2; seed <= count; seed++) {
      peers.push(await swarm.add(seed))
    }
    return peers as [TestPeer, TestPeer, ...TestPeer[]]
  }
  async function job(requester: TestPeer, payee: TestPeer): Promise<void> {
    const { escrow } = await requester.escrow([[payee, 10n]])
    const receipt = await requester.ledger.receipt(escrow, payee.peer, 1n)
    await payee.ledger.acceptReceipt(receipt, requester.peer)
    await requester.ledger.settle(escrow, [{ weight: 1n, payees: [0], quorum: 1 }], { seed: SEED })
  }
  /** A day later: its witnesses vote for a checkpoint. */
  async function certify(requester: TestPeer, payee: TestPeer): Promise<void> {
    await job(requester, payee)
    swarm.now += 24 * HOUR
    await job(requester, payee)
    await requester.ledger.maintain()
    await eventually(async () => expect(await readStarts(requester.store)).toHaveLength(1))
  }
  const sentTo = (peer: PeerIdString) =>
    swarm.messages.flatMap(({ to, request }) =>
      to === peer && (request.t === 'certify' || request.t === 'reseat') ? [request] : []
    )

  test('reads it from the checkpoint on the word of those that it knows, and votes on; others read all of it', async () => {
    const [requester, payee] = await open(5, 260)
    await certify(requester, payee)
    const newcomers = [await swarm.add(21), await swarm.add(22), await swarm.add(23)] as const
    swarm.known.set(newcomers[0].peer, new Set())
    swarm.messages.length = 0
    // the larger seat takes them all, once they have been up for an hour
    await requester.ledger.maintain()
    swarm.now += 2 * HOUR
    await eventually(async () => {
      await requester.ledger.maintain()
      await job(requester, payee)
      for (const { peer } of newcomers) {
        expect(sentTo(peer).length).toBeGreaterThan(0)
      }
    })
    await eventually(() => {
      const [unknowing, knowing] = newcomers.map(({ peer }) => sentTo(peer))
      expect(knowing?.some(({ start }) => start !== undefined)).toBe(true)
      expect(knowing?.every(({ tail }) => tail.length < 100)).toBe(true)
      expect(unknowing?.some(({ tail }) => tail.length > 100)).toBe(true)
    })
    for (const { peer } of newcomers) {
      await eventually(async () => {
        const head = await swarm.deliver(payee.peer, peer, { t: 'head', author: requester.peer, after: 0 })
        expect(head.t === 'head' && head.seq).toBeGreaterThan(260)
      })
    }
  })

  test('an export from a checkpoint on verifies; without one it is whole', async () => {
    const [requester, payee] = await open(5)
    expect((await requester.ledger.exportLedger({ from: 'checkpoint' })).start).toBeUndefined()
    await certify(requester, payee)
    const whole = await requester.ledger.exportLedger()
    const cut = await requester.ledger.exportLedger({ from: 'checkpoint' })
    expect(cut.records.length).toBeLessThan(whole.records.length)
    const opened = await openExport(cut, swarm.network)
    expect(await replayChain(opened?.state, cut.records, swarm.network)).toEqual(
      await replayChain(undefined, whole.records, swarm.network)
    )
  })

  test('goes on from a checkpoint past what it has read, where it knows who vouches; else from where it was', async () => {
    swarm = await LedgerSwarm.create()
    const witness = await swarm.add(31)
    const others = await Promise.all([4, 5].map((seed) => TestChain.create(swarm.network, seed, NOW)))
    const author = await TestChain.create(swarm.network, 1, NOW)
    const witnesses = [witness.peer, ...others.map(({ peer }) => peer)]
    await author.append({
      kind: 'seat',
      ts: NOW,
      body: { members: witnesses, quorum: 2, unsure: true, votes: [] }
    })
    const give = () =>
      author.append({
        kind: 'transfer',
        ts: NOW,
        body: { to: others[0]?.peer ?? witness.peer, amount: 1n, on: [], witnesses, quorum: 2 }
      })
    const ask = (seq: number, tail: readonly Signed[], start?: ChainStart) =>
      swarm.deliver(author.peer, witness.peer, {
        t: 'certify',
        record: author.signedAt(seq),
        tail: [...tail],
        evidence: [],
        ...(start && { start })
      })
    await give()
    expect((await ask(2, author.signed.slice(0, 2))).t).toBe('vote')
    await give()
    const state = author.head
    const body = { state: await stateHash(state) }
    const checkpoint = await author.append({ kind: 'checkpoint', ts: NOW, body })
    await give()
    const votes = await Promise.all(others.map((other) => other.vote(checkpoint, NOW)))
    const start = { state: encodeState(state), votes }
    swarm.known.set(witness.peer, new Set(witnesses.slice(0, 2)))
    expect(await ask(5, [author.signedAt(4)], start)).toEqual({ t: 'need', after: 2 })
    swarm.known.set(witness.peer, new Set(witnesses))
    expect((await ask(5, [author.signedAt(4)], start)).t).toBe('vote')
    // an older start than what it knows changes nothing
    await give()
    expect((await ask(6, [author.signedAt(4), author.signedAt(5)], start)).t).toBe('vote')
  })

  test('takes nothing on the word of names that it does not know, whatever the author signs for itself', async () => {
    swarm = await LedgerSwarm.create()
    const victim = await swarm.add(31)
    const { author, members, place, start, tail } = await certified([3, 3], 1)
    const rich = { ...author.head, bal: 2n ** 50n }
    const forged = await TestChain.create(network, 1, NOW)
    for (const signed of author.signed.slice(1, place)) {
      await forged.take(signed)
    }
    forged.state = { ...forged.head, bal: rich.bal }
    const claimed = encodeState(forged.head)
    const checkpoint = await forged.append({
      kind: 'checkpoint',
      ts: NOW + 9,
      body: { state: await stateHash(forged.head) }
    })
    const names = await Promise.all([4, 5].map((seed) => TestChain.create(network, seed, NOW)))
    const votes = await Promise.all(names.map((name) => name.vote(checkpoint, NOW)))
    const last = await forged.append({
      kind: 'seat',
      ts: NOW + 10,
      body: { members: [victim.peer], quorum: 1, unsure: true, votes: [] }
    })
    const ask = (state: Uint8Array, given: Signed[], first: Signed): Promise<LedgerResponse> =>
      swarm.deliver(author.peer, victim.peer, {
        t: 'certify',
        record: forged.signedAt(last.record.seq),
        start: { state, votes: given },
        tail: [first],
        evidence: []
      })
    swarm.known.set(victim.peer, new Set(members.slice(0, 1)))
    const first = forged.signedAt(checkpoint.record.seq)
    expect(await ask(claimed, votes, first)).toEqual({ t: 'need', after: -1 })
    // what does not even fit together is refused
    expect(await ask(start.state, votes, first)).toMatchObject({ t: 'refused', code: expect.any(String) })
    expect(await ask(claimed, start.votes, first)).toMatchObject({ t: 'refused', code: 'BAD_CERTIFICATE' })
    expect(await ask(start.state, start.votes, tail[0] ?? first)).toEqual({ t: 'need', after: -1 })
    // with a quorum of known names behind it the lie is believed: docs/THREAT_MODEL.md
    swarm.known.set(victim.peer, new Set(members.slice(0, 2)))
    expect((await ask(claimed, votes, first)).t).toBe('vote')
  })
})
