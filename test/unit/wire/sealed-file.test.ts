import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encode, sealerOf, unseal } from '../../../src/wire/index.ts'

const FILE = encode({
  kind: 'swarmharness-identity',
  v: 1,
  network: 'local',
  key: new Uint8Array(36).fill(7),
  token: new Uint8Array(32).fill(8),
  records: [{ payload: new Uint8Array(40), signature: new Uint8Array(64) }],
  rows: []
})

test('a sealed file opens with its passphrase, however its letters are composed, and with no other', async () => {
  const sealed = await (await sealerOf('caffe\u0301 und zucker'))(FILE)
  expect(Buffer.from(sealed).includes(Buffer.alloc(36, 7))).toBe(false)
  expect(await unseal(sealed, 'caff\u00e9 und zucker')).toEqual(FILE)
  for (const wrong of ['caffe und zucker', '', undefined]) {
    await expect(unseal(sealed, wrong)).rejects.toMatchObject({ code: 'PASSPHRASE' })
  }
})

test('one that is not sealed comes back as it is', async () => {
  expect(await unseal(FILE, 'anything')).toBe(FILE)
})

test('salt and nonce are new each time', async () => {
  const [one, two] = await Promise.all([sealerOf('the same'), sealerOf('the same')])
  expect(await one(FILE)).not.toEqual(await two(FILE))
})

test('a sealed file of which any byte is another opens with nothing', async () => {
  const sealed = await (await sealerOf('a long passphrase'))(FILE)
  const place = fc.integer({ min: 0, max: sealed.length - 1 })
  await fc.assert(
    fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = sealed.with(at, (sealed[at] ?? 0) ^ flip)
      const code = expect.stringMatching(/^(PASSPHRASE|MALFORMED|NOT_CANONICAL)$/)
      await expect(unseal(changed, 'a long passphrase')).rejects.toMatchObject({ code })
    }),
    { numRuns: 12 } // each of them makes a key, a quarter of a second
  )
})

test('whatever else is no sealed file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (bytes) => {
      await expect(unseal(bytes, 'x')).rejects.toMatchObject({
        code: expect.stringMatching(/MALFORMED|NOT_C/)
      })
    })
  )
})
