import { equals } from 'uint8arrays/equals'
import type { Store, TableWrite } from '../store/index.ts'
import { sha256 } from '../wire/index.ts'
import { ensure } from './errors.ts'
import type { ChainState } from './state.ts'
import { decodeState, encodeState } from './state-codec.ts'
import type { VerifiedRecord } from './verify.ts'

/** SHA-256 of the canonical bytes of a state: what a checkpoint after it says. */
export const stateHash = (state: ChainState): Promise<Uint8Array<ArrayBuffer>> => sha256(encodeState(state))

/** That a checkpoint names the state before it. Nothing for any other record. @throws CreditError `BAD_RECORD` */
export async function checkCheckpoint(
  before: ChainState | undefined,
  { record }: VerifiedRecord
): Promise<void> {
  if (record.kind === 'checkpoint' && before !== undefined) {
    ensure(
      equals(record.body.state, await stateHash(before)),
      'BAD_RECORD',
      'The checkpoint names another state than the chain before it comes to.'
    )
  }
}

const SNAPSHOT = 'checkpoint'

/** The state that a checkpoint after it names: for the transaction of the checkpoint. */
export const snapshotRow = (state: ChainState): TableWrite => ({
  table: 'meta',
  key: SNAPSHOT,
  value: encodeState(state)
})

/** That there is none any more: the chain was rewritten before it. */
export const NO_SNAPSHOT: TableWrite = { table: 'meta', key: SNAPSHOT, value: new Uint8Array() }

/** The newest of them, with the place of its checkpoint. */
export async function readSnapshot(store: Store): Promise<{ state: ChainState; seq: number } | undefined> {
  const bytes = await store.table('meta').get(SNAPSHOT)
  const state = bytes && bytes.byteLength > 0 ? decodeState(bytes) : undefined
  return state && { state, seq: state.seq + 1 }
}
