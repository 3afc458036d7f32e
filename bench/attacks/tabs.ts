import { waitForProviders } from '../../src/cli/demo/tabs.ts'
import { type ChainState, type Intent, nextRecord, replayChain } from '../../src/credit/index.ts'
import { connectDirect } from '../../src/net/index.ts'
import { DOMAINS, NETWORKS, networkOf, protocolId, type Signed, sign } from '../../src/wire/index.ts'
import { HostilePeer, type Lie, SKILL } from '../../test/fixtures/hostile-peer.ts'
import { PageHouse, rightReceipt, startJob } from '../../test/fixtures/page-house.ts'
import { OddChain, show } from './odd-chain.ts'
import type { Outcome } from './scenario.ts'
import { moneyAttacks } from './tabs-money.ts'
import { nameAttacks } from './tabs-names.ts'
import { refusalAttacks } from './tabs-refusals.ts'
import { mustVote, rewoundAttacks, takeSeat } from './tabs-rewound.ts'
import { JOB, outcome, type Stage, withOdd } from './tabs-stage.ts'

/**
 * Against tabs of the built page, in a Chromium: a requester, an honest provider, and one peer that does as it likes.
 * Gain: what it is paid without having worked for it, of an equal share of the job; or escrows certified beyond the
 * one that it has the credit for.
 */

/** With the same liar. */
const JOBS = 2
const STREAMS = 32

export async function tabAttacks(log: (text: string) => void): Promise<Outcome[]> {
  const house = await PageHouse.open()
  try {
    const [honest, requester] = await Promise.all([
      house.tab({ name: 'honest', consent: 'contribute', backend: 'cpu' }),
      house.tab({ name: 'requester', consent: 'hire' })
    ])
    await waitForProviders(requester, [honest.peer], SKILL)
    const stage = { house, network: await networkOf(NETWORKS.local), requester, honest }
    const outcomes: Outcome[] = []
    for (const attack of [wrongResult, tenth, noAnswer, doubleSpend, rollback, endless]) {
      outcomes.push(await attack(stage))
      tell(outcomes.slice(-1), log)
    }
    // the last one moves the clock
    for (const group of [moneyAttacks, refusalAttacks, nameAttacks, rewoundAttacks]) {
      const found = await group(stage)
      outcomes.push(...found)
      tell(found, log)
    }
    return outcomes
  } finally {
    await house.close()
    await house.browser.close()
  }
}

function tell(outcomes: readonly Outcome[], log: (text: string) => void): void {
  for (const { name, gain, displaced, ends } of outcomes) {
    log(`${name}: gain ${gain}, displaced ${displaced}. ${ends}`)
  }
}

/** Jobs of the requester's with the honest tab and with somebody who answers by the lie. */
async function lying({ house, network, requester, honest }: Stage, lie: Lie) {
  const odd = await HostilePeer.start(network, house.relay.multiaddrs)
  try {
    await odd.offer()
    await odd.lie(lie)
    await waitForProviders(requester, [honest.peer, odd.peer], SKILL)
    let [paid, price, rejected] = [0, 0, 0]
    for (let job = 0; job < JOBS; job++) {
      await startJob(requester, { ...JOB, providers: [honest.peer, odd.peer] })
      const receipt = await rightReceipt(requester)
      const share = receipt.providers.find(({ peer }) => peer === odd.peer)
      paid += Number(share?.paid ?? 0n)
      price += Number(receipt.price)
      rejected += share?.rejected ?? 0
    }
    return { gain: (2 * paid) / price, displaced: rejected / (JOBS * JOB.units) }
  } finally {
    await odd.stop()
  }
}

async function wrongResult(stage: Stage): Promise<Outcome> {
  const { gain, displaced } = await lying(stage, (job, unit) =>
    job.answer(unit.index, new Uint8Array(job.compute(unit).length))
  )
  return outcome('wrong-result', gain, displaced, 'One wrong result ends its part in the job, unpaid.')
}

async function tenth(stage: Stage): Promise<Outcome> {
  const { gain, displaced } = await lying(stage, (job, unit) => {
    const result = job.compute(unit)
    return job.answer(unit.index, result.fill(0, Math.ceil(result.length / 10)))
  })
  return outcome('tenth-of-the-work', gain, displaced, 'As above: the check sees the nine tenths.')
}

async function noAnswer(stage: Stage): Promise<Outcome> {
  const { gain, displaced } = await lying(stage, () => {})
  return outcome('refusal-to-answer', gain, displaced, 'Its unit is done elsewhere, and it gets no other.')
}

/** Two escrows for one place, of all that there is, both shown to the tab that they pay, and one after the first. */
async function doubleSpend({ house, network, honest }: Stage): Promise<Outcome> {
  const odd = await HostilePeer.start(network, house.relay.multiaddrs)
  try {
    await odd.meet([honest.peer])
    const { records } = await odd.exportLedger()
    const start = await replayChain(undefined, records, network)
    const escrow = async (state: ChainState | undefined, nonce: number): Promise<Signed> => {
      const ts = Date.now()
      const intent: Intent = {
        kind: 'escrow',
        ts,
        body: {
          jobId: new Uint8Array(16),
          parent: null,
          payees: [{ peer: honest.peer, max: 1_000n, on: [] }],
          amount: 1_000n,
          inputRoot: new Uint8Array(32),
          witnesses: [],
          quorum: 0,
          tClose: ts + 60_000,
          nonce: new Uint8Array(16).fill(nonce)
        }
      }
      return sign(odd.key, DOMAINS.record, nextRecord(state, intent, odd.peer, network))
    }
    const isVotedFor = async (record: Signed, tail: readonly Signed[]) => {
      const answer = await odd.tell(honest.peer, { t: 'certify', record, tail: [...tail], evidence: [] })
      return answer.t === 'vote'
    }
    const [one, two] = await Promise.all([escrow(start, 1), escrow(start, 2)])
    const after = await replayChain(start, [one], network)
    const next = await escrow(after, 4)
    const votes = [
      await isVotedFor(one, records),
      await isVotedFor(two, records),
      await isVotedFor(next, [...records, one]) // honestly on: it is known for a forker by now
    ]
    return outcome(
      'double-spend',
      votes.slice(1).filter(Boolean).length,
      0,
      'Who voted for the one shows it to whoever comes with the other: the two are the proof, and the end of the name.'
    )
  } finally {
    await odd.stop()
  }
}

/** The tab is its seat. Between two escrows that it certifies the store is copied, and after the second set back. */
function rollback(stage: Stage): Promise<Outcome> {
  const { honest } = stage
  return withOdd(
    stage,
    async (odd, payee) => {
      if (payee === undefined) {
        throw new RangeError('two names')
      }
      const channel = [{ peer: payee.peer, max: 1_000n, on: [] }]
      await odd.meet([honest.peer])
      const chain = await OddChain.of(odd)
      await takeSeat(chain, [honest.peer])
      await mustVote(odd, chain, honest.peer)
      await chain.escrow(channel)
      await mustVote(odd, chain, honest.peer)
      const copy = chain.another()
      await chain.escrow(channel)
      await mustVote(odd, chain, honest.peer)
      await copy.escrow(channel)
      const { t } = await show(odd, copy, honest.peer)
      if (t !== 'vote' && t !== 'conflict') {
        throw new Error(`Who has voted shows what for: ${t}`)
      }
      return outcome(
        'double-spend-by-rollback',
        t === 'vote' ? 1 : 0,
        0,
        'A witness has its votes stored: to whoever signs a place again it shows the record that it voted for.',
        { bound: 0 }
      )
    },
    2
  )
}

/** All the streams that one connection may open, on each protocol, with messages too long, or without an end. */
async function endless({ house, network, requester, honest }: Stage): Promise<Outcome> {
  const odd = await HostilePeer.start(network, house.relay.multiaddrs)
  const over = new AbortController()
  try {
    await odd.meet([honest.peer])
    const connection = await connectDirect(odd.node, honest.peer)
    const drip = async (protocol: 'ledger' | 'advert' | 'job', prefix: Uint8Array) => {
      const stream = await connection.newStream(protocolId(network.parameters, protocol))
      stream.send(prefix)
      while (!over.signal.aborted && stream.status === 'open') {
        stream.send(Uint8Array.of(0))
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    const long = Uint8Array.of(0xff, 0xff, 0xff, 0x7f)
    const endlessly = Uint8Array.of(0x80, 0x80, 0x04)
    const drips = (['ledger', 'advert', 'job'] as const).flatMap((protocol) =>
      Array.from(
        { length: STREAMS },
        (_, i) => drip(protocol, i % 2 === 0 ? long : endlessly).catch(() => {}) // refused or cut off: as it should be
      )
    )
    await startJob(requester, { ...JOB, providers: [honest.peer] })
    const { price, paid } = await rightReceipt(requester)
    over.abort()
    await Promise.all(drips)
    return outcome(
      'oversized-and-endless-messages',
      0,
      paid === price ? 0 : 1,
      'Too long a message is cut by its prefix, an endless one by time; the job beside them was done and paid.'
    )
  } finally {
    over.abort()
    await odd.stop()
  }
}
