import { generateKeyPair, publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { KEYS, valuesOf } from '../../fixtures/schema-arbitrary.ts'

const peerOf = (key: (typeof KEYS)[number]) => peerIdFromPrivateKey(key).toString()
const keyOf = (peer: string) => KEYS.find((key) => peerOf(key) === peer)

// what valuesOf makes has been through the schema: it is of the schema's type
const statements = valuesOf(wire.statement) as fc.Arbitrary<wire.Statement>
const author = ({ author }: wire.Statement) => author

async function signedBy(value: wire.Statement, key = keyOf(value.author)): Promise<wire.Signed> {
  if (key === undefined) {
    throw new TypeError('The generator named an author that has no key.')
  }
  return wire.sign(key, wire.DOMAINS.statement, value)
}

const check = (envelope: wire.Signed, domain: wire.Domain = wire.DOMAINS.statement) =>
  wire.verifySigned(envelope, domain, wire.statement, author)

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  const at = (bit >> 3) % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}

describe('a signed envelope', () => {
  it('gives back the value that was signed', async () => {
    await fc.assert(
      fc.asyncProperty(statements, async (value) => {
        expect(await check(await signedBy(value))).toEqual(value)
      })
    )
  })

  it('does not survive the flip of any one bit', async () => {
    await fc.assert(
      fc.asyncProperty(statements, fc.nat(), async (value, bit) => {
        const envelope = await signedBy(value)
        const changed = [
          { ...envelope, payload: flipped(envelope.payload, bit) },
          { ...envelope, signature: flipped(envelope.signature, bit) }
        ]
        for (const forged of changed) {
          await expect(check(forged)).rejects.toBeInstanceOf(wire.WireError)
        }
      }),
      { numRuns: 300 }
    )
  })

  it('of one whole envelope, every single bit counts', async () => {
    const [value] = fc.sample(statements, { numRuns: 1, seed: 7 })
    const envelope = await signedBy(value as wire.Statement) // one was asked for
    for (let bit = 0; bit < envelope.payload.length * 8; bit++) {
      await expect(check({ ...envelope, payload: flipped(envelope.payload, bit) })).rejects.toBeInstanceOf(
        wire.WireError
      )
    }
    for (let bit = 0; bit < envelope.signature.length * 8; bit++) {
      await expect(check({ ...envelope, signature: flipped(envelope.signature, bit) })).rejects.toThrow(
        wire.WireError
      )
    }
  })

  it('signed in one domain means nothing in another', async () => {
    const domains = Object.values(wire.DOMAINS).filter((domain) => domain !== wire.DOMAINS.statement)
    await fc.assert(
      fc.asyncProperty(statements, fc.constantFrom(...domains), async (value, domain) => {
        await expect(check(await signedBy(value), domain)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
      })
    )
  })

  it('signed by someone else than it names is refused', async () => {
    await fc.assert(
      fc.asyncProperty(statements, fc.constantFrom(...KEYS), async (value, key) => {
        fc.pre(peerOf(key) !== value.author)
        await expect(check(await signedBy(value, key))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
      })
    )
  })

  it('with a signature of another length is refused, and no other error comes', async () => {
    await fc.assert(
      fc.asyncProperty(statements, fc.uint8Array({ maxLength: 80 }), async (value, signature) => {
        const envelope = await signedBy(value)
        await expect(check({ ...envelope, signature })).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
      })
    )
  })

  it('by an id whose key is any 32 bytes is refused, and no other error comes', async () => {
    const ids = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await fc.assert(
      fc.asyncProperty(statements, ids, async (value, bytes) => {
        const peer = peerIdFromPublicKey(publicKeyFromRaw(bytes)).toString()
        const envelope = await signedBy(value)
        const payload = wire.encode({ ...value, author: peer })
        await expect(check({ ...envelope, payload })).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
      })
    )
  })

  it('larger than a signed payload may be is refused unread', async () => {
    const payload = new Uint8Array(wire.SIGNED_PAYLOAD_MAX + 1)
    await expect(check({ payload, signature: new Uint8Array(64) })).rejects.toMatchObject({
      code: 'TOO_LARGE'
    })
  })

  it('no domain is the beginning of another: the zero byte ends it', () => {
    const names = Object.values(wire.DOMAINS)
    expect(new Set(names).size).toBe(names.length)
    expect(names.every((name) => !name.includes('\0'))).toBe(true)
  })
})

describe('isPeerIdString', () => {
  it('knows the peer ids of Ed25519 keys', () => {
    for (const key of KEYS) {
      expect(wire.isPeerIdString(peerOf(key))).toBe(true)
    }
  })

  it('refuses other kinds of keys', async () => {
    const others = [await generateKeyPair('secp256k1'), await generateKeyPair('RSA', 2048)]
    const texts = others.map((key) => peerIdFromPrivateKey(key).toString())
    expect(texts.filter(wire.isPeerIdString)).toEqual([])
  })

  it('refuses another spelling of the same id', () => {
    for (const key of KEYS) {
      const peer = peerIdFromPrivateKey(key)
      const spellings = [
        peer.toCID().toString(),
        ` ${peer}`,
        `${peer}\n`,
        `z${peer}`,
        `1${peer}`,
        `${peer}`.toLowerCase()
      ]
      expect(spellings.filter(wire.isPeerIdString)).toEqual([])
    }
  })

  it('answers anything, twice the same, and never throws', () => {
    const texts = fc.oneof(fc.string({ maxLength: 70 }), fc.base64String({ minLength: 40, maxLength: 64 }))
    fc.assert(
      fc.property(fc.oneof(texts, fc.anything()), (text) => {
        const answer = wire.isPeerIdString(text)
        expect(answer).toBe(false)
        expect(wire.isPeerIdString(text)).toBe(answer)
      }),
      { numRuns: 1000 }
    )
  })
})
