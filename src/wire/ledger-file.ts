import * as z from 'zod/mini'
import { type ChainStart, chainStart } from './chain-start.ts'
import { decodeStrict, encode } from './codec.ts'
import { name, peerId } from './schema.ts'
import { type Signed, signed } from './signed.ts'
import type { PeerIdString } from './units.ts'

/** Largest ledger file in bytes. */
export const LEDGER_FILE_MAX = 256 * 1024 * 1024

/**
 * A peer's chain as a file (`.ledger`), oldest record first: strict DAG-CBOR like everything signed. Whole, or with
 * `start` from a certified checkpoint on, which is then the first record.
 */
export const ledgerFile = z.strictObject({
  kind: z.literal('swarmharness-ledger'),
  v: z.literal(1),
  network: name,
  peer: peerId,
  start: z.optional(chainStart),
  records: z.array(signed).check(z.minLength(1))
})

export type LedgerFile = z.output<typeof ledgerFile>

export function encodeLedgerFile(ledger: {
  readonly network: string
  readonly peer: PeerIdString
  readonly start?: ChainStart | undefined
  readonly records: readonly Signed[]
}): Uint8Array<ArrayBuffer> {
  const { network, peer, start, records } = ledger
  return encode({ kind: 'swarmharness-ledger', v: 1, network, peer, ...(start && { start }), records })
}

/**
 * Reads the form of a ledger file; what its records say is not checked.
 *
 * @throws WireError `TOO_LARGE`, `MALFORMED` or `NOT_CANONICAL`
 */
export const decodeLedgerFile = (bytes: Uint8Array): LedgerFile =>
  decodeStrict(bytes, ledgerFile, LEDGER_FILE_MAX)
