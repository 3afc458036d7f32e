import { verifyEscrow } from '../../src/credit/certificate.ts'
import { Priorities, type VerifiedRecord } from '../../src/credit/index.ts'
import { quorumOf } from '../../src/credit/seat.ts'
import { memoryStore } from '../../src/store/index.ts'
import { DOMAINS, type PeerIdString, type Receipt, type Signed, sign } from '../../src/wire/index.ts'
import { TestChain } from '../../test/fixtures/chains.ts'
import { HOUR, LedgerSwarm, NOW, type TestPeer } from '../../test/fixtures/ledger-swarm.ts'
import { NOTHING, type Outcome } from './scenario.ts'

/**
 * Against seven witnesses of the ledger service itself, some of them bought: these sign whatever is put before them.
 * The author holds its key and forges what it likes. Gain: what it got away with, of the stake of one job.
 */

const SEATS = 7
const BEARS = 2
const STAKE = 1_000n
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

interface Stage {
  readonly swarm: LedgerSwarm
  readonly witnesses: readonly TestPeer[]
  readonly payees: readonly [TestPeer, TestPeer]
  /** The forger: genesis and seat. */
  readonly author: TestChain
  readonly bad: ReadonlySet<PeerIdString>
}

export async function seatedAttacks(): Promise<Outcome[]> {
  const both = async (attack: (stage: Stage) => Promise<number>) => ({
    gain: await staged(BEARS, attack),
    beyond: await staged(BEARS + 1, attack)
  })
  const outcome = (name: string, gains: { gain: number; beyond: number }, ends: string): Outcome => ({
    ...NOTHING,
    name,
    ...gains,
    hold: 'prevented',
    ends,
    bound: 0
  })
  const two =
    'Two certificates need three members that voted twice: their votes are their fork proof, and the two records the author’s.'
  return [
    outcome('double-spend-by-fork', await both(fork), two),
    outcome(
      'double-spend-by-rollback',
      await both(rollback),
      `A profile set back signs a place again; who voted there shows the record that it has. ${two}`
    ),
    outcome(
      'wiped-storage',
      await both(wiped),
      'Key and chain share one database: who wipes it is a stranger. A key that was kept elsewhere begins its chain again, and meets the one that its witnesses know.'
    ),
    outcome(
      'forgetful-witness',
      await both(forgetful),
      'A witness that lost its votes with its identity is a stranger; one that kept the identity and lost the votes counts as bought.'
    ),
    outcome(
      'two-first-seats',
      await both(twoFirstSeats),
      'Both seats may certify, and neither knows of the other: so a first seat is unsure, and its author a stranger for a day; the two seats are a fork proof.'
    ),
    outcome(
      'settle-racing-payouts',
      await both(underpay),
      'Before tClose witnesses want every payee’s release, and never vote below a receipt that they hold.'
    ),
    outcome(
      'outstaying-the-payee',
      await both(outstay),
      'What is receipted and not settled is lodged within half a minute, whoever is connected: at tClose no witness votes for less, and the payee is paid when it is back.'
    ),
    outcome(
      'own-seat-after-the-escrow',
      await both(ownSeat),
      'A later seat is whomever its author names: a payee takes nothing below its receipts from one while the escrow’s own witnesses can pay, and no payment of a time to come.'
    ),
    outcome(
      'refusal-to-vote',
      await both(refusal),
      'Two of seven may be silent and a quorum still answers; a member silent for a minute is replaced.'
    )
  ]
}

async function staged(bad: number, attack: (stage: Stage) => Promise<number>): Promise<number> {
  const swarm = await LedgerSwarm.create({ rules: STRICT })
  const witnesses: TestPeer[] = []
  for (let i = 0; i < SEATS; i++) {
    witnesses.push(await swarm.add(10 + i))
  }
  const payees = [await swarm.add(30), await swarm.add(31)] as const
  const author = await TestChain.create(swarm.network, 40, NOW)
  await author.append(seatIntent(witnesses))
  try {
    return await attack({
      swarm,
      witnesses,
      payees,
      author,
      bad: new Set(witnesses.slice(0, bad).map(({ peer }) => peer))
    })
  } finally {
    await swarm.stop()
  }
}

const seatIntent = (members: readonly TestPeer[]) => ({
  kind: 'seat' as const,
  ts: NOW,
  body: {
    members: members.map(({ peer }) => peer),
    quorum: quorumOf(members.length),
    unsure: true,
    votes: []
  }
})

/** An escrow of everything for one payee, after the chain as it is; the chain itself stays. */
async function branch({ author }: Stage, payee: TestPeer): Promise<TestChain> {
  const copy = await TestChain.create(author.network, 40, NOW)
  for (const signed of author.signed.slice(1)) {
    await copy.take(signed)
  }
  const { members, quorum } = copy.head.seat
  await copy.append(
    copy.escrowIntent([[payee.peer, STAKE]], NOW, {
      witnesses: [...members],
      quorum,
      nonce: new Uint8Array(16).fill(payee.peer.charCodeAt(20))
    })
  )
  return copy
}

/** The votes on the newest record of a branch that these witnesses give. Bought ones sign by their bare key. */
async function votesOn(stage: Stage, chain: TestChain, asked: readonly TestPeer[]): Promise<Signed[]> {
  const record = chain.records.at(-1)
  if (record === undefined) {
    throw new Error('an empty branch')
  }
  const votes: Signed[] = []
  for (const witness of asked) {
    if (stage.bad.has(witness.peer)) {
      votes.push(await forgedVote(chain, witness, record))
      continue
    }
    const answer = await stage.swarm.deliver(chain.peer, witness.peer, {
      t: 'certify',
      record: chain.signedAt(record.record.seq),
      tail: chain.signed.slice(0, -1),
      evidence: []
    })
    if (answer.t === 'vote') {
      votes.push(answer.vote)
    }
  }
  return votes
}

function forgedVote(chain: TestChain, witness: TestPeer, { record, id }: VerifiedRecord): Promise<Signed> {
  return sign(witness.key, DOMAINS.statement, {
    v: 1,
    net: chain.network.hash,
    author: witness.peer,
    ts: NOW,
    kind: 'vote',
    subject: record.author,
    seq: record.seq,
    record: id
  })
}

/** Whether a payee takes that escrow for certified. */
async function isCertified(chain: TestChain, votes: readonly Signed[]): Promise<boolean> {
  try {
    await verifyEscrow({ escrow: chain.signedAt(chain.head.seq), votes }, chain.network)
    return true
  } catch {
    return false // whatever is wrong with it, it is no certificate
  }
}

/** Stakes spent beyond the one that the author has. */
const surplus = (certified: readonly boolean[]) => Math.max(0, certified.filter(Boolean).length - 1)

/** Each honest witness sees one of the two first, then the other: every split is tried. */
async function fork(stage: Stage): Promise<number> {
  const [one, two] = [await branch(stage, stage.payees[0]), await branch(stage, stage.payees[1])]
  const bought = stage.witnesses.filter(({ peer }) => stage.bad.has(peer))
  const honest = stage.witnesses.filter(({ peer }) => !stage.bad.has(peer))
  const half = Math.ceil(honest.length / 2)
  const first = await votesOn(stage, one, [...bought, ...honest.slice(0, half)])
  const second = await votesOn(stage, two, [...bought, ...honest.slice(half), ...honest.slice(0, half)])
  const late = await votesOn(stage, one, honest.slice(half))
  return surplus([await isCertified(one, [...first, ...late]), await isCertified(two, second)])
}

async function rollback(stage: Stage): Promise<number> {
  const [one, two] = [await branch(stage, stage.payees[0]), await branch(stage, stage.payees[1])]
  const before = await isCertified(one, await votesOn(stage, one, stage.witnesses))
  return surplus([before, await isCertified(two, await votesOn(stage, two, stage.witnesses))])
}

/** With the stake spent, the same key begins anew: another genesis, the same seat. */
async function wiped(stage: Stage): Promise<number> {
  const one = await branch(stage, stage.payees[0])
  const again = await TestChain.create(stage.author.network, 40, NOW + 1)
  await again.append({ ...seatIntent(stage.witnesses), ts: NOW + 1 })
  const before = await isCertified(one, await votesOn(stage, one, stage.witnesses))
  const { members, quorum } = again.head.seat
  await again.append(
    again.escrowIntent([[stage.payees[1].peer, STAKE]], NOW + 1, { witnesses: [...members], quorum })
  )
  return surplus([before, await isCertified(again, await votesOn(stage, again, stage.witnesses))])
}

/** The bought ones vote honestly, then lose their stores and keep their keys. */
async function forgetful(stage: Stage): Promise<number> {
  const [one, two] = [await branch(stage, stage.payees[0]), await branch(stage, stage.payees[1])]
  const honestly = { ...stage, bad: new Set<PeerIdString>() }
  const before = await isCertified(one, await votesOn(honestly, one, stage.witnesses))
  return surplus([before, await isCertified(two, await votesOn(stage, two, stage.witnesses))])
}

/** A second chain from the same genesis, with the two payees' side as its seat. */
async function twoFirstSeats(stage: Stage): Promise<number> {
  const one = await branch(stage, stage.payees[0])
  const other = await TestChain.create(stage.author.network, 40, NOW)
  const members = await Promise.all([50, 51, 52].map((seed) => stage.swarm.add(seed)))
  await other.append(seatIntent(members))
  const two = await branch({ ...stage, author: other }, stage.payees[1])
  const certified = [
    await isCertified(one, await votesOn(stage, one, stage.witnesses)),
    await isCertified(two, await votesOn(stage, two, members))
  ]
  // both may be: the rule is the verifier's
  const [payee] = stage.payees
  const verifier = new Priorities({
    store: memoryStore(),
    network: one.network,
    self: payee.peer,
    now: () => NOW
  })
  await verifier.learnEdge(one.peer, { cost: 2n * STAKE, inputBy: 'self', verdict: 'verified' })
  for (const record of one.records) {
    verifier.follow(record)
  }
  return verifier.weightOf(one.peer) > 0 ? surplus(certified) : 0
}

/**
 * A settle that pays nothing looks for votes as soon as the escrow is certified, when the work is receipted and lodged,
 * and at tClose. Without `NOT_RELEASED` it finds them at once, without the look at lodged receipts at tClose.
 */
async function underpay(stage: Stage): Promise<number> {
  const { swarm, witnesses } = stage
  const [payee] = stage.payees
  const chain = await branch(stage, payee)
  const votes = await votesOn(stage, chain, witnesses)
  const escrow = chain.records.at(-1)
  if (escrow?.record.kind !== 'escrow' || !(await isCertified(chain, votes))) {
    throw new Error('the escrow itself is honest')
  }
  const receipt: Receipt = {
    v: 1,
    net: chain.network.hash,
    author: chain.peer,
    ts: NOW,
    kind: 'receipt',
    escrow: escrow.id,
    payee: payee.peer,
    amount: STAKE,
    pairTotal: STAKE
  }
  const signed = await sign(chain.key, DOMAINS.statement, receipt)
  const open = chain.signedAt(chain.head.seq)
  await chain.append(chain.settleIntent(escrow, [0n], NOW))
  const isSettled = async () => (await votesOn(stage, chain, witnesses)).length >= quorumOf(SEATS)
  const early = await isSettled()
  for (const witness of witnesses) {
    await swarm.deliver(payee.peer, witness.peer, { t: 'lodge', escrow: open, votes, receipt: signed })
  }
  const lodged = await isSettled()
  swarm.now = escrow.record.body.tClose
  return early || lodged || (await isSettled()) ? 1 : 0
}

/** An escrow of a whole stake, certified and taken by its payee, and all of it receipted. */
async function receipted(stage: Stage) {
  const { swarm } = stage
  const [payee] = stage.payees
  const chain = await branch(stage, payee)
  const votes = await votesOn(stage, chain, stage.witnesses)
  const [escrow, signed] = [chain.records.at(-1), chain.signedAt(chain.head.seq)]
  if (escrow?.record.kind !== 'escrow') {
    throw new Error('the escrow itself is honest')
  }
  await swarm.deliver(chain.peer, payee.peer, { t: 'escrow', escrow: signed, votes })
  const receipt = await chain.statement(NOW, {
    kind: 'receipt',
    escrow: escrow.id,
    payee: payee.peer,
    amount: STAKE,
    pairTotal: STAKE
  })
  await payee.ledger.acceptReceipt(receipt, chain.peer)
  return { payee, chain, escrow, tClose: escrow.record.body.tClose }
}

/** What its payee has not got of the stake when the witnesses have been asked for it. */
async function withheld({ swarm }: Stage, payee: TestPeer): Promise<number> {
  const before = (await payee.ledger.balance()).settled
  swarm.now += HOUR / 60
  await payee.ledger.maintain()
  const got = (await payee.ledger.balance()).settled - before
  return Number(STAKE - got) / Number(STAKE)
}

/** The author stays connected and settles nothing; its payee goes, is away over tClose, and comes back. */
async function outstay(stage: Stage): Promise<number> {
  const { swarm } = stage
  const { payee, chain, escrow, tClose } = await receipted(stage)
  await payee.ledger.maintain()
  await payee.ledger.maintain()
  swarm.away.add(payee.peer)
  swarm.now = tClose
  await chain.append(chain.settleIntent(escrow, [0n], tClose))
  const given = await votesOn(stage, chain, stage.witnesses)
  await swarm.back(payee.peer)
  return given.length >= quorumOf(SEATS) ? withheld(stage, payee) : 0
}

/** A day after tClose its author pays one microcredit by a seat of its own key. */
async function ownSeat(stage: Stage): Promise<number> {
  const { swarm } = stage
  const { payee, chain, escrow, tClose } = await receipted(stage)
  const own = await TestChain.create(chain.network, 60, NOW)
  const ts = tClose + STRICT.orphanedAfterMs
  swarm.now = ts
  const body = { members: [own.peer], quorum: 1, unsure: true, votes: [] }
  await chain.append({ kind: 'seat', ts, body })
  const settle = await chain.append(chain.settleIntent(escrow, [1n], ts))
  const votes = [await own.vote(settle, ts)]
  const seat = chain.signedAt(chain.head.seq - 1)
  const certificate = { ...chain.certificate(escrow, settle, votes), seat }
  await swarm.deliver(chain.peer, payee.peer, { t: 'paid', certificate, index: 0 })
  return withheld(stage, payee)
}

/** The bought ones say nothing. What is lost is the author's: no certificate. */
async function refusal(stage: Stage): Promise<number> {
  const chain = await branch(stage, stage.payees[0])
  const votes = await votesOn(
    stage,
    chain,
    stage.witnesses.filter(({ peer }) => !stage.bad.has(peer))
  )
  return (await isCertified(chain, votes)) ? 0 : 1
}
