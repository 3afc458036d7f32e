import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { LOBBY, placeOf, VERSION } from '../../../src/swarm/view/messages.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { ME } from '../../fixtures/fake-swarm.ts'
import { closeTabs, guest, host, PRODUCT, raw } from './tabs.ts'

// What other tabs say need not come from this page, nor from this version of it.

const { locks } = navigator

afterEach(closeTabs)

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
