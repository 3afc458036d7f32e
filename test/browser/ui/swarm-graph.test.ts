import { afterEach, describe, expect, it } from 'vitest'
import { cdp, page } from 'vitest/browser'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS, peerId, STATUS } from '../../fixtures/fake-swarm.ts'
import { click, find, running, shown, textOf, unmountAll } from './mount.ts'

const PEER_COUNT = 200

afterEach(async () => {
  await cdp().send('Emulation.setEmulatedMedia', { features: [] })
  await unmountAll()
  await page.viewport(1280, 800)
})

const [relay, provider, other] = PEERS
if (relay === undefined || provider === undefined || other === undefined) throw new Error('no peers')

describe('the picture of the swarm', () => {
  it('has each peer with its connection, the relay apart, and who works for whom', async () => {
    const { app, swarm } = await running()
    swarm.update({
      peers: [...PEERS],
      work: { ...STATUS.work, now: [{ skill: 'mandelbrot', requester: other.peer, units: 2 }] }
    })
    await click(app, '#run-sample')
    swarm.submitted[0]?.emit(
      { type: 'queued', price: 34n, units: 2 },
      { type: 'assigned', unit: 0, provider: provider.peer },
      { type: 'assigned', unit: 1, provider: provider.peer },
      { type: 'verified', unit: 0, provider: provider.peer }
    )
    swarm.update({}) // a real node tells of every event of a job
    const picture = await shown(app, '#swarm-graph[data-peers="3"]')
    const node = (peer: string) => picture.querySelector(`[data-peer="${peer}"]`)
    expect(node(relay.peer)?.querySelector('rect.direct')).not.toBeNull()
    expect(node(provider.peer)?.querySelector('circle.direct')).not.toBeNull()
    expect(node(other.peer)?.querySelector('circle.relayed')).not.toBeNull()
    await shown(
      app,
      '#swarm-graph',
      (graph) => graph.querySelectorAll('[role="img"] .edge.works').length === 2
    )
    expect(picture.querySelector('svg')?.getAttribute('aria-label')).toContain(
      'Work for you: 1. You work for: 1.'
    )
    const row = (peer: string) => textOf(find(app, `#peers [data-peer="${peer}"]`) ?? app)
    expect(row(provider.peer)).toContain('works for you: 1 unit')
    expect(row(other.peer)).toContain('you work for it: 2 units')
    // and no more once the job is over
    await swarm.submitted[0]?.cancel()
    await shown(
      app,
      '#swarm-graph',
      (graph) => graph.querySelectorAll('[role="img"] .edge.works').length === 1
    )
  })

  it(`of ${PEER_COUNT} peers is drawn once, not at every change of a balance`, async () => {
    const { app, swarm } = await running()
    const peers = Array.from({ length: PEER_COUNT }, (_, index) => ({
      ...provider,
      peer: peerId(`12D3KooWPeer${index}`)
    }))
    swarm.update({ peers })
    const rows = () => find(app, '#peers')?.querySelectorAll('[data-peer]').length ?? 0
    await shown(app, '#peers [data-peer]')
    expect(rows()).toBeLessThan(PEER_COUNT) // the table comes in pieces
    await eventually(() => expect(rows()).toBe(PEER_COUNT))
    const picture = await shown(app, `#swarm-graph[data-peers="${PEER_COUNT}"]`)
    expect(picture.querySelectorAll('[data-peer]')).toHaveLength(PEER_COUNT)
    expect(picture.querySelectorAll('g text')).toHaveLength(0)
    picture.scrollIntoView()
    await shown(app, '#swarm-graph', (graph) => graph.querySelector('[data-still]') !== null)
    let changes = 0
    const watch = new MutationObserver((records) => {
      changes += records.length
    })
    watch.observe(picture, { subtree: true, childList: true, attributes: true, characterData: true })
    swarm.update({
      balance: { ...STATUS.balance, settled: 77n },
      peers: peers.map((peer) => ({ ...peer, rttMs: 9 }))
    })
    await shown(app, '#balance-settled[data-microcredits="77"]')
    expect(changes).toBe(0)
    watch.disconnect()
  })

  it('keeps the rows of those who stay while others go', async () => {
    const { app, swarm } = await running()
    swarm.update({ peers: [...PEERS] })
    const rows = () => [...(find(app, '#peers')?.querySelectorAll<HTMLElement>('[data-peer]') ?? [])]
    await eventually(() => expect(rows()).toHaveLength(PEERS.length))
    const [first, ...others] = rows()
    swarm.update({ peers: PEERS.filter(({ peer }) => peer !== first?.dataset.peer) })
    await eventually(() => expect(rows()).toHaveLength(others.length))
    expect(rows()).toEqual(others)
    expect(rows().every((row, index) => row === others[index])).toBe(true)
  })

  /** Where each of them stands. */
  const places = (root: ParentNode) =>
    [...(find(root, '#swarm-graph')?.querySelectorAll('[data-peer]') ?? [])].map((spot) =>
      spot.getAttribute('transform')
    )

  it('stands still once all have their places, and moves only while it is seen', async () => {
    await page.viewport(390, 844)
    const { app, swarm } = await running()
    swarm.update({ peers: [...PEERS] })
    await eventually(() => expect(places(app)).toHaveLength(3))
    const before = places(app)
    for (let frame = 0; frame < 5; frame++) await new Promise((resolve) => requestAnimationFrame(resolve))
    expect(places(app)).toEqual(before)
    await click(app, '#tab-see')
    await shown(app, '#swarm-graph', (graph) => graph.querySelector('[data-still]') !== null)
    expect(places(app)).not.toEqual(before)
    expect(document.getAnimations()).toEqual([])
  })

  it('has all in their places at once for who wants less motion', async () => {
    await cdp().send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-reduced-motion', value: 'reduce' }]
    })
    const { app, swarm } = await running()
    const seen = new Set<string>()
    const watch = new MutationObserver(() => seen.add(places(app).join()))
    watch.observe(await shown(app, 'peer-table').then((table) => table.shadowRoot ?? table), {
      childList: true,
      subtree: true
    })
    swarm.update({ peers: [...PEERS] })
    const graph = await shown(app, 'swarm-graph')
    graph.scrollIntoView()
    watch.observe(graph.shadowRoot ?? graph, { attributes: true, subtree: true })
    await shown(app, '#swarm-graph', (picture) => picture.querySelector('[data-still]') !== null)
    watch.disconnect()
    // where they begin, and where they stay
    expect(seen.size).toBeLessThanOrEqual(2)
  })
})
