import { expect, it, vi } from 'vitest'
import { Keeper, type KeeperInit } from '../../../src/ui/keeper.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { FakeModule } from '../../fixtures/fake-swarm.ts'

type Init = ConstructorParameters<typeof Keeper>[0]
type Session = ReturnType<ConstructorParameters<typeof Keeper>[1]>

const fails = async () => {
  throw new SwarmError('FULL', 'No space is left.')
}

it.each(['update', 'online'] as const)(
  'what %s() fails with is shown, and no rejection is left',
  async (act) => {
    let shown = 0
    const swarm = { finish: fails, stop: fails, jobs: () => [] }
    // what the two reach of a session and of the page
    const session = { phase: { kind: 'running', swarm } } as unknown as Session
    const init = { load: new FakeModule().load } as unknown as Init
    const keeper = new Keeper(
      init,
      () => session,
      () => shown++
    )
    keeper.isOffline = true
    await keeper[act]()
    expect(keeper.failure).toMatchObject({ code: 'FULL' })
    expect(shown).toBeGreaterThan(0)
  }
)

it('starts without a relay that does not answer, asks ever more seldom, and starts anew with it when it is there', async () => {
  const module = new FakeModule()
  module.hasRelay = false
  const waits: number[] = []
  const pending = new Map<object, () => void>()
  const after: KeeperInit['after'] = (ms, act) => {
    const id = {}
    waits.push(ms)
    pending.set(id, act)
    return () => pending.delete(id)
  }
  const next = () => {
    const [[id, act] = []] = pending
    if (id !== undefined) pending.delete(id)
    act?.()
  }
  // what it reaches of a session and of the page
  const session = { phase: { kind: 'running', swarm: module.swarm }, start: vi.fn() }
  const init = {
    after,
    hostTime: () => new Promise(() => {}),
    load: module.load,
    offline: { keep: () => {}, drop: async () => {} }
  } as unknown as Init
  const keeper = new Keeper(
    init,
    () => session as unknown as Session,
    () => {}
  )
  const { createSwarm } = await keeper.fit(module.load)()
  session.start.mockImplementation(() => createSwarm({}))

  await createSwarm({})
  expect(module.inits).toEqual([{}, { relays: [] }])
  expect(keeper.isOffline).toBe(true)
  for (let asked = 1; asked <= 7; asked++) {
    next()
    await vi.waitFor(() => expect(waits).toHaveLength(asked + 1))
    expect(module.asked).toBe(asked)
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  expect(session.start).not.toHaveBeenCalled()
  expect(pending.size).toBe(1)

  module.hasRelay = true
  next()
  await vi.waitFor(() => expect(session.start).toHaveBeenCalledOnce())
  expect(module.swarm.calls).toEqual(['stop'])
  expect(module.inits.at(-1)).toEqual({})
  await vi.waitFor(() => expect(keeper.isOffline).toBe(false))
  expect(pending.size).toBe(0)

  // where the consent is gone nobody is asked any more
  module.hasRelay = false
  await createSwarm({})
  expect(pending.size).toBe(1)
  keeper.forget()
  expect(pending.size).toBe(0)
})

it('says while it waits for own jobs that it does, and changes over when they are over', async () => {
  const { swarm } = new FakeModule()
  swarm.submit('matmul-i8', {})
  const session = { phase: { kind: 'running', swarm } } as unknown as Session
  const shown: Array<readonly [isUpdating: boolean, openJobs: number]> = []
  const keeper: Keeper = new Keeper(
    {} as unknown as Init,
    () => session,
    () => shown.push([keeper.isUpdating, keeper.openJobs])
  )
  const updating = keeper.update()
  await vi.waitFor(() => expect(swarm.calls).toEqual(['finish']))
  expect(shown).toEqual([[true, 1]])
  swarm.submitted[0]?.succeed({})
  await updating
  expect(shown).toEqual([
    [true, 1],
    [false, 0]
  ])
})
