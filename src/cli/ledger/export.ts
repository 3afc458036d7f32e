import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyRecord } from '../../credit/index.ts'
import { openStore } from '../../store/index.ts'
import { encodeLedgerFile, NETWORKS, networkOf } from '../../wire/index.ts'
import { OutputFile } from '../output.ts'
import { notWritten, oneOf, UsageError } from '../terminal.ts'

export interface Exported {
  readonly peer: string
  readonly network: string
  readonly records: number
  readonly file: string
}

/**
 * Writes the ledger that a data folder holds as a file, from its first record. Checks no signature: `verify` does.
 *
 * @throws UsageError; StoreError `LOCKED` while a node uses the folder; SwarmError `NOT_WRITTEN`
 */
export async function exportLedger(folder: string, name: string, file: string): Promise<Exported> {
  const network = await networkOf(NETWORKS[oneOf('network', ['local', 'main'])(name)])
  const none = new UsageError(`${folder} holds no ledger of the network ${name}: is --network right?`)
  if (
    await stat(join(folder, name)).then(
      () => false,
      () => true
    )
  ) {
    throw none // before a store is made there
  }
  const store = await openStore({ network: name, dataFolder: folder })
  const records = await store.chain.range().finally(() => store.close())
  const [first] = records
  if (first === undefined) {
    throw none
  }
  const { author: peer } = (await verifyRecord(first.record, network, { signatures: false })).record
  const out = await OutputFile.open(file)
  try {
    await out.save(encodeLedgerFile({ network: name, peer, records: records.map(({ record }) => record) }))
  } catch (cause) {
    throw notWritten(file, cause)
  } finally {
    await out.close()
  }
  return { peer, network: name, records: records.length, file }
}
