import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tab } from '../../src/cli/demo/tabs.ts'
import { createSwarm, matmulI8, type Swarm } from '../../src/index.ts'
import { isProduct, product, statusOf } from '../fixtures/node-house.ts'
import { jobSaw, PageHouse, rightReceipt, startJob } from '../fixtures/page-house.ts'

// Programs in Node and tabs find, hire and pay each other: over WebRTC, where nobody listens, and over WebSocket.

let house: PageHouse
let tab: Tab
let programs: Record<'webrtc' | 'websocket', Swarm>

beforeAll(async () => {
  house = await PageHouse.open()
  const common = { relays: [...house.relay.multiaddrs], backend: 'cpu' as const, workers: 1 }
  const [webrtc, websocket, opened] = await Promise.all([
    createSwarm(common),
    createSwarm({ ...common, listen: ['/ip4/127.0.0.1/tcp/0/ws'], webrtc: false }),
    house.tab({ name: 'tab', consent: 'contribute', backend: 'cpu' })
  ])
  programs = { webrtc, websocket }
  tab = opened
  await Promise.all([webrtc.contribute(), websocket.contribute()])
})
afterAll(async () => {
  await Promise.all([programs?.webrtc.stop(), programs?.websocket.stop()])
  await house?.close()
  await house?.browser.close()
})

const input = product(64)

/** How `swarm` reaches that peer. */
const wayTo = (swarm: Swarm, peer: string) => swarm.status.peers.find((each) => each.peer === peer)

async function hires(swarm: Swarm, peer: Swarm['peer']): Promise<void> {
  const job = swarm.submit(matmulI8, input, { units: 2, providers: [peer] })
  const { value, receipt } = await job.result
  expect(isProduct(value, input)).toBe(true)
  expect(receipt.providers).toMatchObject([{ peer, units: 2, paid: 2n }])
}

describe.each(['webrtc', 'websocket'] as const)('over %s', (transport) => {
  test('a tab hires a program', async () => {
    const program = programs[transport]
    const before = program.status.balance.settled
    await startJob(tab, { side: 64, units: 2, providers: [program.peer] })
    await jobSaw(tab, 'done')
    expect((await rightReceipt(tab)).providers).toMatchObject([{ peer: program.peer, units: 2 }])
    expect(wayTo(program, tab.peer)).toMatchObject({ transport, connection: 'direct' })
    await statusOf(program, ({ balance }) => balance.settled === before + 2n)
  })

  test('a program hires a tab', async () => {
    // the one that speaks no WebRTC is reached by the tab, which has dialled it
    await hires(programs[transport], tab.peer)
    expect(wayTo(programs[transport], tab.peer)).toMatchObject({ transport, connection: 'direct' })
  })
})

test('programs hire each other, without the relay', async () => {
  await hires(programs.webrtc, programs.websocket.peer)
  await house.relay.stop()
  await hires(programs.websocket, programs.webrtc.peer)
  await hires(programs.webrtc, tab.peer)
  await house.restartRelay()
})
