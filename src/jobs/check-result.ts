import { sha256 } from '../wire/index.ts'
import type { Channel, UnitResult } from './channel.ts'
import { JobError } from './errors.ts'
import type { JobContext } from './job-context.ts'
import { checkResultSignature } from './result.ts'

/**
 * A result is what its author signed, and passes the skill's own check.
 *
 * @returns its SHA-256
 * @throws JobError `WRONG_RESULT`
 */
export async function checkResult(
  job: JobContext,
  channel: Channel,
  result: UnitResult
): Promise<Uint8Array> {
  const { sent } = result
  const unit = {
    skill: job.skill.manifest.name,
    params: sent.spec.params,
    data: sent.spec.data,
    parts: sent.spec.parts.flatMap((part) => job.plan.partRefs[part] ?? [])
  }
  // drawn after the signed result has come; so the three checks need not wait for each other
  const challenge = crypto.getRandomValues(new Uint8Array(32))
  const of = { escrow: channel.escrow, index: sent.number, author: channel.peer }
  const [hash, isRight] = await Promise.all([
    sha256(result.bytes),
    job.engine.verify(unit, result.bytes, challenge),
    checkResultSignature(of, result.hash, result.signature)
  ])
  if (hash.some((byte, i) => byte !== result.hash[i])) {
    throw new JobError('WRONG_RESULT', `The result of unit ${result.index} does not match its hash.`)
  }
  if (!isRight) {
    throw new JobError('WRONG_RESULT', `The result of unit ${result.index} is wrong.`)
  }
  return hash
}
