import { afterEach, describe, expect, it, vi } from 'vitest'
import { cdp } from 'vitest/browser'
import type { PeerInfo } from '../../../src/api.ts'
import { setLanguage } from '../../../src/ui/texts/index.ts'
import { zh } from '../../../src/ui/texts/zh.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS } from '../../fixtures/fake-swarm.ts'
import { click, find, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  setLanguage('en')
  await cdp().send('Emulation.setEmulatedMedia', { features: [] })
  await unmountAll()
})

const [, provider] = PEERS
if (provider === undefined) throw new Error('no peers')
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
    const work = await shown(app, '#plot-work', (plot) => value(plot, 0) === '3')
    await eventually(() => expect(drawn(work)).toBeGreaterThan(20)) // in English
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
