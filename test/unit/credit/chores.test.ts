import { afterEach, expect, test } from 'vitest'
import { memoryStore, type Store, StoreError } from '../../../src/store/index.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { HOUR, LedgerSwarm, SEED } from '../../fixtures/ledger-swarm.ts'

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

test('what a ledger does by itself never rejects, whatever its store does', async () => {
  swarm = await LedgerSwarm.create()
  const store = new CrashingStore(memoryStore())
  const [payer, payee] = [await swarm.add(1), await swarm.add(2, store)]
  const { escrow, tClose } = await payer.escrow([[payee, 100n]])
  await payee.ledger.acceptReceipt(await payer.ledger.receipt(escrow, payee.peer, 10n), payer.peer)
  swarm.now = tClose + 30 * 24 * HOUR // there is something to forget
  store.arm(0, 'before', true)
  await payee.ledger.maintain()
  await swarm.back(payee.peer)
  expect(swarm.logs.filter((line) => line.startsWith('Forgetting has to wait'))).not.toEqual([])
})

test('a settle whose certificate cannot be stored is a settle: its payees get the certificate later', async () => {
  swarm = await LedgerSwarm.create()
  const store = memoryStore()
  const table = store.table.bind(store)
  let isFull = false
  const full: Store = {
    ...bound(store),
    table: (name) => ({
      ...bound(table(name)),
      put: (...row) =>
        isFull && name === 'certificates'
          ? Promise.reject(new StoreError('FULL', 'The storage is full.'))
          : table(name).put(...row)
    })
  }
  const [payer, payee] = [await swarm.add(1, full), await swarm.add(2)]
  const { escrow } = await payer.escrow([[payee, 100n]])
  await payee.ledger.acceptReceipt(await payer.ledger.receipt(escrow, payee.peer, 10n), payer.peer)
  isFull = true
  const settlement = await payer.ledger.settle(escrow, [{ weight: 10n, payees: [0], quorum: 1 }], {
    seed: SEED
  })
  expect(settlement).toMatchObject({ certainty: 'pending', refund: 90n })
  isFull = false
  await payee.ledger.maintain()
  expect((await payee.ledger.balance()).settled).toBe(10_000_010n)
})

test('stopping waits for what still writes', async () => {
  swarm = await LedgerSwarm.create()
  const inner = memoryStore()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  let isStopped = false
  const late: string[] = []
  const store: Store = {
    ...bound(inner),
    table: (name) => ({
      ...bound(inner.table(name)),
      async delete(key) {
        await (isHeld ? gate.promise : undefined)
        if (isStopped) {
          late.push(key)
        }
        await inner.table(name).delete(key)
      }
    })
  }
  const [payer, payee] = [await swarm.add(1), await swarm.add(2, store)]
  await payer.escrow([[payee, 100n]])
  swarm.now += 30 * 24 * HOUR
  isHeld = true
  const maintained = payee.ledger.maintain()
  const stopped = payee.ledger.stop().then(() => {
    isStopped = true
  })
  await new Promise(setImmediate)
  gate.resolve()
  await Promise.all([maintained, stopped])
  expect(late).toEqual([])
  expect((await inner.table('contracts').entries()).filter(([key]) => key.startsWith('earn/'))).toEqual([])
})

/** Its methods, bound: a class spreads none of them. */
function bound<T extends object>(of: T): T {
  const names = new Set([...Object.keys(of), ...Object.getOwnPropertyNames(Object.getPrototypeOf(of))])
  const methods = [...names].map((name) => {
    const value: unknown = Reflect.get(of, name)
    return [name, typeof value === 'function' ? value.bind(of) : value]
  })
  return Object.fromEntries(methods)
}
