import type { PeerIdString } from '../../src/index.ts'
import type { Network } from '../../src/wire/index.ts'
import { HostilePeer } from '../../test/fixtures/hostile-peer.ts'
import { type PageHouse, rightReceipt, startJob } from '../../test/fixtures/page-house.ts'
import { NOTHING, type Outcome } from './scenario.ts'

/** A requester and an honest provider in tabs of the built page. */
export interface Stage {
  readonly house: PageHouse
  readonly network: Network
  readonly requester: Awaited<ReturnType<PageHouse['tab']>>
  readonly honest: Awaited<ReturnType<PageHouse['tab']>>
}

export const JOB = { side: 512, units: 128 }

export const outcome = (
  name: string,
  gain: number,
  displaced: number,
  ends: string,
  more: Partial<Outcome> = {}
): Outcome => ({ ...NOTHING, name: `${name}@tabs`, gain, displaced, hold: 'prevented', ends, ...more })

/** With one peer that does as it likes, or several. */
export async function withOdd<T>(
  { house, network }: Stage,
  act: (...odd: [HostilePeer, ...HostilePeer[]]) => Promise<T>,
  count = 1
): Promise<T> {
  const start = () => HostilePeer.start(network, house.relay.multiaddrs)
  const [first, ...others] = await Promise.all(Array.from({ length: count }, start))
  if (first === undefined) {
    throw new RangeError('at least one')
  }
  try {
    return await act(first, ...others)
  } finally {
    await Promise.all([first, ...others].map((odd) => odd.stop()))
  }
}

/** A job of the requester's with these, checked and paid in full. @throws where it fails or comes out wrong */
export async function honestJob({ requester }: Stage, providers: readonly PeerIdString[]) {
  await startJob(requester, { ...JOB, providers })
  const receipt = await rightReceipt(requester)
  const { page } = requester
  const retried = await page.evaluate(
    () => window.testJob?.events.filter(({ type }) => type === 'retried').length ?? 0
  )
  return { receipt, retried, isPaidInFull: receipt.paid === receipt.price }
}
