import { decodeStatement } from '../../src/credit/envelope.ts'
import type { AuditedRecord } from '../../src/credit/index.ts'
import {
  decodeStrict,
  type MicroCredits,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX
} from '../../src/wire/index.ts'

/** What a chain has claimed, by escrow (µcr). */
export function claimsOf(chain: readonly AuditedRecord[]): Map<string, MicroCredits> {
  const claims = new Map<string, MicroCredits>()
  for (const { record } of chain) {
    if (record.kind !== 'claim') {
      continue
    }
    const { certificate, index } = record.body
    if (certificate.kind === 'payout') {
      const { escrow, amount } = decodeStatement(certificate.receipt, 'receipt')
      claims.set(escrow.toString(), amount)
    } else if (certificate.kind === 'settle') {
      const settle = decodeStrict(certificate.settle.payload, recordSchema, SIGNED_PAYLOAD_MAX)
      if (settle.kind === 'settle') {
        claims.set(settle.body.escrow.toString(), settle.body.payouts[index] ?? 0n)
      }
    }
  }
  return claims
}

/** The chain's newest escrow. */
export const newestEscrow = (chain: readonly AuditedRecord[]): string | undefined =>
  chain.findLast(({ record }) => record.kind === 'escrow')?.id.toString()
