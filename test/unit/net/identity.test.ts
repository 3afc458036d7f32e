import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { describe, expect, test, vi } from 'vitest'
import { loadIdentity } from '../../../src/net/index.ts'
import { memoryStore, StoreError } from '../../../src/store/index.ts'

describe('identity', () => {
  test('is made once and kept', async () => {
    const store = memoryStore()
    const first = await loadIdentity(store)
    expect(first.type).toBe('Ed25519')
    expect((await loadIdentity(store)).equals(first)).toBe(true)
  })

  test.each(['WebCrypto', 'libp2p, where WebCrypto lacks the curve'])(
    'has a key whose halves belong together, by %s',
    async (way) => {
      const made = vi.spyOn(crypto.subtle, 'generateKey')
      if (way !== 'WebCrypto') {
        made.mockRejectedValueOnce(new DOMException('Unrecognized name.', 'NotSupportedError'))
      }
      const key = await loadIdentity(memoryStore())
      expect(made).toHaveBeenCalledOnce()
      made.mockRestore()
      const again = await generateKeyPairFromSeed('Ed25519', key.raw.subarray(0, 32))
      expect(again.equals(key)).toBe(true)
      expect(key.publicKey.equals(again.publicKey)).toBe(true)
    }
  )

  test('two tabs that start at once have the same one', async () => {
    const store = memoryStore()
    const [a, b] = await Promise.all([loadIdentity(store), loadIdentity(store)])
    expect(a.equals(b)).toBe(true)
  })

  test('a store that fails otherwise is not covered up', async () => {
    const failing = {
      identity: async () => undefined,
      saveIdentity: async () => {
        throw new StoreError('CLOSED', 'closed')
      }
    }
    await expect(loadIdentity(failing)).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
