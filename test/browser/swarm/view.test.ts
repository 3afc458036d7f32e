import { afterEach, describe, expect, it, vi } from 'vitest'
import { LOBBY, placeOf, VERSION } from '../../../src/swarm/view/messages.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { FakeSwarm, ME, PEERS, STATUS } from '../../fixtures/fake-swarm.ts'
import { closeTabs, collect, guest, guestsHeld, host, PRODUCT, PROVIDER, raw } from './tabs.ts'

afterEach(closeTabs)

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
    const { share } = host(swarm, { note: () => note })
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
