import { waitForProviders } from '../../src/cli/demo/tabs.ts'
import { connectDirect, request } from '../../src/net/index.ts'
import { kernelHash, skillByName } from '../../src/skills/index.ts'
import {
  ADVERT_MAX,
  DOMAINS,
  type PeerIdString,
  protocolId,
  type Signed,
  SwarmError,
  sign,
  signed
} from '../../src/wire/index.ts'
import { type HostilePeer, SKILL } from '../../test/fixtures/hostile-peer.ts'
import { type Hire, hireFrom } from './hostile-hire.ts'
import type { Outcome } from './scenario.ts'
import { honestJob, JOB, outcome, type Stage, withOdd } from './tabs-stage.ts'

/** Names in numbers, against tabs: they cost nothing, and so they must be worth nothing. */

const NAMES = 10
/** Units that each name would have for nothing. */
const WANTED = 16
const FLOOD = 500
const TRIES = 4
const MESSAGE_MAX = ADVERT_MAX + 1_024
const ADVERT_MS = 180_000
const ASKED_MS = 5_000

export async function nameAttacks(stage: Stage): Promise<Outcome[]> {
  return withOdd(
    stage,
    async (...names) => [await sybil(stage, names), await staleAdverts(stage, names)],
    NAMES
  )
}

/** All names hire the tab at once, pay for nothing, and ask on whose account it would serve them. */
async function sybil(stage: Stage, names: readonly HostilePeer[]): Promise<Outcome> {
  const { honest } = stage
  const hires: Hire[] = []
  for (const name of names) {
    hires.push(await patiently(() => hireFrom(name, honest.peer)))
  }
  const grab = async (name: HostilePeer, at: number) => {
    const hire = hires[at]
    let units = 0
    while (hire !== undefined && units < WANTED && (await hire.unit())) {
      units++
    }
    const terms = await name.tell(honest.peer, { t: 'terms', max: 1_000n })
    await hire?.end()
    return { units, recognised: terms.t === 'terms' ? terms.on.length : 0 }
  }
  const job = honestJob(stage, [honest.peer])
  const grabbed = await Promise.all(names.map(grab))
  const { isPaidInFull } = await job
  const units = grabbed.reduce((sum, each) => sum + each.units, 0)
  const recognised = grabbed.reduce((sum, each) => sum + each.recognised, 0)
  return outcome(
    `sybil-${NAMES}`,
    recognised,
    isPaidInFull ? 0 : 1,
    `${NAMES} names that pay for nothing got ${units} units, one window each, as strangers; the job beside them was done and paid.`,
    { strangers: units / (units + JOB.units), hold: 'no profit' }
  )
}

/** A name that came a moment ago may have no witness yet, and a busy tab may be late. @throws as the last try does */
async function patiently(hire: () => Promise<Hire | undefined>): Promise<Hire> {
  for (let tries = 1; ; tries++) {
    try {
      const found = await hire()
      if (found !== undefined) {
        return found
      }
      if (tries === TRIES) {
        throw new Error('The tab takes no job of the names: nothing is shown.')
      }
    } catch (error) {
      if (tries === TRIES || !(error instanceof SwarmError) || !error.retryable) {
        throw error
      }
    }
  }
}

/** One name tells adverts without end, its own and others'; all of them offer a skill, and are gone when it is wanted. */
async function staleAdverts(stage: Stage, names: readonly HostilePeer[]): Promise<Outcome> {
  const { requester, honest } = stage
  const [flooder, ...lures] = names
  if (flooder === undefined) {
    throw new RangeError('at least one name')
  }
  await Promise.all(names.map((name) => name.meet([requester.peer])))
  await Promise.all(lures.map((name) => name.offer()))
  const gone = lures.map(({ peer }) => peer)
  await waitForProviders(requester, [honest.peer, ...gone], SKILL)
  const told = await flood(stage, flooder, lures)
  await Promise.all(lures.map((name) => name.stop()))
  const { isPaidInFull, receipt, retried } = await honestJob(stage, [honest.peer, ...gone])
  const paid = receipt.providers.filter(({ peer }) => gone.includes(peer)).length
  return outcome(
    'stale-advert-flood',
    paid,
    isPaidInFull ? retried / JOB.units : 1,
    `Nobody says an advert for another: of ${FLOOD} told ${told} were heard, of which a tab checks twenty and two a second; ${lures.length} of ${lures.length + 1} providers were gone, and ${retried} units went elsewhere.`,
    { hold: 'bounded' }
  )
}

/** @returns adverts that the tab heard: it answers with its own */
async function flood({ network, requester }: Stage, flooder: HostilePeer, others: readonly HostilePeer[]) {
  const kernel = await kernelHash(skillByName(SKILL))
  const connection = await connectDirect(flooder.node, requester.peer)
  const advert = (author: HostilePeer, seq: number): Promise<Signed> => {
    const ts = Date.now() - (seq % 3 === 0 ? 2 * ADVERT_MS : 0)
    return sign(author.key, DOMAINS.advert, {
      v: 1,
      net: network.hash,
      peer: author.peer,
      seq: ts + seq,
      ts,
      expires: ts + ADVERT_MS,
      skills: [{ name: SKILL, version: '1.0.0', kernel, rate: 1 }],
      device: { backend: 'webgpu', class: 'webgpu-none', memory: 0 },
      load: 0,
      uptime: seq
    })
  }
  const tell = async (mine: Signed) => {
    const stream = await connection.newStream(protocolId(network.parameters, 'advert'))
    return request(
      stream,
      signed,
      { t: 'advert', mine },
      { maxBytes: MESSAGE_MAX, signal: AbortSignal.timeout(ASKED_MS) }
    )
  }
  let told = 0
  for (let i = 0; i < FLOOD; i++) {
    const author = i % 2 === 0 ? flooder : (others[i % others.length] ?? flooder)
    // refused, cut off or answered: all the same to who floods
    told += await tell(await advert(author, i)).then(
      () => 1,
      () => 0
    )
  }
  const listed = await requester.page.evaluate(
    (peer) => window.swarmharness?.status.peers.filter((each) => each.peer === peer).length ?? 0,
    flooder.peer as PeerIdString
  )
  if (listed > 1) {
    throw new Error('one name is listed twice')
  }
  return told
}
