import { afterEach, describe, expect, it } from 'vitest'
import type { JobEvent } from '../../../src/api.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { closeTabs, collect, guest, guestsHeld, host, PRODUCT, PROVIDER, receipt } from './tabs.ts'

afterEach(closeTabs)

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
