import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JobEvent, JobReceipt } from '../../../src/api.ts'
import { type Share, shareSwarm, type View, viewSwarm } from '../../../src/swarm/view/index.ts'
import { LOBBY, placeOf, VERSION } from '../../../src/swarm/view/messages.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { FakeSwarm, ME, PEERS, peerId, RECEIPT, STATUS } from '../../fixtures/fake-swarm.ts'

const { locks } = navigator
const PROVIDER = peerId('12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo')
const receipt: JobReceipt = {
  ...RECEIPT,
  providers: [{ peer: PROVIDER, units: 2, rejected: 0, paid: 34n }]
}
const PRODUCT = { a: new Int8Array(4), b: new Int8Array(4), m: 2, k: 2, n: 2 }

const shares: Share[] = []
const ends: AbortController[] = []
const channels: BroadcastChannel[] = []

afterEach(() => {
  for (const share of shares.splice(0)) share.stop()
  for (const end of ends.splice(0)) end.abort()
  for (const channel of channels.splice(0)) channel.close()
})

function host(
  swarm = new FakeSwarm(),
  init: { note?: unknown; obey?: (order: unknown) => Promise<boolean> } = {}
) {
  const share = shareSwarm({ swarm, locks, note: () => init.note, obey: init.obey ?? (async () => true) })
  shares.push(share)
  return { swarm, share }
}

function guest(onDiffers: () => void = () => {}): Promise<View> & { readonly leave: () => void } {
  const end = new AbortController()
  ends.push(end)
  const view = viewSwarm({ locks, signal: end.signal, onDiffers })
  view.catch(() => {}) // whoever awaits it hears of it
  return Object.assign(view, { leave: () => end.abort() })
}

/** A tab that says what it likes. */
function raw(name: string): { readonly channel: BroadcastChannel; readonly heard: unknown[] } {
  const channel = new BroadcastChannel(name)
  channels.push(channel)
  const heard: unknown[] = []
  channel.addEventListener('message', ({ data }) => heard.push(data))
  return { channel, heard }
}

async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const collected: JobEvent[] = []
  for await (const event of events) collected.push(event)
  return collected
}

const guestsHeld = async () =>
  ((await locks.query()).held ?? []).filter(({ name }) => name?.startsWith(`${LOBBY}/`)).length

describe('a node seen from another tab', () => {
  it.each(['host', 'guest'])('is met when the %s comes first', async (first) => {
    const early = first === 'guest' ? guest() : undefined
    if (early !== undefined) await eventually(async () => expect(await guestsHeld()).toBe(1))
    const { swarm } = host()
    const view = await (early ?? guest())
    expect(view.peer).toBe(ME)
    expect(view.status).toEqual(swarm.status)
    expect(view.skills.map(({ name }) => name)).toEqual(swarm.skills.map(({ name }) => name))
  })

  it('tells of each change, exactly, and of what the page notes', async () => {
    let note = 'first'
    const swarm = new FakeSwarm()
    const share = shareSwarm({ swarm, locks, note: () => note, obey: async () => true })
    shares.push(share)
    const view = await guest()
    expect(view.note).toBe('first')
    const settled = 1234567890123456789012345678901234567890n
    swarm.update({
      balance: { settled, verified: 1n, pending: 2n, escrowed: 3n },
      peers: PEERS,
      contributing: true
    })
    await eventually(() => expect(view.status).toEqual(swarm.status))
    note = 'second'
    share.tell()
    await eventually(() => expect(view.note).toBe('second'))
  })

  it('gives quotes, the ledger and what the router has learned', async () => {
    const swarm = new FakeSwarm()
    swarm.quoteNext = {
      price: 7n,
      units: 2,
      providers: 1,
      etaMs: undefined,
      localEtaMs: 3,
      fasterAtHome: false,
      measured: 0
    }
    const trail = { peer: PROVIDER, skill: 'matmul-i8', strength: 0.7 }
    const router = { strategy: 'paper' as const, pheromones: () => [trail], trustIn: () => 0.9 }
    const record = { payload: Uint8Array.of(1, 2), signature: Uint8Array.of(3) }
    Object.assign(swarm, {
      router,
      exportLedger: async () => ({ network: 'local', peer: ME, records: [record] })
    })
    host(swarm)
    const view = await guest()
    expect(await view.quote('matmul-i8', PRODUCT)).toEqual(swarm.quoteNext)
    expect(await view.exportLedger()).toEqual({ network: 'local', peer: ME, records: [record] })
    await eventually(() => expect(view.router.pheromones()).toEqual([trail]))
    expect(view.router).toMatchObject({ strategy: 'paper' })
    expect(view.router.trustIn(PROVIDER, 'matmul-i8')).toBe(0.9)
    expect(view.router.trustIn(PROVIDER, 'unheard-of')).toBe(0.3)
  })

  it('has the last picture after a look, and asks again only when there were more units', async () => {
    const swarm = new FakeSwarm()
    const asked = vi.spyOn(swarm, 'lastPicture')
    host(swarm)
    const view = await guest()
    expect(view.lastPicture?.()).toBeUndefined()
    for (const units of [1, 2]) {
      const output = { counts: new Uint32Array(2).fill(units), width: 2, height: 1 }
      swarm.picture = { skill: 'mandelbrot', requester: PROVIDER, output }
      swarm.update({ work: { ...STATUS.work, units } })
      await eventually(() => expect(view.lastPicture?.()).toEqual(swarm.picture))
    }
    view.lastPicture?.()
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it('does not give away its identity', async () => {
    host()
    const view = await guest()
    await expect(view.exportIdentity()).rejects.toMatchObject({ code: 'ONLY_THERE' })
  })

  it('takes orders, and says what it does not understand or cannot do', async () => {
    const orders: unknown[] = []
    host(new FakeSwarm(), {
      obey: async (order) => {
        orders.push(order)
        if (order === 'fail')
          throw new SwarmError('DEVICE_LOST', 'Gone.', { retryable: true, details: { n: 1 } })
        return order === 'good'
      }
    })
    const view = await guest()
    await view.order('good')
    await expect(view.order({ odd: 1n })).rejects.toMatchObject({ code: 'BAD_MESSAGE' })
    await expect(view.order('fail')).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      message: 'Gone.',
      retryable: true,
      details: { n: 1 }
    })
    expect(orders).toEqual(['good', { odd: 1n }, 'fail'])
  })
})

describe('a job from another tab', () => {
  it('runs in the node, with events, pictures on the way, receipt and a large value', async () => {
    const { swarm } = host()
    const view = await guest()
    const job = view.submit('matmul-i8', PRODUCT, { budget: 99n, units: 2, providers: [PROVIDER] })
    expect(view.jobs()).toEqual([job])
    const events = collect(job)
    await eventually(() => expect(swarm.submitted).toHaveLength(1))
    const [real] = swarm.submitted
    if (real === undefined) throw new Error('not submitted')
    expect(real.options).toEqual({ budget: 99n, units: 2, providers: [PROVIDER] })
    expect(real.input).toEqual(PRODUCT)
    real.soFar = { c: Int32Array.of(1, 0) }
    const sent: JobEvent[] = [
      { type: 'queued', price: 34n, units: 2 },
      { type: 'assigned', unit: 0, provider: PROVIDER },
      { type: 'progress', done: 1, of: 2 },
      { type: 'verified', unit: 0, provider: PROVIDER }
    ]
    real.emit(...sent)
    await eventually(() => expect(job.partial()).toEqual({ c: Int32Array.of(1, 0) }))
    const value = { c: new Int32Array(4 * 1024 * 1024).fill(7) }
    real.succeed(value, receipt)
    expect(await events).toEqual([...sent, { type: 'settled', receipt }, { type: 'done' }])
    const result = await job.result
    expect(result.receipt).toEqual(receipt)
    const { c } = result.value as typeof value // compared as one: of millions, one by one takes half a minute
    expect(c.length === value.c.length && c.every((each) => each === 7)).toBe(true)
    expect(job).toMatchObject({ id: real.id, skill: 'matmul-i8', state: 'done' })
    expect(view.jobs()).toEqual([job])
    // the same to whoever looks later
    expect(await collect(job)).toContainEqual({ type: 'settled', receipt })
  })

  it('of a bad input is refused at once, and nothing travels', async () => {
    const { swarm } = host()
    const view = await guest()
    expect(() => view.submit('matmul-i8', { ...PRODUCT, m: -1 })).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT' })
    )
    expect(() => view.submit('no-such-skill', {})).toThrow(expect.objectContaining({ code: 'UNKNOWN_SKILL' }))
    expect(view.jobs()).toEqual([])
    expect(swarm.submitted).toEqual([])
  })

  it('that the node refuses fails with its words', async () => {
    const { swarm } = host()
    const view = await guest()
    swarm.failNext = new SwarmError('BUDGET_TOO_SMALL', 'Too small.', { details: { price: '9' } })
    const job = view.submit('matmul-i8', PRODUCT)
    await expect(job.result).rejects.toMatchObject({ code: 'BUDGET_TOO_SMALL', details: { price: '9' } })
    expect((await collect(job)).at(-1)).toMatchObject({ type: 'failed', error: { code: 'BUDGET_TOO_SMALL' } })
    expect(job.state).toBe('failed')
    expect(view.jobs()).toEqual([])
  })

  it.each(['cancel', 'signal'])('ends by %s', async (way) => {
    const { swarm } = host()
    const view = await guest()
    const end = new AbortController()
    const job = view.submit('matmul-i8', PRODUCT, { signal: end.signal })
    await eventually(() => expect(swarm.submitted).toHaveLength(1))
    const events = collect(job)
    if (way === 'cancel') await job.cancel()
    else end.abort()
    expect((await events).at(-1)).toEqual({ type: 'cancelled' })
    expect(swarm.submitted[0]?.cancelled).toBe(1)
    await expect(job.result).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('goes on when its tab closes, and is found again by its id', async () => {
    const { swarm } = host()
    const leaving = guest()
    const first = await leaving
    const job = first.submit('matmul-i8', PRODUCT)
    await eventually(() => expect(job.id).not.toBe(''))
    leaving.leave()
    await eventually(async () => expect(await guestsHeld()).toBe(0))

    const view = await guest()
    const again = view.jobs().find(({ id }) => id === job.id)
    expect(again).toMatchObject({ skill: 'matmul-i8', state: 'queued' })
    const value = { c: Int32Array.of(1, 2, 3, 4) }
    swarm.submitted[0]?.succeed(value, receipt)
    expect((await again?.result)?.value).toEqual(value)
    expect(swarm.submitted[0]?.cancelled).toBe(0)
  })

  it('of another tab, and of the node’s own, is listed everywhere', async () => {
    const { swarm, share } = host()
    const [one, two] = await Promise.all([guest(), guest()])
    const mine = one.submit('matmul-i8', PRODUCT)
    await eventually(() => expect(mine.id).not.toBe(''))
    swarm.submit('mandelbrot', {})
    share.tell()
    const ids = () => swarm.submitted.map(({ id }) => id)
    for (const view of [one, two]) {
      await eventually(() => expect(view.jobs().map(({ id }) => id)).toEqual(ids()))
    }
    expect(one.jobs()[0]).toBe(mine)
  })
})

describe('when a tab goes', () => {
  it('the host: whatever waits fails with HOST_GONE, and may be tried again', async () => {
    const { swarm } = host()
    swarm.finish = () => new Promise(() => {})
    const view = await guest()
    const job = view.submit('matmul-i8', PRODUCT)
    const events = collect(job)
    const finishing = view.finish()
    await eventually(() => expect(swarm.submitted).toHaveLength(1))
    view.lost()
    const gone = { code: 'HOST_GONE', retryable: true }
    await expect(finishing).rejects.toMatchObject(gone)
    await expect(job.result).rejects.toMatchObject(gone)
    expect((await events).at(-1)).toMatchObject({ type: 'failed', error: gone })
    expect(() => view.submit('matmul-i8', PRODUCT)).toThrow(expect.objectContaining(gone))
    await expect(view.quote('matmul-i8', PRODUCT)).rejects.toMatchObject(gone)
    expect(view.status.state).toBe('stopped')
  })

  it('one of many guests: its place is the next one’s', async () => {
    host()
    const all = Array.from({ length: 16 }, () => guest())
    await Promise.all(all)
    const late = guest()
    let isMet = false
    void late.then(() => {
      isMet = true
    })
    await eventually(async () => expect(await guestsHeld()).toBe(17))
    // an answer to somebody who asked later: the host has heard the seventeenth by then
    await (await all[0])?.pause()
    expect(isMet).toBe(false)
    all[3]?.leave()
    expect((await late).peer).toBe(ME)
  })
})

describe('another version of this page', () => {
  it('is told so by the host, and not shown anything', async () => {
    host()
    const id = crypto.randomUUID()
    const lobby = raw(LOBBY)
    const place = raw(placeOf(id))
    lobby.channel.postMessage({ t: 'hello', v: VERSION + 1, guest: id })
    await eventually(() => expect(lobby.heard).toContainEqual({ t: 'differs', v: VERSION, guest: id }))
    expect(place.heard).toEqual([])
  })

  it('as host: the guest says so, and waits for another one', async () => {
    const lobby = raw(LOBBY)
    lobby.channel.addEventListener('message', ({ data }) =>
      lobby.channel.postMessage({ t: 'differs', v: VERSION + 1, guest: data.guest })
    )
    const differs = Promise.withResolvers<void>()
    const view = guest(differs.resolve)
    await differs.promise
    lobby.channel.close()
    host()
    expect((await view).peer).toBe(ME)
  })
})

describe('nonsense', () => {
  const anything = fc.oneof(
    fc
      .anything({ withBigInt: true, withDate: true, withTypedArray: true, withMap: true })
      .filter(isCloneable),
    fc.record({ id: fc.oneof(fc.nat(), fc.anything().filter(isCloneable)), ask: fc.json() }),
    fc.record({
      id: fc.nat(),
      ask: fc.record({
        do: fc.constantFrom('submit', 'quote', 'follow', 'result', 'cancel', 'ledger', 'stop', 'constructor'),
        job: fc.oneof(fc.string(), fc.anything().filter(isCloneable)),
        skill: fc.string(),
        input: fc.anything().filter(isCloneable),
        options: fc.oneof(fc.constant({}), fc.anything().filter(isCloneable))
      })
    })
  )

  it('from a guest is refused where it has an id, and harms nobody', async () => {
    const { swarm } = host()
    const id = crypto.randomUUID()
    const lobby = raw(LOBBY)
    const place = raw(placeOf(id))
    await locks.request(placeOf(id), async () => {
      lobby.channel.postMessage({ t: 'hello', v: VERSION, guest: id })
      await eventually(() => expect(place.heard).toHaveLength(1))
      const samples = fc.sample(anything, 200)
      for (const sample of samples) {
        lobby.channel.postMessage(sample)
        place.channel.postMessage(sample)
      }
      place.channel.postMessage({ id: 10_000_001, ask: { do: 'pause', more: 1 } })
      place.channel.postMessage({ id: 10_000_002, ask: { do: 'pause' } })
      await eventually(() =>
        expect(place.heard).toContainEqual({ t: 'reply', id: 10_000_002, value: undefined })
      )
      expect(place.heard).toContainEqual(
        expect.objectContaining({
          t: 'refusal',
          id: 10_000_001,
          error: expect.objectContaining({ code: 'BAD_MESSAGE' })
        })
      )
    })
    expect(swarm.calls.filter((call) => call !== 'pause' && !call.startsWith('contribute'))).toEqual([])
    expect((await guest()).peer).toBe(ME)
  })

  it('from the host ends the view, which says so', async () => {
    host()
    const lobby = raw(LOBBY)
    const view = await guest()
    const asked = view.order('x')
    asked.catch(() => {})
    const hello = lobby.heard.find((data) => Object(data).t === 'hello')
    raw(placeOf(Object(hello).guest)).channel.postMessage({ t: 'news', status: { peer: 1 } })
    await eventually(() => expect(view.status.state).toBe('stopped'))
    await expect(view.quote('matmul-i8', PRODUCT)).rejects.toMatchObject({ code: 'BAD_MESSAGE' })
  })

  it('as an answer fails what was asked, and nothing else', async () => {
    const { swarm } = host()
    const view = await guest()
    Object.assign(swarm, { quote: async () => ({ price: 'much' }) })
    await expect(view.quote('matmul-i8', PRODUCT)).rejects.toMatchObject({ code: 'BAD_MESSAGE' })
    await view.pause()
    expect(view.status.state).not.toBe('stopped')
  })
})

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
