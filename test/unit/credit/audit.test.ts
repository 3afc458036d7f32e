import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { audit, auditExports, type VerifiedRecord } from '../../../src/credit/index.ts'
import { NETWORKS, type Network, networkOf, type SettleCertificate } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'

/** What the authors of a small economy may do next. Numbers are reduced to what is possible. */
const step = fc.record({
  kind: fc.constantFrom('escrow', 'escrow', 'settle', 'settle', 'claim', 'claim', 'seat', 'wait'),
  author: fc.nat(2),
  pick: fc.nat(20),
  amounts: fc.tuple(fc.nat(3_000_000), fc.nat(3_000_000)),
  hours: fc.nat(90)
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Due {
  certificate: SettleCertificate
  index: number
  payee: TestChain
}

class Economy {
  readonly network: Network
  readonly chains: readonly TestChain[]
  now = NOW
  private readonly open: Array<{ payer: TestChain; escrow: VerifiedRecord }> = []
  private readonly due: Due[] = []

  constructor(network: Network, chains: readonly TestChain[]) {
    this.network = network
    this.chains = chains
  }

  async take({ kind, author, pick, amounts, hours }: Step): Promise<void> {
    const chain = this.chains[author]
    if (!chain) {
      return
    }
    switch (kind) {
      case 'wait':
        this.now += hours * HOUR
        break
      case 'seat':
        await chain.append({ kind, ts: this.now, body: { members: [], quorum: 0, unsure: true, votes: [] } })
        break
      case 'escrow':
        await this.escrow(chain, amounts)
        break
      case 'settle':
        await this.settle(pick, amounts)
        break
      case 'claim':
        await this.claim(pick)
    }
  }

  private async escrow(payer: TestChain, amounts: readonly number[]): Promise<void> {
    const channels = this.chains
      .filter((chain) => chain !== payer)
      .map(({ peer }, i) => [peer, BigInt(amounts[i] ?? 0) + 1n] as const)
    try {
      this.open.push({ payer, escrow: await payer.append(payer.escrowIntent(channels, this.now)) })
    } catch (error) {
      expect(error).toMatchObject({ code: 'INSUFFICIENT_CREDIT' })
    }
  }

  private async settle(pick: number, amounts: readonly number[]): Promise<void> {
    const [job] = this.open.splice(pick % Math.max(1, this.open.length), 1)
    if (job?.escrow.record.kind !== 'escrow') {
      return
    }
    const { payer, escrow } = job
    const payouts = job.escrow.record.body.payees.map(({ max }, i) => BigInt(amounts[i] ?? 0) % (max + 1n))
    const settle = await payer.append(payer.settleIntent(escrow, payouts, this.now))
    const certificate = payer.certificate(escrow, settle)
    const others = this.chains.filter((chain) => chain !== payer)
    this.due.push(...others.map((payee, index) => ({ certificate, index, payee })))
  }

  private async claim(pick: number): Promise<void> {
    const [due] = this.due.splice(pick % Math.max(1, this.due.length), 1)
    try {
      await due?.payee.claim(due.certificate, due.index, this.now)
    } catch (error) {
      // nothing to claim, or too late
      expect(error).toMatchObject({ code: expect.stringMatching('BAD_CERTIFICATE|BAD_RECORD') })
    }
  }
}

test('accounts for every credit after every step of a random economy, whatever the time does', async () => {
  const network = await networkOf(NETWORKS.local)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const chains = await Promise.all([1, 2, 3].map((seed) => TestChain.create(network, seed, NOW)))
      const economy = new Economy(network, chains)
      for (const each of steps) {
        await economy.take(each)
        const books = audit(
          chains.map(({ records }) => records),
          network.parameters,
          economy.now
        )
        expect(books).toMatchObject({ balanced: true, minted: 30_000_000n, debt: 0n })
        expect(chains.every(({ head }) => head.bal >= 0n)).toBe(true)
      }
    }),
    { numRuns: 25 }
  )
})

test('shows a claim that no settle stands behind', async () => {
  const network = await networkOf(NETWORKS.local)
  const [payer, payee] = await Promise.all([1, 2].map((seed) => TestChain.create(network, seed, NOW)))
  if (!payer || !payee) {
    throw new Error('two chains')
  }
  const escrow = await payer.append(payer.escrowIntent([[payee.peer, 100n]], NOW))
  const beforeSettle = payer.records.slice()
  const settle = await payer.append(payer.settleIntent(escrow, [100n], NOW))
  await payee.claim(payer.certificate(escrow, settle), 0, NOW)
  const books = (chain: readonly VerifiedRecord[]) => audit([chain, payee.records], network.parameters)
  expect(books(payer.records)).toMatchObject({ balanced: true, debt: 0n })
  expect(books(beforeSettle)).toMatchObject({ balanced: false, debt: 100n })
})

test('refuses an export with a fault anywhere', async () => {
  const network = await networkOf(NETWORKS.local)
  const payer = await TestChain.create(network, 1, NOW)
  const payee = await TestChain.create(network, 2, NOW)
  await payer.append(payer.escrowIntent([[payee.peer, 100n]], NOW))
  const ledger = { network: 'local', peer: payer.peer, records: payer.signed }
  expect(await auditExports([ledger], network)).toMatchObject({ balanced: true, openEscrows: 100n })
  await expect(
    auditExports([{ ...ledger, records: payer.signed.toReversed() }], network)
  ).rejects.toMatchObject({ code: 'BAD_RECORD' })
  await expect(auditExports([{ ...ledger, peer: payee.peer }], network)).rejects.toMatchObject({
    code: 'BAD_RECORD'
  })
})
