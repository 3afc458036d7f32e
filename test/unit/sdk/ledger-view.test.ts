import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLedgerFile } from '../../../src/core.ts'
import { checkLedger, encodeLedgerFile, type LedgerExport, readLedger } from '../../../src/index.ts'
import { createTestSwarm, type TestSwarm } from '../../../src/testing.ts'
import { product } from '../../fixtures/node-house.ts'

let house: TestSwarm
let ledger: LedgerExport
beforeAll(async () => {
  house = await createTestSwarm({ peers: 3, seed: 5 })
  await house.requester.submit('matmul-i8', product(32), { units: 2 }).result
  ledger = await house.requester.exportLedger()
})
afterAll(() => house?.stop())

describe('a ledger as people read it', () => {
  test('has a row a record, whose changes add up to the balance', async () => {
    const rows = await readLedger(ledger)
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index))
    expect(rows.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['genesis', 'escrow', 'settle']))
    const sum = rows.reduce((total, { change }) => total + change, 0n)
    expect(sum).toBe(rows.at(-1)?.balance)
    const escrow = rows.find(({ kind }) => kind === 'escrow')
    expect(escrow?.change).toBeLessThan(0n)
    // one that starts later does not say that its first record brought all there is
    const [first] = await readLedger({ ...ledger, records: ledger.records.slice(2) })
    expect(first).toMatchObject({ seq: 2, change: 0n })
  })

  test('holds, unless one byte of it is another', async () => {
    expect(await checkLedger(ledger)).toBeUndefined()
    const [genesis, first, ...rest] = ledger.records
    if (genesis === undefined || first === undefined) throw new Error('there are two')
    const signature = first.signature.with(0, (first.signature[0] ?? 0) ^ 1)
    const damaged = { ...ledger, records: [genesis, { ...first, signature }, ...rest] }
    expect(await checkLedger(damaged)).toMatchObject({ seq: 1, code: 'BAD_SIGNATURE' })
    expect(await checkLedger({ ...ledger, records: [genesis, ...rest] })).toMatchObject({ seq: 1 })
  })

  test('is the same out of its file, and a damaged file is none', async () => {
    const file = encodeLedgerFile(ledger)
    const opened = openLedgerFile(file)
    expect(await readLedger(opened)).toEqual(await readLedger(ledger))
    expect(await checkLedger(opened)).toBeUndefined()
    for (const damaged of [file.subarray(1), file.subarray(0, -1), new Uint8Array()]) {
      expect(() => openLedgerFile(damaged)).toThrow(
        expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining('no ledger file') })
      )
    }
  })

  test('of somebody else, or of another network, is said so', async () => {
    const [other] = house.providers
    if (other === undefined) throw new Error('there is one')
    expect(await checkLedger({ ...ledger, peer: other.peer })).toMatchObject({ code: 'BAD_RECORD' })
    expect(await checkLedger({ ...ledger, network: '<b>' })).toMatchObject({ code: 'WRONG_NETWORK' })
    await expect(readLedger({ ...ledger, network: 'x' })).rejects.toMatchObject({ code: 'WRONG_NETWORK' })
  })
})
