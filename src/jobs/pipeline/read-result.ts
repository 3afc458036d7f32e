import { equals } from 'uint8arrays/equals'
import type { Channel, UnitResult } from '../channel.ts'
import { chunkHashes, partHash } from '../chunks.ts'
import { JobError } from '../errors.ts'
import { fromHex } from '../plan.ts'
import { checkStepSignature } from '../result.ts'
import type { Done } from './lane.ts'
import { type HashedPipeline, unitPrice } from './plan.ts'
import type { Task } from './round-init.ts'

/**
 * A unit's result as its provider signed it, not yet checked by anybody.
 *
 * @throws WireError `BAD_SIGNATURE`, JobError `WRONG_RESULT` for bytes that are not those that were signed
 */
export async function readResult(
  plan: HashedPipeline,
  { lane, stage, unit, before, of }: Task,
  channel: Channel,
  { sent, bytes, hash, signature }: UnitResult
): Promise<Done> {
  const input = of?.hash ?? before?.hash ?? fromHex(plan.inputs[lane.index]?.hash ?? '')
  await checkStepSignature(
    { escrow: channel.escrow, index: sent.number, input, result: hash, author: channel.peer },
    signature
  )
  if (!sent.isKept && !equals(await partHash(await chunkHashes(bytes)), hash)) {
    throw new JobError('WRONG_RESULT', 'A result does not match its hash.')
  }
  const spec = lane.plan.units[stage]?.[unit]
  return {
    lane,
    stage,
    unit,
    channel,
    number: sent.number,
    input,
    hash,
    size: sent.resultSize,
    signature,
    before,
    bytes: sent.isKept ? undefined : bytes,
    price: spec === undefined ? 0n : unitPrice(spec, plan.rate),
    tookMs: sent.tookMs,
    unitsAhead: sent.unitsAhead,
    isVerified: false
  }
}
