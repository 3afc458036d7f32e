import type { JobEvent, JobReceipt } from '../../../src/api.ts'
import {
  type Share,
  type ShareInit,
  shareSwarm,
  type View,
  viewSwarm
} from '../../../src/swarm/view/index.ts'
import { LOBBY } from '../../../src/swarm/view/messages.ts'
import { FakeSwarm, peerId, RECEIPT } from '../../fixtures/fake-swarm.ts'

// One tab with the node, others that view it, and tabs that say what they like: all of them in this one.

const { locks } = navigator
export const PROVIDER = peerId('12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo')
export const PRODUCT = { a: new Int8Array(4), b: new Int8Array(4), m: 2, k: 2, n: 2 }
export const receipt: JobReceipt = {
  ...RECEIPT,
  providers: [{ peer: PROVIDER, units: 2, rejected: 0, paid: 34n }]
}

const shares: Share[] = []
const ends: AbortController[] = []
const channels: BroadcastChannel[] = []

/** After each test. */
export function closeTabs(): void {
  for (const share of shares.splice(0)) share.stop()
  for (const end of ends.splice(0)) end.abort()
  for (const channel of channels.splice(0)) channel.close()
}

export function host(
  swarm = new FakeSwarm(),
  { note = () => undefined, obey = async () => true }: Partial<Pick<ShareInit, 'note' | 'obey'>> = {}
) {
  const share = shareSwarm({ swarm, locks, note, obey })
  shares.push(share)
  return { swarm, share }
}

export function guest(onDiffers: () => void = () => {}): Promise<View> & { readonly leave: () => void } {
  const end = new AbortController()
  ends.push(end)
  const view = viewSwarm({ locks, signal: end.signal, onDiffers })
  view.catch(() => {}) // whoever awaits it hears of it
  return Object.assign(view, { leave: () => end.abort() })
}

/** A tab that says what it likes. */
export function raw(name: string): { readonly channel: BroadcastChannel; readonly heard: unknown[] } {
  const channel = new BroadcastChannel(name)
  channels.push(channel)
  const heard: unknown[] = []
  channel.addEventListener('message', ({ data }) => heard.push(data))
  return { channel, heard }
}

export async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const collected: JobEvent[] = []
  for await (const event of events) collected.push(event)
  return collected
}

export const guestsHeld = async () =>
  ((await locks.query()).held ?? []).filter(({ name }) => name?.startsWith(`${LOBBY}/`)).length
