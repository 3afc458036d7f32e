import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerRouting } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { SwarmSizeWatch } from '../../../src/registry/swarm-size-watch.ts'

/** Walks in ten minutes in which the size is asked for once a second. */
async function walksOf(walk: () => AsyncGenerator<never>): Promise<number> {
  let now = 0
  let walks = 0
  const peerRouting = {
    getClosestPeers: () => {
      walks++
      return walk()
    }
  } as Pick<PeerRouting, 'getClosestPeers'> as PeerRouting // finds no peer here
  const watch = new SwarmSizeWatch({
    peerRouting,
    peerId: peerIdFromPrivateKey(await generateKeyPair('Ed25519')),
    now: () => now,
    log: defaultLogger().forComponent('test')
  })
  const { signal } = new AbortController()
  for (; now < 600_000; now += 1_000) {
    watch.current(signal)
    await new Promise(setImmediate) // the walk ends at once
  }
  return walks
}

test('who finds nobody looks again every five seconds', async () => {
  const walks = await walksOf(async function* () {
    yield* []
  })
  expect(walks).toBe(120)
})

test('who cannot look to the end does so more and more seldom, down to once a minute', async () => {
  // biome-ignore lint/correctness/useYield: it fails before
  const walks = await walksOf(async function* () {
    throw new Error('cut off')
  })
  expect(walks).toBe(13) // after 5, 10, 20 and 40 s, then each minute
})
