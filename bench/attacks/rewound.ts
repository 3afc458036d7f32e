import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createLedger, type LedgerService, Priorities, quorumOf } from '../../src/credit/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import type { PeerIdString, Signed } from '../../src/wire/index.ts'
import { TestChain } from '../../test/fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer, testKey } from '../../test/fixtures/ledger-swarm.ts'
import { NOTHING, type Outcome } from './scenario.ts'

/**
 * One earning, shown once more under a seat of the author's own choice, to ledgers that owe its payer. Gain: what the
 * second provider owes on it then, of what the first one gave.
 */

const STAKE = 1_000n
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }
const DAY = 25 * HOUR
const LOOKS = 200
const LOOK_MS = 10

export async function rewoundAttacks(): Promise<Outcome[]> {
  return [
    {
      ...NOTHING,
      name: 'rewind-by-an-unsure-seat',
      gain: await rewind(false),
      beyond: await rewind(true),
      hold: 'detected',
      ends: 'For a day its author is a stranger, and the witnesses before are asked: one of seven that answers is enough. With all of them bought each provider loses what it owed the payer, once.'
    },
    {
      ...NOTHING,
      name: 'stuffed-seat',
      gain: await stuffed(false),
      beyond: await stuffed(true),
      hold: 'detected',
      ends: 'Votes of names that the provider has not seen work count for nothing: the payer is told the escrow, and knows of the other one. If the payer lies, too, each provider loses what it owed that payer, once.'
    }
  ]
}

interface Verifier {
  readonly ledger: LedgerService
  readonly priorities: Priorities
}

/** A ledger that owes the worker. */
async function verifierOf(swarm: LedgerSwarm, seed: number, worker: PeerIdString): Promise<Verifier> {
  const [store, key, { network }] = [memoryStore(), await testKey(seed), swarm]
  const self = peerIdFromPrivateKey(key).toString() as PeerIdString // of an Ed25519 key
  const now = () => swarm.now
  const priorities = new Priorities({ store, network, self, now })
  const ledger: LedgerService = createLedger({
    store,
    key,
    network,
    now,
    node: swarm.transportOf(() => self),
    followed: (...step) => priorities.follow(...step),
    forked: (peer, healedAt) => void priorities.bar(peer, healedAt),
    knows: (peer) => priorities.edges.has(peer)
  })
  await priorities.learnEdge(worker, { cost: 4n * STAKE, inputBy: 'self', verdict: 'verified' })
  await ledger.start()
  return { ledger, priorities }
}

/** The author's newest record, to a voter. */
async function ask(swarm: LedgerSwarm, of: TestChain, to: PeerIdString): Promise<Signed> {
  const [record, tail] = [of.signedAt(of.head.seq), of.signed.slice(0, -1)]
  const answer = await swarm.deliver(of.peer, to, { t: 'certify', record, tail, evidence: [] })
  if (answer.t !== 'vote') {
    throw new Error(`No vote where one was due: ${JSON.stringify(answer)}`)
  }
  return answer.vote
}

async function copyOf(chain: TestChain, seed: number): Promise<TestChain> {
  const copy = await TestChain.create(chain.network, seed, NOW)
  for (const signed of chain.signed.slice(1)) {
    await copy.take(signed)
  }
  return copy
}

const owed = ({ priorities }: Verifier, author: PeerIdString) =>
  priorities.sharesOf(author).reduce((sum, { amount }) => sum + amount, 0n)

/** The worker pays the author, where nobody else is. */
async function earning(worker: TestChain, author: TestChain): Promise<void> {
  const escrow = await worker.append(worker.escrowIntent([[author.peer, STAKE]], NOW))
  const settle = await worker.append(worker.settleIntent(escrow, [STAKE], NOW))
  await author.claim(worker.certificate(escrow, settle), 0, NOW + 1)
}

/** Spends in sight of seven witnesses; then goes back, and on with a seat of the next provider. */
async function rewind(areBought: boolean): Promise<number> {
  const swarm = await LedgerSwarm.create({ rules: STRICT })
  const [author, worker] = [
    await TestChain.create(swarm.network, 40, NOW),
    await TestChain.create(swarm.network, 41, NOW)
  ]
  const [first, second] = [await verifierOf(swarm, 20, worker.peer), await verifierOf(swarm, 21, worker.peer)]
  const others: TestPeer[] = []
  for (let seed = 10; seed < 16; seed++) {
    others.push(await swarm.add(seed))
  }
  try {
    await earning(worker, author)
    const members = [first.ledger.peer, ...others.map(({ peer }) => peer)]
    const quorum = quorumOf(members.length)
    await author.append({ kind: 'seat', ts: NOW + 1, body: { members, quorum, unsure: true, votes: [] } })
    await ask(swarm, author, first.ledger.peer)
    swarm.now += DAY
    const given = owed(first, author.peer)

    const spent = await copyOf(author, 40)
    const on = first.priorities.offer(author.peer, STAKE)
    await spent.append(
      spent.escrowIntent([[first.ledger.peer, STAKE]], swarm.now, {
        payees: [{ peer: first.ledger.peer, max: STAKE, on }],
        witnesses: members,
        quorum
      })
    )
    for (const peer of members) {
      await ask(swarm, spent, peer)
      if (areBought) {
        swarm.away.add(peer) // they say nothing, as bought ones would
      }
    }
    const body = { members: [second.ledger.peer], quorum: 1, unsure: true, votes: [] }
    await author.append({ kind: 'seat', ts: swarm.now, body })
    await ask(swarm, author, second.ledger.peer)
    if (owed(second, author.peer) > 0n) {
      throw new Error('Under an unsure seat its author is a stranger.')
    }
    for (let looks = 0; !areBought && looks < LOOKS && !swarm.logs.join().includes('has forked'); looks++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    swarm.now += DAY
    return Number(owed(second, author.peer)) / Number(given)
  } finally {
    await Promise.all([swarm.stop(), first.ledger.stop(), second.ledger.stop()])
  }
}

/** Two escrows for one place, certified by the author's own names, each on the same earning. */
async function stuffed(isPayerBought: boolean): Promise<number> {
  const swarm = await LedgerSwarm.create({ rules: STRICT })
  const names = await Promise.all([50, 51, 52].map((seed) => TestChain.create(swarm.network, seed, NOW)))
  const payer = await TestChain.create(swarm.network, 41, NOW)
  const providers = [
    await verifierOf(swarm, 20, payer.peer),
    await verifierOf(swarm, 21, payer.peer)
  ] as const
  if (isPayerBought) {
    await swarm
      .transportOf(() => payer.peer)
      .start({ answer: async () => ({ t: 'ok' }), connected: () => {} })
  } else {
    await swarm.add(41)
  }
  try {
    const members = names.map(({ peer }) => peer)
    const quorum = quorumOf(members.length)
    const author = await TestChain.create(swarm.network, 40, NOW)
    await author.append({ kind: 'seat', ts: NOW, body: { members, quorum, unsure: true, votes: [] } })
    const served: bigint[] = []
    for (const [i, { ledger }] of providers.entries()) {
      const branch = await copyOf(author, 40)
      const escrow = await branch.append(
        branch.escrowIntent([[ledger.peer, STAKE]], NOW, {
          payees: [{ peer: ledger.peer, max: STAKE, on: [{ payer: payer.peer, amount: STAKE / 2n }] }],
          witnesses: members,
          quorum,
          nonce: new Uint8Array(16).fill(i)
        })
      )
      const votes = await Promise.all(names.slice(0, quorum).map((name) => name.vote(escrow, NOW)))
      const shown = { t: 'escrow' as const, escrow: branch.signedAt(branch.head.seq), votes }
      await swarm.deliver(branch.peer, ledger.peer, shown)
      const on = (await ledger.earning(escrow.id))?.on ?? []
      served.push(on.reduce((sum, { amount }) => sum + amount, 0n))
    }
    const [one = 0n, two = 0n] = served
    if (one === 0n) {
      throw new Error('Nothing speaks against the first escrow.')
    }
    return Number(two) / Number(one)
  } finally {
    await Promise.all([swarm.stop(), ...providers.map(({ ledger }) => ledger.stop())])
  }
}
