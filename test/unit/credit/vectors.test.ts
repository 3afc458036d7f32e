import { readFile } from 'node:fs/promises'
import { base16 } from 'multiformats/bases/base16'
import { expect, test } from 'vitest'
import {
  openExport,
  replayChain,
  verifyForkProof,
  verifyRecord,
  verifyStatement
} from '../../../src/credit/index.ts'
import { cidOf, NETWORKS, networkOf, type Signed, WireError } from '../../../src/wire/index.ts'
import { ledgerVectors } from '../../fixtures/ledger-vectors.ts'

type Vectors = Awaited<ReturnType<typeof ledgerVectors>>

const stored = async () =>
  JSON.parse(await readFile(new URL('../../../docs/vectors/ledger.json', import.meta.url), 'utf8')) as Vectors

const signedOf = ({ payload, signature }: { payload: string; signature: string }): Signed => ({
  payload: base16.baseDecode(payload),
  signature: base16.baseDecode(signature)
})

test('the formats are those of the published vectors', async () => {
  expect(JSON.parse(JSON.stringify(await ledgerVectors()))).toEqual(await stored())
})

test('every vector under witnesses verifies', async () => {
  const { witnessed } = await stored()
  const network = await networkOf(NETWORKS.local)
  const ends = ['A', 'B'].map(async (owner) => {
    const records = witnessed.records.filter(({ name }) => name.startsWith(owner))
    return (await replayChain(undefined, records.map(signedOf), network))?.bal
  })
  expect(await Promise.all(ends)).toEqual([9_998_330n, 10_000_920n])
  const [reseat, payout] = witnessed.statements.map(signedOf)
  if (!reseat || !payout) {
    throw new Error('two statements')
  }
  expect((await verifyStatement(reseat, 'reseat', network)).seq).toBe(2)
  expect((await verifyStatement(payout, 'payout', network)).amount).toBe(250n)
})

test('a chain is read from its start as from its genesis', async () => {
  const { started, witnessed } = await stored()
  const network = await networkOf(NETWORKS.local)
  const checkpoint = signedOf(started.checkpoint)
  const start = { state: base16.baseDecode(started.state), votes: started.votes.map(signedOf) }
  const opened = await openExport({ start, records: [checkpoint] }, network)
  expect(opened?.voters).toHaveLength(3)
  const whole = witnessed.records.filter(({ name }) => name.startsWith('A')).map(signedOf)
  expect(await replayChain(opened?.state, [checkpoint], network)).toEqual(
    await replayChain(undefined, whole, network)
  )
})

test('the healed chain has paid for both of its branches', async () => {
  const { healed } = await stored()
  const network = await networkOf(NETWORKS.local)
  expect((await replayChain(undefined, healed.map(signedOf), network))?.bal).toBe(10_000_000n - 327n)
})

test('the chain that moved is open', async () => {
  const { moved } = await stored()
  const network = await networkOf(NETWORKS.local)
  const state = await replayChain(undefined, moved.map(signedOf), network)
  expect([state?.seq, state?.closed]).toEqual([2, null])
})

test('every vector of a fork proves it', async () => {
  const { forks } = await stored()
  const network = await networkOf(NETWORKS.local)
  const authors = forks.map(async ({ kind, one, two }) => {
    return (await verifyForkProof({ kind, one: signedOf(one), two: signedOf(two) }, network)).author
  })
  expect(await Promise.all(authors)).toEqual(forks.map(({ author }) => author))
})

test('every vector verifies as it is published', async () => {
  const { records, statements } = await stored()
  const network = await networkOf(NETWORKS.local)
  for (const vector of records) {
    const { id } = await verifyRecord(signedOf(vector), network)
    expect(id.toString()).toBe(vector.id)
  }
  const chainOfA = records.filter(({ name }) => name.startsWith('A')).map(signedOf)
  expect((await replayChain(undefined, chainOfA, network))?.bal).toBe(9_998_899n)
  const kinds = ['receipt', 'release', 'vote'] as const
  for (const [i, vector] of statements.entries()) {
    await verifyStatement(signedOf(vector), kinds[i] ?? 'vote', network)
    expect((await cidOf(signedOf(vector).payload)).toString()).toBe(vector.id)
    await expect(verifyRecord(signedOf(vector), network)).rejects.toBeInstanceOf(WireError)
  }
})
