import { readFile } from 'node:fs/promises'
import { base16 } from 'multiformats/bases/base16'
import { expect, test } from 'vitest'
import { openAdvert } from '../../../src/registry/advert.ts'
import { NETWORKS, networkOf, type PeerIdString } from '../../../src/wire/index.ts'
import { registryVectors } from '../../fixtures/registry-vectors.ts'

type Vectors = Awaited<ReturnType<typeof registryVectors>>

const stored = async () =>
  JSON.parse(
    await readFile(new URL('../../../docs/vectors/registry.json', import.meta.url), 'utf8')
  ) as Vectors

test('adverts, places, shards and keys are those of the published vectors', async () => {
  expect(JSON.parse(JSON.stringify(await registryVectors()))).toEqual(await stored())
})

test('the published advert opens', async () => {
  const { advert } = await stored()
  const opened = await openAdvert(
    { payload: base16.baseDecode(advert.payload), signature: base16.baseDecode(advert.signature) },
    {
      from: advert.peer as PeerIdString, // a vector's peer is one
      network: await networkOf(NETWORKS.local),
      now: advert.expires - 1,
      knownSeq: advert.seq
    }
  )
  expect(opened.skills.map(({ name }) => name)).toEqual(['matmul-i8'])
})
