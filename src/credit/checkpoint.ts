import { equals } from 'uint8arrays/equals'
import { sha256 } from '../wire/index.ts'
import { ensure } from './errors.ts'
import type { ChainState } from './state.ts'
import { encodeState } from './state-codec.ts'
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
