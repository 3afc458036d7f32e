import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRelay } from '../../../relay/index.ts'
import { network, startRelay, temporaryFolder, watched } from '../../fixtures/started-relay.ts'

describe('life', () => {
  test('the identity is kept, and readable for its owner only', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startRelay({ dataFolder })
    await first.stop()
    const again = await startRelay({ dataFolder })
    expect(again.peer).toBe(first.peer)
    for (const name of await readdir(dataFolder, { recursive: true })) {
      const { mode } = await stat(join(dataFolder, name))
      expect(mode & 0o077, name).toBe(0)
    }
  })

  test('a taken port is a typed error that says so', async () => {
    const relay = await startRelay()
    const port = Number(new URL(relay.origin).port)
    await expect(createRelay({ network, port })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  })

  test('stop ends with connections open, and twice is once', async () => {
    const relay = await startRelay()
    const { node } = await watched(relay.multiaddrs)
    const gone = new Promise((resolve) => node.addEventListener('peer:disconnect', resolve, { once: true }))
    await Promise.all([relay.stop(), relay.stop()])
    await gone
    await expect(fetch(`${relay.origin}/healthz`)).rejects.toThrow()
  })
})
