import type { Channel } from '../../src/jobs/channel.ts'
import { type Done, Lane } from '../../src/jobs/pipeline/lane.ts'
import { Referee } from '../../src/jobs/pipeline/referee.ts'
import { skillByName } from '../../src/skills/index.ts'
import type { ForkProof } from '../../src/wire/index.ts'
import { TestChain } from '../../test/fixtures/chains.ts'
import { LedgerSwarm, NOW } from '../../test/fixtures/ledger-swarm.ts'
import { cpuTwins } from '../verify/honest.ts'
import { seeded, unitsOf } from '../verify/jobs.ts'
import { NOTHING, type Outcome } from './scenario.ts'

/**
 * The two places where somebody hears what one peer says of another: a proof of a fork (`ForkBook.told`), and a
 * pipeline's provider that calls the result before it wrong (`Referee`). Displaced: accusations that were believed.
 * With `verifyForkProof` taken out of the one, or `verdicts.look` out of the other, all of that kind are.
 */
export async function slander(seed: number): Promise<Outcome> {
  const proofs = await falseProofs()
  const inputs = await falseAccusations(seed)
  return {
    ...NOTHING,
    name: 'slander',
    gain: 0,
    displaced: Math.max(proofs.believed / proofs.told, inputs.believed / inputs.told),
    hold: 'prevented',
    ends: `Trust is first-hand, and what is told is looked at: of ${proofs.told} false proofs of a fork and ${inputs.told} right inputs called wrong none was believed; who told them is out.`
  }
}

interface Told {
  readonly told: number
  readonly believed: number
}

/** Each as its own teller: who has told one is not listened to again. */
async function falseProofs(): Promise<Told> {
  const swarm = await LedgerSwarm.create()
  const judge = await swarm.add(1)
  const [honest, again, liar] = await Promise.all(
    [60, 60, 61].map((key) => TestChain.create(swarm.network, key, NOW))
  )
  if (honest === undefined || again === undefined || liar === undefined) {
    throw new Error('three chains')
  }
  const first = await honest.append(honest.escrowIntent([[judge.peer, 1n]], NOW))
  await honest.append(honest.settleIntent(first, [1n], NOW))
  await again.append(again.escrowIntent([[judge.peer, 2n]], NOW))
  const other = again.signedAt(1)
  const forged = { ...other, signature: liar.signedAt(0).signature } // never signed by the honest one
  const [genesis, escrow, settle] = [0, 1, 2].map((seq) => honest.signedAt(seq))
  if (genesis === undefined || escrow === undefined || settle === undefined) {
    throw new Error('three records')
  }
  const vote = await honest.vote(first, NOW)
  const sameVote = await honest.vote(first, NOW + 1)
  const proofs: ForkProof[] = [
    { kind: 'records', one: escrow, two: forged },
    { kind: 'records', one: escrow, two: escrow },
    { kind: 'records', one: genesis, two: escrow },
    { kind: 'records', one: genesis, two: settle },
    { kind: 'records', one: escrow, two: liar.signedAt(0) },
    { kind: 'votes', one: vote, two: sameVote },
    {
      kind: 'votes',
      one: vote,
      two: await liar.vote(first, NOW, { author: honest.peer, seq: 1, record: liar.head.id })
    }
  ]
  for (const [i, proof] of proofs.entries()) {
    const teller = await swarm.add(100 + i)
    await swarm.deliver(teller.peer, judge.peer, { t: 'forked', proof })
  }
  const believed = swarm.verdicts.filter(({ by, forked }) => by === judge.peer && forked !== undefined).length
  const slanderers = swarm.verdicts.filter(({ slandered }) => slandered !== undefined).length
  await swarm.stop()
  return { told: proofs.length, believed: believed + proofs.length - slanderers }
}

/** The referee asks no more of a provider's channel than to end it. */
const channelThat = (end: () => void) => ({ end }) as unknown as Channel // its one member that is called

/** A provider of the second stage says of each right result of the first that it is wrong. */
async function falseAccusations(seed: number): Promise<Told> {
  const skill = skillByName('matmul-i8')
  const units = unitsOf(skill, seed)
  const { fast, verify } = await cpuTwins(skill)
  const random = seeded(seed)
  let believed = 0
  for (const unit of units) {
    const result = fast(unit)
    let isOut = false
    const accuser = channelThat(() => {
      isOut = true
    })
    const accused = channelThat(() => {})
    const lane = new Lane(0, { units: [[], []] } as unknown as Lane['plan']) // it only sets aside and frees it
    const referee = new Referee({
      stages: 2,
      verdicts: {
        look: async () => (verify(unit, result, random) ? 'right' : 'wrong'),
        accept: () => {},
        blame: () => {}
      },
      onLane: () => {},
      again: (_, __, guilty) => {
        believed += guilty === accused || !isOut ? 1 : 0
      }
    })
    await referee.judge(accuser, { channel: accused, stage: 0 } as Done, lane) // all that it reads of it
  }
  return { told: units.length, believed }
}
