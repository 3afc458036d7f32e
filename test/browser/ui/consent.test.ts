import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CONSENT_KEY, ConsentStore, parseConsent } from '../../../src/ui/consent.ts'
import { whyUnsupported } from '../../../src/ui/support.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { FakeModule, FakeSwarm } from '../../fixtures/fake-swarm.ts'
import { click, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

const record = (change: object = {}) =>
  JSON.stringify({ v: 1, mode: 'contribute', power: 60, auto: true, ...change })

afterEach(unmountAll)

describe('before consent', () => {
  it('reads one record and starts nothing', async () => {
    const reads = vi.spyOn(Storage.prototype, 'getItem')
    const writes = vi.spyOn(Storage.prototype, 'setItem')
    const workers = vi.spyOn(globalThis, 'Worker')
    const databases = vi.spyOn(IDBFactory.prototype, 'open')
    const locks = vi.spyOn(navigator.locks, 'request')
    const gpu = navigator.gpu === undefined ? undefined : vi.spyOn(navigator.gpu, 'requestAdapter')
    const { app, module } = mount()
    await shown(app, '#consent-start')
    expect(reads.mock.calls).toEqual([[CONSENT_KEY]])
    expect(writes).not.toHaveBeenCalled()
    expect(workers).not.toHaveBeenCalled()
    expect(databases).not.toHaveBeenCalled()
    expect(locks).not.toHaveBeenCalled()
    if (gpu !== undefined) expect(gpu).not.toHaveBeenCalled()
    expect(module.loads).toBe(0)
    vi.restoreAllMocks()
  })

  it('names processor, power, data, all that others see, and both choices', async () => {
    const { app } = mount()
    const card = await shown(app, 'consent-card')
    const text = textOf(card.shadowRoot?.querySelector('div') ?? card)
    for (const word of ['WebGPU', 'CPU', 'power', 'kept in this browser']) expect(text).toContain(word)
    for (const word of ['IP address', 'lasting peer id', 'class of device, load and uptime'])
      expect(text).toContain(word)
    const toHire = textOf(await shown(app, '#hire-title + p'))
    for (const word of ['IP address', 'peer id']) expect(toHire).toContain(word)
    for (const each of [text, toHire]) expect(each).toContain('records: jobs, partners, amounts')
    expect(find(app, '#consent-hire')).toBeDefined()
    expect(find(app, '#run-sample')).toBeUndefined()
  })

  it('takes a damaged record for no consent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const consent = parseConsent(text)
        expect(consent === undefined || JSON.parse(text).v === 1).toBe(true)
      })
    )
    for (const bad of [
      { v: 2 },
      { mode: 'mine' },
      { power: 0 },
      { power: 101 },
      { power: 6.5 },
      { auto: 'yes' },
      { network: 'moon' }
    ]) {
      expect(parseConsent(record(bad))).toBeUndefined()
    }
    expect(parseConsent(record())).toEqual({ mode: 'contribute', power: 60, auto: true })
  })
})

describe('consent', () => {
  it('to contribute starts the node and serves at the chosen power', async () => {
    const { app, module, swarm, published } = await running('?power=35&backend=cpu&network=local')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(module.inits).toMatchObject([{ backend: 'cpu', network: 'local' }])
    expect(swarm.calls).toEqual(['contribute 0.35'])
    expect(published).toEqual([swarm])
    expect(JSON.parse(localStorage.getItem(CONSENT_KEY) ?? '')).toEqual({
      v: 1,
      mode: 'contribute',
      power: 35,
      auto: true,
      network: 'local'
    })
  })

  it('of an earlier visit wins over the address, which may be a stranger’s link, and the page says so', async () => {
    const stored = record({ power: 20, network: 'local' })
    localStorage.setItem(CONSENT_KEY, stored)
    const { app, module, swarm } = mount({ search: '?power=100&network=main' })
    await shown(app, '#contributing[data-contributing="true"]')
    expect(swarm.calls).toEqual(['contribute 0.2'])
    expect(module.inits).toMatchObject([{ network: 'local' }])
    expect(JSON.parse(localStorage.getItem(CONSENT_KEY) ?? '')).toEqual(JSON.parse(stored))
    for (const name of ['power', 'network']) await shown(app, `[data-overruled="${name}"]`)

    // what it does not name is the page's own, and not the address'
    await unmountAll()
    localStorage.setItem(CONSENT_KEY, record())
    const next = mount({ search: '?power=60&network=main' })
    await shown(next.app, '[data-overruled="network"]')
    await shown(next.app, '#contributing[data-contributing="true"]')
    expect(next.module.inits).toMatchObject([{ network: 'local' }])
    expect(find(next.app, '[data-overruled="power"]')).toBeUndefined()
  })

  it('given anew after a pause is for the network of the address, at the power of before', async () => {
    localStorage.setItem(CONSENT_KEY, record({ auto: false, power: 20, network: 'local' }))
    const { app, module, swarm } = mount({ search: '?power=100&network=main' })
    await click(app, '#consent-start')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(swarm.calls).toEqual(['contribute 0.2'])
    expect(module.inits).toMatchObject([{ network: 'main' }])
    expect(find(app, '[data-overruled]')).toBeUndefined()
  })

  it('to hire only never serves, until the rest is agreed to', async () => {
    const { app, swarm } = mount()
    await click(app, '#consent-hire')
    await shown(app, '#run-sample')
    expect(swarm.calls).toEqual([])
    expect(find(app, '#run')).toBeUndefined()
    await click(app, '#consent-start')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(swarm.calls).toEqual(['contribute 0.6'])
  })

  it('is remembered, and taken back by a pause', async () => {
    localStorage.setItem(CONSENT_KEY, record())
    const { app, swarm } = mount()
    await click(app, '#pause[aria-disabled="false"]')
    await shown(app, '#contributing[data-contributing="false"]')
    expect(swarm.calls).toEqual(['contribute 0.6', 'pause'])
    expect(new ConsentStore(() => localStorage).read()?.auto).toBe(false)

    app.remove()
    const next = mount()
    await shown(next.app, '#consent-start')
    expect(next.module.loads).toBe(0)
  })

  it('holds for the visit where storage is denied, and says so', async () => {
    const denied = new ConsentStore(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    const { app } = mount({ init: { consents: denied } })
    await click(app, '#consent-start')
    await shown(app, '#not-remembered')
  })

  it('withdrawn stops all, forgets the record and frees the lock', async () => {
    const { app, swarm, published, reloads } = await running()
    await click(app, '#withdraw')
    await shown(app, '#consent-hire')
    await app.withdraw()
    expect(swarm.calls).toContain('stop')
    expect(published.at(-1)).toBeUndefined()
    expect(localStorage.getItem(CONSENT_KEY)).toBeNull()
    expect((await navigator.locks.query()).held?.filter(({ name }) => name === 'swarmharness')).toEqual([])
    expect(reloads()).toBe(0)
  })

  it('withdrawn reloads the page within 500 ms if the node does not stop', async () => {
    const swarm = new FakeSwarm()
    const { app, reloads } = await running('', new FakeModule(swarm))
    swarm.hangs = true
    // two timers run in order, however late
    const halfASecond = new Promise((resolve) => setTimeout(() => resolve(reloads()), 500))
    await app.withdraw()
    expect(reloads()).toBe(1)
    expect(await halfASecond).toBe(1)
  })

  it('withdrawn while the node starts lets none come up', async () => {
    const opened = Promise.withResolvers<void>()
    const module = new FakeModule()
    const load = async () => {
      await opened.promise
      return module.load()
    }
    const { app } = mount({ init: { load } })
    await click(app, '#consent-start')
    await click(app, '#withdraw')
    opened.resolve()
    await app.withdraw()
    expect(module.inits).toEqual([])
    expect(find(app, '#consent-start')).toBeDefined()
  })
})

describe('a start that fails', () => {
  it('shows message and code as text and offers another try', async () => {
    const module = new FakeModule()
    module.failWith = new SwarmError('STORE_DENIED', 'No storage: <img src=x onerror=alert(1)>')
    const { app } = mount({ module })
    await click(app, '#consent-start')
    const error = await shown(app, '#start-error')
    expect(textOf(error)).toContain('<img src=x onerror=alert(1)>')
    expect(textOf(error)).toContain('STORE_DENIED')
    expect(error.querySelector('img')).toBeNull()
    module.failWith = undefined
    await click(app, '#start-again')
    await shown(app, '#state')
  })
})

describe('a browser that cannot take part', () => {
  const able = { isSecureContext: true, RTCPeerConnection: 1, indexedDB: 1, WebSocket: 1, Worker: 1 }

  it('is told what is missing', () => {
    expect(whyUnsupported({ ...able, navigator: { locks: {} } })).toBeUndefined()
    expect(whyUnsupported({ ...able, navigator: { locks: {} }, RTCPeerConnection: undefined })).toContain(
      'WebRTC'
    )
    expect(whyUnsupported({ ...able, navigator: {} })).toContain('Web Locks')
    expect(whyUnsupported({ ...able, isSecureContext: false, navigator: {} })).toContain('https')
    expect(whyUnsupported(window)).toBeUndefined()
  })

  it('is offered no button', async () => {
    const { app, module } = mount({ init: { unsupported: () => 'No WebRTC here.' } })
    await shown(app, '#unsupported')
    expect(find(app, 'button')).toBeUndefined()
    expect(module.loads).toBe(0)
  })
})
