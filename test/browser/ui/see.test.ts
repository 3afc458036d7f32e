import { afterEach, describe, expect, it, vi } from 'vitest'
import { cdp, page, userEvent } from 'vitest/browser'
import type { Job, PeerInfo } from '../../../src/api.ts'
import { setLanguage } from '../../../src/ui/texts/index.ts'
import { zh } from '../../../src/ui/texts/zh.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS, peerId, STATUS } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

const HOSTILE = '<img src=x onerror="document.title=1"><b>bold</b>'
const PEER_COUNT = 200

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  setLanguage('en')
  await cdp().send('Emulation.setEmulatedMedia', { features: [] })
  await unmountAll()
  await page.viewport(1280, 800)
})

const [relay, provider, other] = PEERS
if (relay === undefined || provider === undefined || other === undefined) throw new Error('no peers')
const near: PeerInfo = { ...provider, rttMs: 40 }

describe('the plots', () => {
  /** Ten seconds of a node that does three units a second, on a clock that the test drives. */
  async function watched() {
    const house = await running()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    // Observed anew, on the clock of now.
    const view = await shown(house.app, 'live-view')
    const parent = view.parentNode
    view.remove()
    parent?.append(view)
    const pass = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        const { work, balance } = house.swarm.status
        house.swarm.update({
          work: { ...work, units: work.units + 3, busyMs: (work.busyMs ?? 0) + 250 },
          balance: { ...balance, settled: balance.settled + 10_000n },
          peers: [near]
        })
        vi.advanceTimersByTime(1_000)
      }
    }
    return { ...house, pass }
  }

  const value = (root: Element | undefined, line: number) =>
    textOf(root?.shadowRoot?.querySelectorAll('.key strong')[line] ?? document.createElement('i'))

  /** Points of the canvas that have the colour of the first line's key. */
  function drawn(plot: Element): number {
    const canvas = plot.shadowRoot?.querySelector('canvas')
    const key = plot.shadowRoot?.querySelector('path.line0')
    if (!canvas || !key || canvas.width === 0) return 0
    const [red, green, blue] = getComputedStyle(key).stroke.match(/\d+/g)?.map(Number) ?? []
    const points = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
    let count = 0
    for (let at = 0; at < points.length; at += 4) {
      if (points[at] === red && points[at + 1] === green && points[at + 2] === blue) count++
    }
    return count
  }

  it('show work, credits, latency and use as lines, and the same in a table', async () => {
    const { app, pass } = await watched()
    pass(10)
    await shown(app, '#plots[data-samples="6"]')
    const work = await shown(app, '#plot-work', (plot) => value(plot, 0) === '3')
    await eventually(() => expect(drawn(work)).toBeGreaterThan(20))
    expect(value(find(app, '#plot-credits'), 0)).toBe('0.1')
    expect(value(find(app, '#plot-latency'), 0)).toBe('40 ms')
    expect(value(find(app, '#plot-use'), 0)).toBe('25%')
    expect(work.shadowRoot?.querySelector('table')).toBeNull()
    work.shadowRoot?.querySelector('summary')?.click()
    const table = await shown(work.shadowRoot ?? work, 'table')
    const cells = (row: Element | null) => [...(row?.children ?? [])].map((cell) => textOf(cell))
    expect(cells(table.querySelector('thead tr'))).toEqual(['Ago', 'for others', 'for you'])
    expect(table.querySelectorAll('tbody tr')).toHaveLength(6)
    expect(cells(table.querySelector('tbody tr'))).toEqual(['0 ms', '3', '0'])
  })

  it('tell what was at the moment under the pointer, all of the same one', async () => {
    const { app, pass } = await watched()
    pass(10)
    await shown(app, '#plots[data-samples="6"]')
    const work = await shown(app, '#plot-work', (plot) => value(plot, 0) === '3')
    const credits = await shown(app, '#plot-credits', (plot) => value(plot, 0) === '0.1')
    await eventually(() => expect(drawn(credits)).toBeGreaterThan(0))
    const over = await shown(work.shadowRoot ?? work, '.u-over')
    const { left, top, width } = over.getBoundingClientRect()
    // ten seconds of the minute that the axis shows: the first sample is five sixths along
    const at = { clientX: left + (width * 5) / 6, clientY: top + 20, bubbles: true }
    over.dispatchEvent(new MouseEvent('mouseenter', at))
    over.dispatchEvent(new MouseEvent('mousemove', at))
    await shown(app, '#plot-credits', (plot) => value(plot, 0) === '0')
    expect(value(work, 0)).toBe('–')
    expect(textOf(work.shadowRoot?.querySelector('.keys') ?? work)).toContain('−10 s')
    over.dispatchEvent(new MouseEvent('mouseleave', at))
    await shown(app, '#plot-credits', (plot) => value(plot, 0) === '0.1')
  })

  it('are written in the language of now, frozen as they may be', async () => {
    const { app, pass } = await watched()
    pass(10)
    await shown(app, '#plot-work', (plot) => value(plot, 0) === '3')
    await click(app, '#freeze')
    await shown(app, '#freeze[aria-pressed="true"]')
    const write = vi.spyOn(CanvasRenderingContext2D.prototype, 'fillText')
    setLanguage('zh')
    await eventually(() => expect(write.mock.calls.map(([text]) => text)).toContain(zh.see.now))
  })

  it('change their colours with the theme', async () => {
    const { app, pass } = await watched()
    pass(10)
    const work = await shown(app, '#plot-work', (plot) => value(plot, 0) === '3')
    await eventually(() => expect(drawn(work)).toBeGreaterThan(20))
    const colour = () => {
      const key = work.shadowRoot?.querySelector('path.line0')
      return key && getComputedStyle(key).stroke
    }
    const light = colour()
    await cdp().send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: 'dark' }]
    })
    await eventually(() => {
      expect(colour()).not.toBe(light)
      expect(drawn(work)).toBeGreaterThan(20)
    })
  })

  it('stand still while they are frozen, and have missed nothing after', async () => {
    const { app, pass } = await watched()
    pass(4)
    await shown(app, '#plots[data-samples="3"]')
    await click(app, '#freeze')
    await shown(app, '#freeze[aria-pressed="true"]')
    pass(4)
    await shown(app, '#peer-count', (element) => textOf(element) === '1')
    expect(find(app, '#plots')?.dataset.samples).toBe('3')
    await click(app, '#freeze')
    await shown(app, '#plots[data-samples="5"]')
  })

  it('have room for a balance of forty digits, and for one that falls', async () => {
    const { app, swarm, pass } = await watched()
    const huge = 1234567890123456789012345678901234567890n
    pass(4)
    swarm.update({ balance: { ...swarm.status.balance, verified: huge, settled: -huge } })
    pass(6)
    await shown(app, '#plots[data-samples="6"]')
    const credits = await shown(app, '#plot-credits', (plot) => value(plot, 1) === '1.23E33')
    expect(value(credits, 0)).toBe('-1.23E33')
    await eventually(() => expect(drawn(credits)).toBeGreaterThan(20))
  })

  it('say so while there is nothing to draw', async () => {
    const { app } = await running()
    const plot = await shown(app, '#plot-latency')
    expect(textOf(await shown(plot.shadowRoot ?? plot, '.none'))).toContain('Not measured yet')
  })
})

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

describe('the log', () => {
  const logged = async () => {
    const house = await running()
    await shown(house.app, '#contributing[data-contributing="true"]')
    house.swarm.update({ peers: [relay] })
    house.swarm.update({ peers: [{ ...provider, peer: peerId(HOSTILE) }], state: 'direct' })
    await click(house.app, '#log > summary')
    await shown(house.app, '#log-lines')
    return house
  }
  const lines = (root: ParentNode) =>
    [...(find(root, '#log-lines')?.children ?? [])].map((line) => textOf(line))

  it('tells what happened, newest first, in the language of now, and strangers’ words as text', async () => {
    const { app } = await logged()
    const shownLines = lines(app)
    expect(shownLines.at(-1)).toContain('Contributes')
    expect(shownLines.at(-2)).toContain('Met …1relay01 (direct)')
    expect(shownLines.at(0)).toContain('…1relay01 has left')
    expect(find(app, '#log')?.querySelector('img, b')).toBeNull()
    setLanguage('zh')
    await shown(app, '#log-lines', () => lines(app).some((line) => line.includes(zh.log.lost('…1relay01'))))
  })

  it('tells of a job once, though it comes as another object each time', async () => {
    const { app, swarm } = await running()
    await click(app, '#run-sample')
    const [job] = swarm.submitted
    if (job === undefined) throw new Error('nothing was submitted')
    job.emit({ type: 'queued', price: 34n, units: 2 })
    job.succeed({ c: new Int32Array(4) })
    const again = (): Job => ({
      id: job.id,
      skill: job.skill,
      state: job.state,
      result: job.result,
      partial: () => undefined,
      why: () => [],
      cancel: () => job.cancel(),
      [Symbol.asyncIterator]: () => job[Symbol.asyncIterator]()
    })
    swarm.jobs = () => [again()]
    for (const settled of [1n, 2n, 3n]) swarm.update({ balance: { ...STATUS.balance, settled } })
    await click(app, '#log > summary')
    const planned = () => lines(app).filter((line) => line.includes('Planned')).length
    await shown(app, '#log-lines', () => lines(app).some((line) => line.includes('Done')))
    expect(planned()).toBe(1)
  })

  it('is filtered by kind and by words', async () => {
    const { app } = await logged()
    const kind = find(app, '#log-kind')
    if (!(kind instanceof HTMLSelectElement)) throw new Error('no filter')
    kind.value = 'peers'
    kind.dispatchEvent(new Event('change'))
    await shown(app, '#log-lines', (list) =>
      [...list.children].every((line) => line instanceof HTMLElement && line.dataset.kind === 'peers')
    )
    fill(app, '#log-words', 'HAS LEFT')
    await shown(app, '#log-lines', (list) => list.children.length === 1)
    fill(app, '#log-words', '<no such words>')
    expect(textOf(await shown(app, '#log-empty'))).toBe('Nothing of that kind.')
  })

  it('is copied as text, oldest first, or says why not', async () => {
    const { app } = await logged()
    const texts: string[] = []
    const write = vi
      .spyOn(navigator.clipboard, 'writeText')
      .mockImplementation(async (text) => void texts.push(text))
    await click(app, '#copy-log')
    await expect.poll(() => texts.length).toBe(1)
    const copied = texts[0]?.split('\n') ?? []
    expect(copied).toHaveLength(lines(app).length)
    expect(copied[1]).toMatch(/^\d{4}-\d\d-\d\dT.*Z Met …1relay01 \(direct\)$/)
    write.mockRejectedValue(new DOMException('no', 'NotAllowedError'))
    await click(app, '#copy-log')
    expect(textOf(await shown(app, '#log-error'))).toContain('NotAllowedError')
  })
})

describe('what is being computed', () => {
  it('has its last tile as a picture, and a stranger’s skill as text', async () => {
    const { app, swarm } = await running()
    const counts = new Uint32Array(8 * 4).fill(3)
    swarm.picture = {
      skill: 'mandelbrot',
      requester: provider.peer,
      output: { counts, width: 8, height: 4 }
    }
    swarm.update({
      work: { ...STATUS.work, units: 5, now: [{ skill: HOSTILE, requester: provider.peer, units: 1 }] }
    })
    const picture = await shown(app, '#unit-picture[data-skill="mandelbrot"]')
    expect(textOf(picture)).toContain('Mandelbrot set')
    const canvas = picture.querySelector('canvas')
    await vi.waitFor(() => {
      const [, , , alpha] = canvas?.getContext('2d')?.getImageData(7, 3, 1, 1).data ?? []
      expect(alpha).toBe(255)
    })
    expect(textOf(await shown(app, '#now'))).toContain('<b>bold</b>')
    expect(find(app, '#now')?.querySelector('img, b')).toBeNull()
    await click(app, '#pause[aria-disabled="false"]')
    await shown(app, 'unit-picture', (element) => element.hidden === true)
  })

  it('is seen in a second tab, too', async () => {
    const first = await running()
    const second = mount()
    await shown(second.app, '#viewing')
    const output = { counts: new Uint32Array(2).fill(3), width: 2, height: 1 }
    first.swarm.picture = { skill: 'mandelbrot', requester: provider.peer, output }
    first.swarm.update({ work: { ...STATUS.work, units: 5 } })
    const view = await shown(second.app, '#work-done[data-units="5"]').then(() =>
      find(second.app, 'live-view')
    )
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const parent = view?.parentNode
    view?.remove()
    if (view !== undefined) parent?.append(view)
    await eventually(() => {
      vi.advanceTimersByTime(2_000)
      expect(find(second.app, '#unit-picture')?.dataset.skill).toBe('mandelbrot')
    })
  })

  it('shows nothing of an output that is no picture, whatever it says', async () => {
    const { app, swarm } = await running()
    swarm.picture = {
      skill: HOSTILE,
      requester: provider.peer,
      output: { counts: HOSTILE, width: 1e9, height: -1 }
    }
    swarm.update({ work: { ...STATUS.work, units: 5 } })
    await shown(app, '#work-done[data-units="5"]')
    expect(find(app, '#unit-picture')).toBeUndefined()
  })
})

describe('on a phone', () => {
  it('the views are tabs: one is shown, by click or by the arrow keys, and none forgets what was typed', async () => {
    await page.viewport(390, 844)
    const { app } = await running()
    await shown(app, '#tab-contribute[aria-selected="true"]')
    const visible = () =>
      ['contribute', 'see', 'hire', 'own'].filter((view) => find(app, `#view-${view}`)?.checkVisibility())
    expect(visible()).toEqual(['contribute'])
    await click(app, '#tab-hire')
    await shown(app, '#view-hire[role="tabpanel"]', (view) => view.checkVisibility())
    expect(visible()).toEqual(['hire'])
    fill(app, '#m', '77')
    find(app, '#tab-hire')?.focus()
    await userEvent.keyboard('{ArrowLeft}')
    await shown(app, '#tab-see[aria-selected="true"]')
    expect(visible()).toEqual(['see'])
    await userEvent.keyboard('{End}')
    await shown(app, '#tab-own[aria-selected="true"]')
    await userEvent.keyboard('{ArrowLeft}')
    const field = await shown(app, '#m', (element) => element.checkVisibility())
    expect(field instanceof HTMLInputElement ? field.value : '').toBe('77')
  })

  it('nothing is wider than the screen, in any view, crowded as it may be', async () => {
    await page.viewport(360, 800)
    const { app, swarm } = await running()
    const huge = 1234567890123456789012345678901234567890n
    swarm.update({
      balance: { settled: huge, verified: huge, pending: huge, escrowed: huge },
      peers: Array.from({ length: 40 }, (_, index) => ({
        ...provider,
        peer: peerId(`12D3KooWPeer${index}`),
        skills: [HOSTILE.repeat(9)]
      })),
      work: { ...STATUS.work, now: [{ skill: HOSTILE.repeat(9), requester: provider.peer, units: 1 }] }
    })
    await shown(app, `#balance-settled[data-microcredits="${huge}"]`)
    await shown(app, '#tab-see')
    for (const view of ['contribute', 'see', 'hire', 'own']) {
      await click(app, `#tab-${view}`)
      await shown(app, `#view-${view}`, (element) => element.checkVisibility())
      expect(document.documentElement.scrollWidth, view).toBeLessThanOrEqual(360)
    }
  })

  it('nor before consent', async () => {
    await page.viewport(360, 800)
    const { app } = mount()
    await shown(app, '#consent-start')
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360)
    expect(find(app, '#language')?.getBoundingClientRect().right).toBeLessThanOrEqual(344)
  })

  it('they are columns again on a wide screen', async () => {
    await page.viewport(390, 844)
    const { app } = await running()
    await shown(app, '#tab-see')
    await page.viewport(1280, 800)
    await shown(app, '#view-see[role="region"]', (view) => view.checkVisibility())
    expect(find(app, '#tab-see')).toBeUndefined()
  })
})
