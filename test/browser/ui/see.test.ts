import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../fixtures/eventually.ts'
import { HOSTILE, PEERS, STATUS } from '../../fixtures/fake-swarm.ts'
import { click, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(async () => {
  vi.useRealTimers()
  await unmountAll()
})

const [, provider] = PEERS
if (provider === undefined) throw new Error('no peers')

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
