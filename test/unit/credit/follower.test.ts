import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { Follower } from '../../../src/credit/follower.ts'
import { replayChain } from '../../../src/credit/index.ts'
import { NETWORKS, type Network, networkOf, type Signed } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'

/** Signatures of a tail are checked many at a time: what is said of it is what checking one by one would say. */

const NOW = 1_700_000_000_000
/** More than are under way at once, and than are checked in one go. */
const LENGTH = 200

let network: Network
let author: TestChain
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  author = await TestChain.create(network, 1, NOW)
  const body = { members: [], quorum: 0, unsure: true, votes: [] }
  while (author.signed.length < LENGTH) {
    await author.append({ kind: 'seat', ts: NOW + author.signed.length, body })
  }
})

const follower = () => new Follower({ network })
const unsigned = ({ payload }: Signed): Signed => ({ payload, signature: new Uint8Array(64) })
const malformed: Signed = { payload: new Uint8Array(9), signature: new Uint8Array(64) }

describe('a tail', () => {
  test('in any pieces that overlap comes to the chain that it is of', async () => {
    const cuts = fc.array(fc.nat(LENGTH), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat(5), async (places, overlap) => {
        const chain = follower()
        const ends = [...places.sort((a, b) => a - b), LENGTH]
        for (const [i, end] of ends.entries()) {
          await chain.follow(author.peer, author.signed.slice(Math.max(0, (ends[i - 1] ?? 0) - overlap), end))
        }
        const { state, steps } = await chain.of(author.peer)
        expect(state).toEqual(author.state)
        expect(steps.map(({ envelope }) => envelope)).toEqual(author.signed)
      }),
      { numRuns: 10 }
    )
  })

  test('with a wrong signature anywhere is refused, and nothing of it is followed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(LENGTH - 1), async (place) => {
        const chain = follower()
        const tail = author.signed.map((signed, i) => (i === place ? unsigned(signed) : signed))
        await expect(chain.follow(author.peer, tail)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
        expect((await chain.of(author.peer)).state).toBeUndefined()
      }),
      { numRuns: 10 }
    )
  })

  test('is followed up to a gap: what lies behind it is not judged, whatever it is', async () => {
    const chain = follower()
    const [gap, ...behind] = author.signed.slice(41, 60)
    const tail = [...author.signed.slice(0, 40), ...(gap ? [gap] : []), ...behind.map(unsigned), malformed]
    expect((await chain.follow(author.peer, tail)).state?.seq).toBe(39)
  })

  test('of which the beginning is known is not judged there, and after it as ever', async () => {
    const chain = follower()
    await chain.follow(author.peer, author.signed.slice(0, 50))
    const known = author.signed.slice(0, 49).map(unsigned)
    expect((await chain.follow(author.peer, [...known, ...author.signed.slice(49)])).state).toEqual(
      author.state
    )
    const other = follower()
    await other.follow(author.peer, author.signed.slice(0, 50))
    const forged = [...known, ...author.signed.slice(49).map(unsigned)]
    await expect(other.follow(author.peer, forged)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })
})

test('the first of several wrong records is the one at fault, and those before it hold', async () => {
  const tail = author.signed.map((signed, i) => (i > 70 || i === 45 ? malformed : signed))
  const follows = author.signed[43]
  for (const [wrong, code] of [
    [author.signed[0], 'BAD_RECORD'],
    [follows && unsigned(follows), 'BAD_SIGNATURE'],
    [malformed, 'MALFORMED']
  ] as const) {
    let held = 0
    const records = tail.map((signed, i) => (i === 43 && wrong ? wrong : signed))
    const replayed = replayChain(undefined, records, network, {
      held: (count) => {
        held = count
      }
    })
    await expect(replayed).rejects.toMatchObject({ code })
    expect(held).toBe(43)
  }
})

test.each([
  ['a long tail is checked, even where WebCrypto answers at once', true],
  ['a long chain is read that was checked before', false]
])('events are let in while %s', async (_, signatures) => {
  const verify = vi.spyOn(crypto.subtle, 'verify').mockResolvedValue(true) // as in Chromium: no event comes before it
  let ended = false
  const event = new Promise<boolean>((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve(ended)
    }
    port2.postMessage(undefined)
  })
  await replayChain(undefined, author.signed, network, { signatures })
  ended = true
  verify.mockRestore()
  expect(await event).toBe(false)
})
