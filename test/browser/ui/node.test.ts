import { afterEach, describe, expect, it } from 'vitest'
import { page } from 'vitest/browser'
import { CONSENT_KEY } from '../../../src/ui/consent.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS, peerId } from '../../fixtures/fake-swarm.ts'
import { click, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const PEER_COUNT = 200

describe('what is earned', () => {
  it('is said to be lost with a private window, until the browser has promised to keep it', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const { app, module } = mount({ init: { isKept: async () => false, keepStorage: () => promise } })
    await click(app, '#consent-start')
    expect(textOf(await shown(app, '#not-promised'))).toContain('private window')
    module.swarm.update({ work: { units: 2, running: 0, verifiedUnits: 1 } })
    resolve(true)
    await eventually(() => expect(find(app, '#not-promised')).toBeUndefined())
    await unmountAll()
    const kept = await running()
    await shown(kept.app, '#balance-settled')
    expect(find(kept.app, '#not-promised')).toBeUndefined()
  })

  it('is kept for good where the browser allows: asked once, at the first credit, and not waited for', async () => {
    let asked = 0
    const keepStorage = () => {
      asked++
      return new Promise<boolean>(() => {}) // a person who does not answer
    }
    const { app, module } = mount({ init: { keepStorage } })
    await click(app, '#consent-start')
    await shown(app, '#state')
    expect(asked).toBe(0)
    for (const verifiedUnits of [0, 1, 2]) {
      module.swarm.update({ work: { units: 2, running: 0, verifiedUnits } })
    }
    await expect.poll(() => asked, { timeout: 10_000 }).toBe(1)
    expect(find(app, '#state')).toBeDefined()
  })
})

describe('the live view', () => {
  it('shows each state by shape and word', async () => {
    const { app, swarm } = await running()
    const shapes = new Set<string>()
    for (const state of ['bootstrapping', 'relayed', 'direct', 'offline'] as const) {
      swarm.update({ state })
      const element = await shown(app, `#state[data-state="${state}"]`)
      expect(textOf(element).toLowerCase()).toContain(state)
      shapes.add(element.querySelector('svg')?.innerHTML ?? '')
    }
    expect(shapes.size).toBe(4)
  })

  it('says that it computes on the CPU for want of a WebGPU adapter', async () => {
    const { app, swarm } = await running()
    expect(textOf(await shown(app, '#device[data-backend="cpu"]'))).toContain('No WebGPU adapter')
    swarm.update({ device: { backend: 'cpu', class: 'cpu-1-software-gpu' } })
    const device = async () => textOf(await shown(app, '#device[data-backend="cpu"]'))
    await expect.poll(device).toContain('Only a software WebGPU adapter')
    swarm.update({ device: { backend: 'webgpu', class: 'webgpu-swiftshader' } })
    expect(textOf(await shown(app, '#device[data-backend="webgpu"]'))).toContain(
      'WebGPU (webgpu-swiftshader)'
    )
  })

  it('does not blame a missing adapter where the address asked for the CPU', async () => {
    const { app } = await running('?backend=cpu')
    expect(textOf(await shown(app, '#device[data-backend="cpu"]'))).not.toContain('No WebGPU')
  })

  it('shows the four balances apart, exactly, even of 40 digits', async () => {
    const { app, swarm } = await running()
    const huge = 1234567890123456789012345678901234567890n
    swarm.update({ balance: { settled: huge, verified: 1n, pending: 2_500_000n, escrowed: 0n } })
    const settled = await shown(app, `#balance-settled[data-microcredits="${huge}"]`)
    expect(textOf(settled).replace(/\D/g, '')).toBe(String(huge))
    expect(textOf(await shown(app, '#balance-verified'))).toBe('0.000001')
    expect(textOf(await shown(app, '#balance-pending'))).toBe('2.500000')
  })

  it('lists peers with connection, transport and skills, and their words as text', async () => {
    const { app, swarm } = await running()
    const skills = ['<b>bold</b>', ...Array.from({ length: 20 }, (_, index) => `skill-${index}`)]
    swarm.update({
      peers: [...PEERS, { ...PEERS[1], peer: peerId('12D3KooWHostile'), skills } as (typeof PEERS)[0]]
    })
    const row = await shown(app, '#peers [data-peer="12D3KooWHostile"]')
    expect(textOf(row)).toContain('<b>bold</b>')
    expect(row.querySelector('b')).toBeNull()
    expect(textOf(row)).toContain('and 15 more')
    expect(find(app, '#peers')?.querySelectorAll('[data-connection="relayed"]')).toHaveLength(1)
  })

  it(`shows ${PEER_COUNT} peers in a box that scrolls`, async () => {
    const { app, swarm } = await running()
    const peers = Array.from({ length: PEER_COUNT }, (_, index) => ({
      peer: peerId(`12D3KooWPeer${index}`),
      connection: 'direct' as const,
      transport: 'webrtc' as const,
      isRelay: false,
      skills: []
    }))
    swarm.update({ peers })
    await shown(app, '#peer-count', (element) => textOf(element) === String(PEER_COUNT))
    const scroll = find(app, '.scroll')
    expect(scroll?.clientHeight).toBeLessThan(scroll?.scrollHeight ?? 0)
  })

  it('pauses, runs and finishes, and moves the power limit', async () => {
    const { app, swarm } = await running()
    await click(app, '#finish[aria-disabled="false"]')
    await click(app, '#run[aria-disabled="false"]')
    await shown(app, '#contributing[data-contributing="true"]')
    const slider = find(find(app, '#power-slider')?.shadowRoot ?? app, '#power')
    if (!(slider instanceof HTMLInputElement)) throw new Error('no slider')
    slider.value = '25'
    slider.dispatchEvent(new Event('input'))
    slider.dispatchEvent(new Event('change'))
    await shown(app, '#pause[aria-disabled="false"]')
    expect(swarm.calls).toEqual(['contribute 0.6', 'finish', 'contribute 0.6', 'contribute 0.25'])
    expect(JSON.parse(localStorage.getItem(CONSENT_KEY) ?? '').power).toBe(25)
  })

  it('runs on where Run is pressed while it finishes; the power alone does not make it', async () => {
    const { app, swarm } = await running()
    await shown(app, '#contributing[data-contributing="true"]')
    const work = Promise.withResolvers<void>()
    swarm.working = work.promise
    await click(app, '#finish[aria-disabled="false"]')
    await shown(app, '#contributing', (element) => textOf(element).includes('Finishing'))
    const slider = find(find(app, '#power-slider')?.shadowRoot ?? app, '#power')
    if (!(slider instanceof HTMLInputElement)) throw new Error('no slider')
    slider.value = '25'
    slider.dispatchEvent(new Event('input'))
    slider.dispatchEvent(new Event('change'))
    await click(app, '#run[aria-disabled="false"]')
    await shown(app, '#contributing', (element) => textOf(element) === 'Contributing')
    work.resolve()
    await shown(app, '#finish[aria-disabled="false"]')
    expect(swarm.status.contributing).toBe(true)
    expect(swarm.calls).toEqual(['contribute 0.6', 'finish', 'contribute 0.25'])
    expect(JSON.parse(localStorage.getItem(CONSENT_KEY) ?? '').auto).toBe(true)
  })

  it('shows its state and the hand on it on the first screen of a phone', async () => {
    await page.viewport(390, 844)
    const { app } = await running()
    for (const id of ['state', 'run', 'pause', 'finish', 'power']) {
      const element = await shown(app, `#${id}`, (each) => each.checkVisibility())
      expect(element.getBoundingClientRect().bottom, id).toBeLessThan(600)
    }
    await page.viewport(1280, 800)
  })

  it('shows why a button failed', async () => {
    const { app, swarm } = await running()
    swarm.failNext = new SwarmError('DEVICE_LOST', 'The device was lost. Run again.')
    await click(app, '#pause[aria-disabled="false"]')
    expect(textOf(await shown(app, '#node-error'))).toContain('DEVICE_LOST')
  })

  it('says goodbye when the page is left', async () => {
    const { app, swarm } = await running()
    app.leave()
    expect(swarm.calls).toContain('stop')
  })
})

describe('the address', () => {
  it('is refused with a notice that does not repeat it, and asks for nothing', async () => {
    const hostile = '?backend=%3Cscript%3Ealert(1)%3C/script%3E&network=evil&power=1e2&utm=1'
    const { app } = mount({ search: hostile })
    await shown(app, '[data-ignored="backend"]')
    expect(find(app, '[data-ignored="network"]')).toBeDefined()
    expect(find(app, '[data-ignored="power"]')).toBeDefined()
    expect(textOf(app.shadowRoot?.querySelector('main') ?? app)).not.toContain('alert(1)')
  })
})
