import { expect, it } from 'vitest'
import { Keeper } from '../../../src/ui/keeper.ts'
import { SwarmError } from '../../../src/wire/index.ts'

const fails = async () => {
  throw new SwarmError('FULL', 'No space is left.')
}

it.each(['update', 'online'] as const)(
  'what %s() fails with is shown, and no rejection is left',
  async (act) => {
    let shown = 0
    const swarm = { finish: fails, stop: fails, jobs: () => [] }
    // what the two reach of a session and of the page
    const session = { phase: { kind: 'running', swarm } } as unknown as ReturnType<
      ConstructorParameters<typeof Keeper>[1]
    >
    const init = {} as ConstructorParameters<typeof Keeper>[0]
    const keeper = new Keeper(
      init,
      () => session,
      () => shown++
    )
    keeper.isOffline = true
    await keeper[act]()
    expect(keeper.failure).toMatchObject({ code: 'FULL' })
    expect(shown).toBe(1)
  }
)
