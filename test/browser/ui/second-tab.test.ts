import { afterEach, describe, expect, it } from 'vitest'
import { CONSENT_KEY, ConsentStore } from '../../../src/ui/consent.ts'
import { RULES_KEY } from '../../../src/ui/contributor.ts'
import { LOCK_NAME } from '../../../src/ui/lock.ts'
import { FIRST_RULES, parseRules } from '../../../src/ui/pause-rules.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { PEERS, RECEIPT } from '../../fixtures/fake-swarm.ts'
import { click, find, type Mounted, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

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
