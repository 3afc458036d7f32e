import type { Ledger } from '../credit/index.ts'
import { kernelHash, type Skill } from '../skills/index.ts'
import type { JobRequestFrame, Milliseconds, PeerIdString } from '../wire/index.ts'
import { OPEN_TIMEOUT } from './constants.ts'
import { JobError } from './errors.ts'
import type { ProviderStream } from './session-init.ts'

export type OpenFrame = Extract<JobRequestFrame, { t: 'open' }>

/** Why a job is not taken. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly retryAfterMs?: Milliseconds
}

/**
 * What a job stream begins with.
 *
 * @throws JobError `PROTOCOL`: something else came, or nothing in time
 */
export async function firstFrame(
  frames: ReturnType<ProviderStream[typeof Symbol.asyncIterator]>,
  stream: ProviderStream
): Promise<OpenFrame> {
  const timer = setTimeout(
    () => stream.abort(new JobError('PROTOCOL', 'No job was opened on the stream in time.')),
    OPEN_TIMEOUT
  )
  try {
    const { value, done } = await frames.next()
    if (done === true || value.t !== 'open') {
      throw new JobError('PROTOCOL', 'A job stream begins with `open`.')
    }
    return value
  } finally {
    clearTimeout(timer)
  }
}

export interface Terms {
  readonly payer: PeerIdString
  /** Undefined: it is not served here. */
  readonly skill: Skill | undefined
  /** The least that this node works for, in thousandths of the published cost. */
  readonly rate: number
  readonly ledger: Pick<Ledger, 'earning'>
  readonly now: () => Milliseconds
}

/** Why a job that is opened so is not taken, however free this node is. */
export async function refusalOf(
  opened: OpenFrame,
  { payer, skill, rate, ledger, now }: Terms
): Promise<Refusal | undefined> {
  if (skill === undefined) {
    return { code: 'UNKNOWN_SKILL', message: 'This node does not serve that skill.' }
  }
  const kernel = await kernelHash(skill)
  if (kernel.some((byte, i) => byte !== opened.kernel[i])) {
    return { code: 'OTHER_KERNEL', message: 'This node has another version of that skill.' }
  }
  if (opened.rate < rate) {
    return {
      code: 'PRICE',
      message: `This node works for ${rate} thousandths of the published cost or more.`
    }
  }
  const contract = await ledger.earning(opened.escrow)
  if (contract === undefined || contract.payer !== payer) {
    return { code: 'NO_ESCROW', message: 'No escrow of yours was certified here under that name.' }
  }
  if (contract.jobId.some((byte, i) => byte !== opened.jobId[i])) {
    return { code: 'OTHER_JOB', message: 'That escrow pays for another job.' }
  }
  if (contract.tClose <= now()) {
    return { code: 'NO_ESCROW', message: 'That escrow has closed: open another one.' }
  }
  return undefined
}
