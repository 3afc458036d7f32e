import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { page } from 'vitest/browser'
import { CONSENT_KEY, ConsentStore } from '../../../src/ui/consent.ts'
import { RULES_KEY } from '../../../src/ui/contributor.ts'
import { formatCredits } from '../../../src/ui/format.ts'
import { LOCK_NAME } from '../../../src/ui/lock.ts'
import { FIRST_RULES, parseRules } from '../../../src/ui/pause-rules.ts'
import { parseQuery } from '../../../src/ui/query.ts'
import { MICROCREDITS_PER_CREDIT, SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS, peerId, RECEIPT } from '../../fixtures/fake-swarm.ts'
import { click, find, type Mounted, mount, running, shown, textOf, unmountAll } from './mount.ts'

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

describe('a second tab', () => {
  const viewing = (page: Mounted) => shown(page.app, '#viewing')

  it('shows the node of the first, starts none, and takes over at a click when the first has stopped', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    expect(second.module.inits).toEqual([])
    first.swarm.update({ balance: { settled: 5n, verified: 0n, pending: 0n, escrowed: 0n }, peers: PEERS })
    await shown(second.app, '#balance-settled[data-microcredits="5"]')
    await shown(second.app, `#peers [data-peer="${PEERS[1]?.peer}"]`)

    await first.swarm.stop()
    await click(second.app, '#take-over')
    await shown(second.app, '#app[data-phase="running"]')
    expect(second.module.inits).toHaveLength(1)
    // and the first shows it now
    await click(first.app, '#start-again')
    await viewing(first)
  })

  it('keeps the lock that it took over, however late its wait for another node ends', async () => {
    const first = await running()
    let gate = Promise.resolve()
    const places: Array<Promise<unknown>> = []
    const request = (...given: [string, ...unknown[]]) => {
      const ask = () => Reflect.apply(navigator.locks.request, navigator.locks, given)
      if (given[0] === LOCK_NAME) return ask()
      const place = gate.then(ask)
      places.push(place)
      return place
    }
    const second = mount({
      init: { locks: { request, query: () => navigator.locks.query() } as LockManager }
    })
    await viewing(second)
    const { promise, resolve: open } = Promise.withResolvers<void>()
    gate = promise
    await first.swarm.stop()
    await click(second.app, '#take-over')
    await shown(second.app, '#app[data-phase="running"]')
    open()
    await Promise.all(places) // until each was left
    await new Promise((resolve) => setTimeout(resolve))
    const { held } = await navigator.locks.query()
    expect(held?.map(({ name }) => name)).toContain(LOCK_NAME)
  })

  it('hires through the first', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    await click(second.app, '#run-sample[aria-disabled="false"]')
    await shown(second.app, '#job')
    await eventually(() => expect(first.swarm.submitted).toHaveLength(1))
    const [job] = first.swarm.submitted
    job?.emit({ type: 'queued', price: 34n, units: 2 }, { type: 'progress', done: 1, of: 2 })
    await shown(second.app, '#job[data-state="running"]')
    job?.succeed({ c: new Int32Array(4) }, { ...RECEIPT, providers: [] })
    await shown(second.app, '#job[data-state="done"]')
    await shown(second.app, '#job-receipt[data-paid="34"]')
  })

  it('has its orders carried out in the first, where the choice is kept', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    await click(second.app, '#pause[aria-disabled="false"]')
    await shown(second.app, '#contributing[data-contributing="false"]')
    expect(first.swarm.calls).toEqual(['contribute 0.6', 'pause'])
    expect(new ConsentStore(() => localStorage).read()?.auto).toBe(false)
    await click(second.app, '#run[aria-disabled="false"]')
    await shown(first.app, '#contributing[data-contributing="true"]')
    first.tell({ battery: true })
    await shown(second.app, '#contributing[data-paused="battery"]')
    await click(second.app, '#run-anyway')
    await shown(second.app, '#contributing[data-contributing="true"]')
    expect(second.swarm.calls).toEqual([])
  })

  it('changes one rule at a time, so that two hands undo nothing of each other', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    for (const id of ['#serve-mandelbrot', '#serve-knn-i8', '#rest-onMetered']) await click(second.app, id)
    await click(first.app, '#rest-onBattery')
    await eventually(() =>
      expect(parseRules(localStorage.getItem(RULES_KEY))).toEqual({
        ...FIRST_RULES,
        onBattery: false,
        onMetered: false,
        without: ['mandelbrot', 'knn-i8']
      })
    )
    await shown(second.app, '#rest-onBattery', (box) => box instanceof HTMLInputElement && !box.checked)
  })

  it('shows why an order failed', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    first.swarm.failNext = new SwarmError('DEVICE_LOST', 'The device was lost. Run again.')
    await click(second.app, '#pause[aria-disabled="false"]')
    expect(textOf(await shown(second.app, '#node-error'))).toContain('DEVICE_LOST')
    expect(find(first.app, '#node-error')).toBeUndefined()
  })

  it('that takes over from one that was paused does not contribute by itself', async () => {
    const first = await running()
    const second = mount()
    await viewing(second)
    await click(first.app, '#pause[aria-disabled="false"]')
    await shown(second.app, '#contributing[data-contributing="false"]')
    await first.swarm.stop()
    await click(second.app, '#take-over')
    await shown(second.app, '#app[data-phase="running"]')
    expect(second.swarm.calls).toEqual([])
  })

  it('that is waiting shows whichever tab takes over', async () => {
    const first = await running()
    const [second, third] = [mount(), mount()]
    await Promise.all([second, third].map(viewing))
    await first.swarm.stop()
    await shown(third.app, '#elsewhere[data-free="true"]')
    await click(second.app, '#take-over')
    await shown(second.app, '#app[data-phase="running"]')
    await viewing(third)
    second.swarm.update({ balance: { settled: 8n, verified: 0n, pending: 0n, escrowed: 0n } })
    await shown(third.app, '#balance-settled[data-microcredits="8"]')
  })

  it('that consents anew does not touch the record of the first', async () => {
    const second = mount()
    await shown(second.app, '#consent-hire')
    const first = await running()
    await click(second.app, '#consent-hire')
    await viewing(second)
    expect(JSON.parse(localStorage.getItem(CONSENT_KEY) ?? '').mode).toBe('contribute')
    expect(find(first.app, '#state')).toBeDefined()
  })

  it('withdrawn shows nothing more', async () => {
    await running()
    const second = mount()
    await viewing(second)
    await click(second.app, '#withdraw')
    await shown(second.app, '#consent-start')
    expect(second.published.at(-1)).toBeUndefined()
    expect(localStorage.getItem(CONSENT_KEY)).toBeNull()
  })

  it('starts by itself where no node ran in the other: it was its own former page, which went late', async () => {
    const { promise: gone, resolve: go } = Promise.withResolvers<void>()
    const holding = navigator.locks.request(LOCK_NAME, () => gone)
    const page = mount()
    await click(page.app, '#consent-start')
    await shown(page.app, '#elsewhere[data-free="false"]')
    go()
    await shown(page.app, '#app[data-phase="running"]')
    await holding
    expect(page.swarm.calls).toEqual(['contribute 0.6'])
  })

  it('is not thought to be there where the browser is slow to give a free lock', async () => {
    const late = AbortSignal.timeout(500)
    const locks: Pick<LockManager, 'query' | 'request'> = {
      query: () => navigator.locks.query(),
      async request(
        name: string,
        options: LockOptions | LockGrantedCallback<unknown>,
        callback?: LockGrantedCallback<unknown>
      ) {
        if (!late.aborted) await new Promise((resolve) => late.addEventListener('abort', resolve))
        if (typeof options === 'function' || callback === undefined) throw new TypeError('not asked for here')
        return navigator.locks.request(name, options, callback)
      }
    }
    const page = mount({ init: { locks } })
    await click(page.app, '#consent-start')
    await shown(page.app, '#app:not([data-phase="starting"])')
    expect(find(page.app, '#app')?.dataset.phase).toBe('running')
  })

  it('says so where the first runs another version of the page', async () => {
    const lobby = new BroadcastChannel('swarmharness.view')
    lobby.addEventListener('message', ({ data }) =>
      lobby.postMessage({ t: 'differs', v: 1_000, guest: data.guest })
    )
    const second = mount()
    await navigator.locks.request(LOCK_NAME, async () => {
      await click(second.app, '#consent-hire')
      const message = await shown(second.app, '#elsewhere[data-differs="true"]')
      expect(textOf(message)).toContain('another version')
    })
    await shown(second.app, '#take-over')
    lobby.close()
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

  it.each([
    ['?power=4'],
    ['?power=101'],
    ['?power=-5'],
    ['?power=NaN'],
    ['?power='],
    ['?power=50&power=60'],
    ['?backend=WEBGPU'],
    ['?backend=__proto__'],
    ['?network=']
  ])('%s is ignored', (search) => {
    expect(parseQuery(search)).toMatchObject({ options: {}, ignored: [{}] })
  })

  it('gives only known values, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (backend, network, power) => {
        const { options } = parseQuery(`?${new URLSearchParams({ backend, network, power })}`)
        expect([undefined, 'webgpu', 'cpu', 'auto']).toContain(options.backend)
        expect([undefined, 'local', 'main']).toContain(options.network)
        const inRange = options.power === undefined || (options.power >= 5 && options.power <= 100)
        expect(inRange).toBe(true)
      })
    )
    expect(parseQuery('?backend=webgpu&network=main&power=80').options).toEqual({
      backend: 'webgpu',
      network: 'main',
      power: 80
    })
  })
})

describe('formatCredits', () => {
  it('is exact', () => {
    fc.assert(
      fc.property(fc.bigInt(), (amount) => {
        const digits = formatCredits(amount).replace(/[^\d]/g, '')
        expect(BigInt(digits)).toBe(amount < 0n ? -amount : amount)
      })
    )
    expect(formatCredits(1234n * MICROCREDITS_PER_CREDIT + 5n)).toBe('1,234.000005')
    expect(formatCredits(-500_000n)).toBe('-0.500000')
  })
})
