import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { importProfile } from '../../../src/credit/index.ts'
import { openIdentity, type PeerIdString, readEscrows, sealerOf } from '../../../src/index.ts'
import { memoryStore, TABLES } from '../../../src/store/index.ts'
import { encode, type IdentityFile, NETWORKS, type Network, networkOf } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW, testKey } from '../../fixtures/ledger-swarm.ts'

const TOKEN = new Uint8Array(32).fill(0xee)

let network: Network
let chain: TestChain
let escrow: string
let content: IdentityFile
beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  chain = await TestChain.create(network, 3, NOW)
  const payee = (await TestChain.create(network, 4, NOW)).peer
  const settled = await chain.append(chain.escrowIntent([[payee, 30n]], NOW + 1))
  await chain.append(chain.settleIntent(settled, [20n], NOW + 2))
  escrow = (
    await chain.append(chain.escrowIntent([[payee, 70n]], NOW + 3, { tClose: NOW + 60_000 }))
  ).id.toString()
  content = {
    kind: 'swarmharness-identity',
    v: 1,
    network: 'local',
    key: privateKeyToProtobuf(await testKey(3)),
    token: TOKEN,
    records: [...chain.signed],
    rows: [{ table: 'meta', key: 'a', value: Uint8Array.of(1) }]
  }
})

describe('an identity file', () => {
  test('says whose it is and what is in its ledger, sealed or not', async () => {
    const file = encode(content)
    const found = {
      peer: chain.peer,
      network: 'local',
      records: 4,
      balance: network.parameters.genesisGrant - 90n
    }
    expect(await openIdentity(file)).toMatchObject(found)
    const sealed = await (await sealerOf('a long passphrase'))(file)
    expect(await openIdentity(sealed, 'a long passphrase')).toEqual({ ...found, identity: file })
    await expect(openIdentity(sealed, 'another')).rejects.toMatchObject({ code: 'PASSPHRASE' })
  })

  test('of which any bit is another is refused', async () => {
    const file = encode({ ...content, rows: [] })
    // the token opens a closed chain, and this one is not closed: nothing in the file could contradict it
    const token = Buffer.from(file).indexOf(TOKEN)
    const place = fc.nat({ max: file.length - 1 }).filter((at) => at < token || at >= token + TOKEN.length)
    await fc.assert(
      fc.asyncProperty(place, fc.nat({ max: 7 }), async (at, bit) => {
        const changed = file.with(at, (file[at] ?? 0) ^ (1 << bit))
        await expect(openIdentity(changed)).rejects.toMatchObject({ code: expect.any(String) })
      }),
      { numRuns: 300 }
    )
  })

  test('with another key, a cut ledger, another network or no form at all is refused', async () => {
    const key = privateKeyToProtobuf(await testKey(5))
    const refused = [
      [{ ...content, key }, 'MALFORMED'],
      [{ ...content, key: Uint8Array.of(1) }, 'MALFORMED'],
      [{ ...content, records: content.records.slice(1) }, 'BAD_RECORD'],
      [{ ...content, network: 'main' }, 'WRONG_NETWORK'],
      [{ ...content, network: 'mars' }, 'WRONG_NETWORK'],
      [{ ...content, more: 1 }, 'MALFORMED'],
      [{ kind: 'swarmharness-ledger', v: 1 }, 'MALFORMED']
    ] as const
    for (const [given, code] of refused) {
      await expect(openIdentity(encode(given)), code).rejects.toMatchObject({ code })
    }
    await expect(openIdentity(new TextEncoder().encode('{"a":1}'))).rejects.toThrow('no identity file')
  })

  test('that is newer than this program changes nothing', async () => {
    const store = memoryStore()
    const file = {
      ...content,
      rows: [...content.rows, { table: 'dreams', key: 'a', value: Uint8Array.of(1) }]
    }
    await expect(importProfile(store, file, network)).rejects.toMatchObject({ code: 'BAD_RECORD' })
    expect(await store.identity()).toBeUndefined()
    for (const table of TABLES) {
      expect(await store.table(table).entries()).toEqual([])
    }
  })
})

test('the open escrows of a ledger: what is locked, for whom, and until when', async () => {
  const { peer, signed } = chain
  const ledger = { network: 'local', peer, records: signed }
  const payee: PeerIdString = (await TestChain.create(network, 4, NOW)).peer
  expect(await readEscrows(ledger)).toEqual([
    { id: escrow, at: NOW + 3, amount: 70n, payees: [{ peer: payee, max: 70n }], frees: NOW + 60_000 }
  ])
  expect(await readEscrows({ ...ledger, records: signed.slice(0, 3) })).toEqual([])
})
