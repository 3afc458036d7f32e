import { expect, test } from 'vitest'
import { ForkBook } from '../../../src/credit/fork-book.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { type ForkProof, NETWORKS, networkOf, type PeerIdString } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { NOW } from '../../fixtures/ledger-swarm.ts'

const network = await networkOf(NETWORKS.local)
const payee = await TestChain.create(network, 1, NOW)

async function forkOf(seed: number): Promise<{ author: PeerIdString; proof: ForkProof }> {
  const [one, two] = [await TestChain.create(network, seed, NOW), await TestChain.create(network, seed, NOW)]
  await one.append(one.escrowIntent([[payee.peer, 1n]], NOW))
  await two.append(two.escrowIntent([[payee.peer, 2n]], NOW))
  return { author: one.peer, proof: { kind: 'records', one: one.signedAt(1), two: two.signedAt(1) } }
}

const forks = (await Promise.all([10, 11, 12, 13, 14].map(forkOf))) as [
  Awaited<ReturnType<typeof forkOf>>,
  ...Array<Awaited<ReturnType<typeof forkOf>>>
]
const store = memoryStore()
const bookOf = (concerns: readonly PeerIdString[], over = store) =>
  new ForkBook({
    store: over,
    network,
    self: payee.peer,
    transport: { call: async () => ({ t: 'ok' }) },
    now: () => NOW,
    log: () => {},
    within: () => new AbortController().signal,
    concerns: (author) => concerns.includes(author),
    toldMax: 2
  })

test('throw-away names that have forked end no telling of forks: the oldest merely told goes, none of those dealt with', async () => {
  const [mine, met, ...strangers] = forks
  const book = bookOf([mine.author])
  await book.told(payee.peer, mine.proof)
  await book.found((met as typeof mine).proof)
  for (const { proof } of strangers) {
    await book.told(payee.peer, proof)
  }
  const kept = forks.map(({ author }) => book.has(author))
  expect(kept).toEqual([true, true, false, true, true])
  expect(await book.proofOf((strangers[0] as typeof mine).author)).toBeNull()

  const next = bookOf([mine.author])
  await next.load()
  expect(forks.map(({ author }) => next.has(author))).toEqual(kept)
  await next.told(payee.peer, (strangers[0] as typeof mine).proof) // again, once it is told again
  expect(next.has((strangers[0] as typeof mine).author)).toBe(true)
  expect(forks.filter(({ author }) => next.has(author))).toHaveLength(4)
})

test('what was told and is then found is kept for ever', async () => {
  const [first, ...others] = forks
  const book = bookOf([], memoryStore())
  await book.told(payee.peer, first.proof)
  await book.found(first.proof)
  for (const { proof } of others) {
    await book.told(payee.peer, proof)
  }
  expect(book.has(first.author)).toBe(true)
  expect(forks.filter(({ author }) => book.has(author))).toHaveLength(3)
})
