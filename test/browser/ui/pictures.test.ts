import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { skillList } from '../../../src/swarm/offered-skills.ts'
import { formatAmount } from '../../../src/ui/format.ts'
import { isPlaneView, type PlaneView, zoomed } from '../../../src/ui/mandelbrot-zoom.ts'
import { pixelsOf } from '../../../src/ui/result-values.ts'
import { RECEIPT } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const VIEW: PlaneView = { x: '-0.65', y: '0', span: '3.2', width: 640, height: 400, iterations: 1000 }
const mandelbrot = skillList().find(({ name }) => name === 'mandelbrot')
const provider = RECEIPT.providers[0]?.peer

describe('a zoom', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 640 }), y: fc.integer({ min: 0, max: 400 }) })

  it('puts the point into the middle', () => {
    fc.assert(
      fc.property(point, (at) => {
        const next = zoomed(VIEW, at, 0.25)
        const step = 3.2 / 640
        expect(Number(next.x)).toBeCloseTo(Math.max(-2, -0.65 + (at.x - 320) * step), 9)
        expect(Number(next.y)).toBeCloseTo(-(at.y - 200) * step, 9)
        expect(Number(next.span)).toBeCloseTo(0.8, 9)
      })
    )
  })

  it('in and out again is where it was, at any depth', () => {
    const middle = { x: 320, y: 200 }
    let view = zoomed(VIEW, { x: 101, y: 55 }, 0.25)
    const [{ x, y }] = [view]
    for (let i = 0; i < 80; i++) view = zoomed(view, middle, 0.25)
    expect(Number(view.span)).toBeLessThan(1e-48)
    for (let i = 0; i < 80; i++) view = zoomed(view, middle, 4)
    expect(view).toMatchObject({ x, y })
  })

  it('gives what the skill accepts, until it ends', () => {
    let view = VIEW
    for (let depth = 0; depth < 60; depth++) {
      view = zoomed(view, { x: 322, y: 199 }, 0.25)
      const issues = mandelbrot?.check(view) ?? []
      if (Number(view.span) > 1e-50) expect(issues).toEqual([])
    }
    expect(zoomed(VIEW, { x: 0, y: 0 }, 4)).toMatchObject({ span: '4', x: '-2' })
  })

  it('is of views only', () => {
    expect(isPlaneView(VIEW)).toBe(true)
    for (const other of [null, {}, { ...VIEW, x: 'x' }, { ...VIEW, width: 1.5 }, { ...VIEW, y: 0 }]) {
      expect(isPlaneView(other)).toBe(false)
    }
  })
})

describe('pixels', () => {
  it('are black in the set, coloured outside, transparent where nothing has come', () => {
    const pixels = pixelsOf({ counts: Uint32Array.of(0, 3, 500), width: 3, height: 1 }, false)
    expect([...pixels.subarray(0, 4)]).toEqual([0, 0, 0, 0])
    expect(pixels[7]).toBe(255)
    expect([...pixels.subarray(8)]).toEqual([0, 0, 0, 255])
  })

  it('show radiance 1 and above as white', () => {
    const pixels = pixelsOf({ radiance: Float32Array.of(1, 5, 16, 0, 0, 0), width: 2, height: 1 }, true)
    expect([...pixels]).toEqual([255, 255, 255, 255, 0, 0, 0, 255])
  })
})

describe('a picture job', () => {
  async function hired(fields: Readonly<Record<string, string>> = {}) {
    const page = await running()
    await click(page.app, '#skill-mandelbrot')
    await shown(page.app, '#iterations')
    for (const [name, value] of Object.entries(fields)) fill(page.app, `#${name}`, value)
    await click(page.app, '#submit-job')
    await shown(page.app, '#job')
    const [job] = page.swarm.submitted
    if (job === undefined || provider === undefined) throw new Error('nothing was submitted')
    return { ...page, job, provider }
  }

  const pixelAt = (canvas: HTMLElement, x: number, y: number) =>
    canvas instanceof HTMLCanvasElement
      ? canvas.getContext('2d')?.getImageData(x, y, 1, 1).data[3]
      : undefined

  it('appears tile by tile, and unit by unit', async () => {
    const { app, job, provider } = await hired()
    const counts = new Uint32Array(640 * 400)
    job.soFar = { counts, width: 640, height: 400 }
    counts.fill(7, 0, 640 * 200)
    job.emit(
      { type: 'queued', price: 10n, units: 3 },
      { type: 'assigned', unit: 1, provider },
      { type: 'assigned', unit: 0, provider },
      { type: 'verified', unit: 0, provider }
    )
    const canvas = await shown(app, '#job-picture', (element) => pixelAt(element, 5, 5) === 255)
    expect(pixelAt(canvas, 5, 300)).toBe(0)
    const cells = [...((await shown(app, '#job-units')).children ?? [])].map(({ className }) => className)
    expect(cells).toEqual(['verified', 'sent', 'waiting'])
    counts.fill(9)
    job.emit({ type: 'verified', unit: 1, provider })
    await shown(app, '#job-picture', (element) => pixelAt(element, 5, 300) === 255)
  })

  it('is zoomed by a click: the swarm renders the next view, and the form shows it', async () => {
    const { app, job, swarm } = await hired()
    expect(find(app, '#zoom-in')).toBeUndefined()
    job.succeed({ counts: new Uint32Array(640 * 400).fill(4), width: 640, height: 400 })
    await shown(app, '#zoom-in')
    const canvas = await shown(app, '#job-picture')
    const { left, top, width, height } = canvas.getBoundingClientRect()
    const at = { clientX: left + width / 4, clientY: top + height / 4 }
    canvas.dispatchEvent(new MouseEvent('click', at))
    const next = zoomed(VIEW, { x: 160, y: 100 }, 0.25)
    await expect.poll(() => swarm.submitted.length).toBe(2)
    const input = swarm.submitted[1]?.input as PlaneView // what the panel submitted for the view
    expect(input).toMatchObject({ span: '0.8', iterations: next.iterations })
    expect(Number(input.x)).toBeCloseTo(Number(next.x), 2)
    const field = await shown(app, '#span')
    await expect.poll(() => (field instanceof HTMLInputElement ? field.value : '')).toBe('0.8')
  })

  it('goes no further out than the whole plane', async () => {
    const { app, job, swarm } = await hired({ span: '4' })
    job.succeed({ counts: new Uint32Array(640 * 400).fill(4), width: 640, height: 400 })
    await click(app, '#zoom-out[aria-disabled="true"]')
    await click(app, '#zoom-in')
    await expect
      .poll(() => swarm.submitted.map(({ input }) => input))
      .toMatchObject([{ span: '4' }, { span: '1' }])
  })

  it('says what the sample costs before it is run', async () => {
    const { app, swarm } = await running()
    for (const { name, price } of swarm.skills) {
      await click(app, `#skill-${name}`)
      const hint = textOf(await shown(app, '#sample-hint', (each) => each.dataset.skill === name))
      await click(app, '#run-sample')
      const job = swarm.submitted.at(-1)
      expect(job?.skill).toBe(name)
      expect(hint).toContain(`Price: ${formatAmount(price(job?.input))}`)
      await job?.cancel()
      await shown(app, '#run-sample[aria-disabled="false"]')
    }
  })

  it('is quoted before it is submitted', async () => {
    const { app, swarm } = await running()
    swarm.quoteNext = {
      price: 1234n,
      units: 9,
      providers: 2,
      measured: 0,
      etaMs: 2_000,
      localEtaMs: 30_000,
      fasterAtHome: false
    }
    await click(app, '#skill-render-tile')
    await shown(app, '#scene')
    await click(app, '#get-quote')
    const quote = textOf(await shown(app, '#quote[data-price="1234"]'))
    for (const words of ['1,234 µcr', '2 s', 'At home it would take', '30 s', '9 units']) {
      expect(quote).toContain(words)
    }
    expect(swarm.quoted[0]).toMatchObject({ skill: 'render-tile', input: { width: 480 } })
    expect(swarm.submitted).toEqual([])
  })

  it('of a scene that is none is refused at its field', async () => {
    const { app, swarm } = await running()
    await click(app, '#skill-render-tile')
    const scene = await shown(app, '#scene')
    if (!(scene instanceof HTMLTextAreaElement)) throw new Error('no text')
    scene.value = '{"camera": "<img src=x onerror=alert(1)>"}'
    scene.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
    await click(app, '#submit-job')
    expect(textOf(await shown(app, '#scene-error', (element) => textOf(element) !== ''))).toContain('Camera')
    expect(swarm.submitted).toEqual([])
  })
})

describe('a job of an earlier visit', () => {
  it('is found again with its receipt, and shown', async () => {
    const first = await running()
    await click(first.app, '#run-sample')
    await shown(first.app, '#job')
    first.swarm.submitted[0]?.succeed({ c: Int32Array.of(5), m: 1, n: 1 })
    await shown(first.app, '#job[data-state="done"]')
    await first.app.withdraw()
    first.swarm.update({ state: 'direct' }) // the fake runs again, with the job that it remembers
    await click(first.app, '#consent-start')
    const row = await shown(first.app, '#earlier-jobs tr[data-state="done"]', (each) =>
      textOf(each).includes('34 µcr')
    )
    row.querySelector('button')?.click()
    await shown(first.app, '#job[data-state="done"]')
    expect(textOf(await shown(first.app, '#job-result'))).toContain('1 × 1')
    expect(textOf(await shown(first.app, '#split'))).toContain('One provider did all of it')
    const bar = await shown(first.app, '#job-progress')
    expect(bar instanceof HTMLProgressElement ? bar.position : undefined).toBe(1)
  })

  it('can be zoomed where it was a view of the plane', async () => {
    const first = await running()
    await click(first.app, '#skill-mandelbrot')
    await shown(first.app, '#iterations')
    await click(first.app, '#submit-job')
    await shown(first.app, '#job')
    first.swarm.submitted[0]?.succeed({ counts: new Uint32Array(640 * 400).fill(4), width: 640, height: 400 })
    await shown(first.app, '#job[data-state="done"]')
    await first.app.withdraw()
    first.swarm.update({ state: 'direct' })
    await click(first.app, '#consent-start')
    expect(textOf(await shown(first.app, '#earlier-jobs'))).toContain('Mandelbrot set')
    await click(first.app, '#earlier-jobs button')
    const next = zoomed(VIEW, { x: 320, y: 200 }, 0.25)
    const price = formatAmount(mandelbrot?.price(next) ?? 0n)
    expect(textOf(await shown(first.app, '#zoom-in'))).toBe(`Zoom in ${price}`)
    await click(first.app, '#zoom-in')
    await expect.poll(() => first.swarm.submitted[1]?.input).toEqual(next)
    expect(first.swarm.submitted[1]).toMatchObject({ skill: 'mandelbrot', options: {} })
  })

  it('that is running still is what one sees', async () => {
    const first = await running()
    await click(first.app, '#run-sample')
    await shown(first.app, '#job')
    await first.app.withdraw()
    first.swarm.update({ state: 'direct' })
    await click(first.app, '#consent-start')
    await shown(first.app, '#job-cancel')
    await shown(first.app, '#run-sample[aria-disabled="true"]')
  })
})
