import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRelay } from '../../relay/index.ts'
import type { Tab } from '../../src/cli/demo/tabs.ts'
import { type Audit, audit } from '../../src/credit/index.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'
import { type KeptBooks, keptBooks } from '../../test/fixtures/kept-books.ts'
import { DIST } from '../../test/fixtures/page-house.ts'
import { Profile } from '../../test/fixtures/profile.ts'
import { Sightings } from './sightings.ts'
import { watchingWitness } from './watching-witness.ts'

const MEET_MS = 60_000
const BOOKS_MS = 60_000
const LOOK_MS = 50
/** On the page's origin, with nothing of ours in it: here a profile is read before its node runs. */
const BARE_PATH = '/healthz'

export interface Visitor {
  readonly profile: Profile
  tab: Tab
}

export interface CrashHouse {
  readonly visitors: readonly [Visitor, Visitor]
  readonly seen: Sightings
  /** Kills the visitor's Chromium. */
  kill(visitor: Visitor): Promise<void>
  /**
   * Opens it again, reads what it kept, then has its node run until it has met everybody. `lost`: places of records
   * that others have seen of it and it has not kept.
   */
  reopen(visitor: Visitor): Promise<{ kept: KeptBooks; lost: readonly number[]; seconds: number }>
  read(visitor: Visitor): Promise<KeptBooks>
  /** The books of both, as soon as they are right in the given way; else as they are after a minute. */
  books(isRight: (sums: Audit) => boolean): Promise<Audit>
}

/** Two visitors with profiles of their own that can hire each other, a relay, and a witness that remembers all it sees. */
export async function withCrashHouse<T>(live: (house: CrashHouse) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-bench-'))
  const stops: Array<() => Promise<unknown>> = []
  try {
    const network = await networkOf(NETWORKS.local)
    const relay = await createRelay({ network, staticFolder: DIST })
    stops.push(() => relay.stop())
    const seen = new Sightings()
    const witness = await watchingWitness(network, relay.multiaddrs, (record) => seen.note(record))
    stops.push(() => witness.stop())

    const read = async ({ profile }: Pick<Visitor, 'profile'>) => {
      const kept = await keptBooks(profile.page, network)
      for (const record of kept.chain) {
        seen.note(record)
      }
      return kept
    }
    const arrive = async (profile: Profile, name: string) => {
      const tab = await profile.start(relay.origin, { name, consent: 'contribute' })
      await met(tab, [witness.peer])
      return tab
    }
    const begin = async (name: string): Promise<Visitor> => {
      const profile = new Profile(join(folder, name))
      stops.push(() => profile.close())
      await profile.open()
      return { profile, tab: await arrive(profile, name) }
    }
    const [one, two] = await Promise.all([begin('one'), begin('two')])
    const visitors = [one, two] as const
    await meetAll(visitors)

    return await live({
      visitors,
      seen,
      read,
      kill: ({ profile }) => profile.kill(),
      async reopen(visitor) {
        const { profile } = visitor
        const begun = performance.now()
        const page = await profile.open()
        await page.goto(`${relay.origin}${BARE_PATH}`)
        const kept = await read(visitor)
        const lost = seen.lostFrom(visitor.tab.peer, kept.chain)
        visitor.tab = await arrive(profile, visitor.tab.name)
        await meetAll(visitors)
        return { kept, lost, seconds: (performance.now() - begun) / 1_000 }
      },
      async books(isRight) {
        const until = performance.now() + BOOKS_MS
        while (true) {
          const kept = [await read(one), await read(two)]
          const sums = audit(
            kept.map(({ chain }) => chain),
            network.parameters
          )
          if ((sums.balanced && isRight(sums)) || performance.now() > until) {
            return sums
          }
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
        }
      }
    })
  } finally {
    for (const stop of stops.toReversed()) {
      await stop()
    }
    await rm(folder, { recursive: true, force: true })
  }
}

async function meetAll([one, two]: readonly [Visitor, Visitor]): Promise<void> {
  await Promise.all([met(one.tab, [two.tab.peer]), met(two.tab, [one.tab.peer])])
}

const met = ({ page }: Tab, peers: readonly string[]) =>
  page.waitForFunction(
    (wanted) =>
      wanted.every((peer) => window.swarmharness?.status.peers.some((other) => other.peer === peer)),
    [...peers],
    { timeout: MEET_MS, polling: LOOK_MS }
  )
