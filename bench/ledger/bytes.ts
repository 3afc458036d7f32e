import { memoryStore, type Store, TABLES } from '../../src/store/index.ts'
import { encode } from '../../src/wire/index.ts'
import { LedgerSwarm, SEED } from '../../test/fixtures/ledger-swarm.ts'

const JOBS = 50
const PAYEES = 2

/** Bytes that one settled job of two payees leaves at its requester, at a payee and at a witness of seven. */
export async function bytesOfJob(): Promise<{ requester: number; payee: number; witness: number }> {
  const swarm = await LedgerSwarm.create({ seats: true })
  const stores = Array.from({ length: 1 + PAYEES + 5 }, () => memoryStore())
  const peers = await Promise.all(stores.map((store, i) => swarm.add(60 + i, store)))
  const [requester, ...others] = peers
  const payees = others.slice(0, PAYEES)
  if (requester === undefined) {
    throw new Error('There is no requester.')
  }
  const job = async () => {
    const { escrow } = await requester.escrow(payees.map((payee) => [payee, 1_000n] as const))
    for (const payee of payees) {
      const receipt = await requester.ledger.receipt(escrow, payee.peer, 500n)
      await payee.ledger.acceptReceipt(receipt, requester.peer)
    }
    const groups = payees.map((_, i) => ({ weight: 500n, payees: [i], quorum: 1 }))
    await requester.ledger.settle(escrow, groups, { seed: SEED })
  }
  await job()
  const before = await Promise.all(stores.map(bytesIn))
  for (let i = 0; i < JOBS; i++) {
    await job()
  }
  const after = await Promise.all(stores.map(bytesIn))
  await swarm.stop()
  const grown = after.map((bytes, i) => (bytes - (before[i] ?? 0)) / JOBS)
  return { requester: grown[0] ?? 0, payee: grown[1] ?? 0, witness: grown.at(-1) ?? 0 }
}

async function bytesIn(store: Store): Promise<number> {
  const rows = await Promise.all(TABLES.map((name) => store.table(name).entries()))
  const kept = rows.flat().reduce((sum, [key, value]) => sum + key.length + value.byteLength, 0)
  return kept + encode(await store.chain.range()).byteLength
}
