import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSwarm } from '../../../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moving-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a node moves from one data folder to another: same name, same ledger, and the old folder is spent', async () => {
  const at = (name: string) => ({ relays: [], network: 'local' as const, dataFolder: join(folder, name) })
  const old = await createSwarm(at('old'))
  const identity = await old.exportIdentity()
  expect(old.status.state).toBe('stopped')
  await expect(createSwarm(at('old'))).rejects.toMatchObject({ code: 'MOVED' })
  for (const start of ['first', 'again']) {
    await using moved = await createSwarm({ ...at('new'), identity })
    expect(moved.peer, start).toBe(old.peer)
    expect(moved.status.balance.settled).toBe(10_000_000n)
    await expect
      .poll(async () => (await moved.exportLedger()).records.length) // genesis, closed, opened
      .toBe(3)
  }
})
