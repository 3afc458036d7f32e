import { afterEach, describe, expect, it } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { HOSTILE, PEERS, peerId, STATUS } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, mount, running, shown, unmountAll } from './mount.ts'

afterEach(async () => {
  await unmountAll()
  await page.viewport(1280, 800)
})

const [, provider] = PEERS
if (provider === undefined) throw new Error('no peers')

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
