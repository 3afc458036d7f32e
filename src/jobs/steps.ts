import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import type { Engine, EngineUnit, PartRef } from '../compute/index.ts'
import { type Skill, SkillError } from '../skills/index.ts'
import type {
  JobRequestFrame,
  MicroCredits,
  Origin,
  PeerIdString,
  RowsOf,
  Signed,
  Ticket
} from '../wire/index.ts'
import { chunkHashes, partHash } from './chunks.ts'
import { CHECKS_A_UNIT, PULL_BYTES_MAX } from './constants.ts'
import { JobError } from './errors.ts'
import type { PartShelf } from './part-store.ts'
import { hex } from './plan.ts'
import type { PullSink } from './pull.ts'
import { checkStepSignature } from './result.ts'
import { readTicket } from './ticket.ts'
import type { WorkWindow } from './work-window.ts'

export type StepFrame = Extract<JobRequestFrame, { t: 'step' }>

export interface StepsInit {
  readonly skill: Skill
  /** All that this node knows: the stage before has another one. */
  readonly skills: ReadonlyMap<string, Skill>
  readonly parts: PartShelf
  readonly escrow: CID
  readonly payer: PeerIdString
  /** The escrow's: what was fetched for it counts there, over all its streams. */
  readonly window: Pick<WorkWindow, 'pulled'>
  readonly engine: Pick<Engine, 'verify'>
  /** When its turn has come. */
  readonly compute: (unit: EngineUnit, cost: MicroCredits, signal: AbortSignal) => Promise<Uint8Array>
  readonly pull: Pull
}

export type Pull = (
  from: { readonly holder: PeerIdString; readonly ticket: Signed; readonly parts: readonly string[] },
  sink: PullSink,
  signal: AbortSignal
) => Promise<void>

/** What came of a step. Of a mere check there are no bytes. */
export interface StepResult {
  /** Its part hash. */
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * Units of a pipeline at a provider: fetches what it lacks from the providers that have it, checks the result that it
 * builds on as a requester would, makes rows of it, computes, and keeps the result for the next stage.
 */
export class Steps {
  private readonly init: StepsInit
  private readonly pulling = new Map<string, Promise<void>>()
  /** Results of this stream, by hash: what may be asked of it to check is what was made of them. */
  private readonly made = new Set<string>()
  private checks = 0

  constructor(init: StepsInit) {
    this.init = init
  }

  /**
   * What the unit costs (µcr); of a check nothing.
   *
   * @throws SkillError `BAD_UNIT`, JobError `PROTOCOL` for a step that nobody may ask for
   */
  costOf({ mode, params, parts, partSizes, dataSize, input, origin, via }: StepFrame): MicroCredits {
    if (mode === 'check') {
      if (origin === null || !this.made.has(hex(origin.input))) {
        throw new JobError(
          'PROTOCOL',
          'Only what was made of a result of this stream is checked for nothing.'
        )
      }
      if (++this.checks > CHECKS_A_UNIT * this.made.size) {
        throw new JobError('PROTOCOL', 'More checks came than there are results of this stream.')
      }
      return 0n
    }
    const { skill } = this.init
    if (
      skill.chain === undefined ||
      (origin === null) !== (via === null) ||
      parts.length !== partSizes.length
    ) {
      throw new SkillError('BAD_UNIT', 'This is no unit of a pipeline that this skill can be a stage of.')
    }
    if (origin !== null && !equals(origin.result, input)) {
      throw new SkillError('BAD_UNIT', 'A step is computed from the result whose origin it names.')
    }
    return skill.checkUnit({ params, dataSize, partSizes }).cost
  }

  /** @throws JobError `WRONG_INPUT`, `INPUT_GONE`, `BUSY`; SkillError `BAD_UNIT`; what the engine throws; the signal's reason */
  async run(frame: StepFrame, cost: MicroCredits, signal: AbortSignal): Promise<StepResult> {
    const { origin, mode } = frame
    const passing = [frame.input, ...(origin === null ? [] : [origin.input])].map(hex)
    try {
      await this.fetch(frame, signal)
      if (origin !== null) {
        await this.check(origin, signal)
      }
      if (mode === 'check') {
        return { hash: await partHash(await chunkHashes(NOTHING)), bytes: NOTHING }
      }
      const bytes = await this.init.compute(await this.unitOf(frame), cost, signal)
      const hash = await partHash(await chunkHashes(bytes))
      this.init.parts.add(hex(hash), bytes)
      this.made.add(hex(hash))
      return { hash, bytes }
    } finally {
      for (const hash of passing) {
        this.init.parts.letGo(hash) // it stays for those who ask for it, until its place is needed
      }
    }
  }

  private async unitOf({ params, parts, partSizes, dataSize, input, via }: StepFrame): Promise<EngineUnit> {
    const { skill } = this.init
    const refs = parts.map((hash) => this.part(hash))
    const data = this.dataOf(skill, input, via)
    if (data.byteLength !== dataSize || refs.some(({ bytes }, i) => bytes.byteLength !== partSizes[i])) {
      throw new SkillError('BAD_UNIT', 'Parts or rows are not of the sizes that were said.')
    }
    return { skill: skill.manifest.name, params, data, parts: refs }
  }

  /** The unit's own input: bytes as they are, or rows of another unit's result. */
  private dataOf(skill: Skill, input: Uint8Array, via: RowsOf | null): Uint8Array {
    const { bytes } = this.part(input)
    return via === null ? bytes : dataFrom(this.init.skills, skill, bytes, via)
  }

  /** As the requester would: what the stage before has signed must be right, before anything is built on it. */
  private async check(origin: Origin, signal: AbortSignal): Promise<void> {
    const { skills, escrow, engine } = this.init
    const { skill: name, params, index, input, result, peer, signature } = origin
    const skill = skills.get(name)
    if (skill?.chain === undefined) {
      throw new SkillError('BAD_UNIT', `${name} is no stage of a pipeline here.`)
    }
    await checkStepSignature({ escrow, index, input, result, author: peer }, signature)
    const parts = origin.parts.map((hash) => this.part(hash))
    const { bytes } = this.part(result)
    const data = this.dataOf(skill, input, origin.via)
    const sizes = { params, dataSize: data.byteLength, partSizes: parts.map((part) => part.bytes.byteLength) }
    const { resultSize } = skill.checkUnit(sizes)
    const challenge = crypto.getRandomValues(new Uint8Array(32)) // drawn after the result was signed
    const isRight =
      bytes.byteLength === resultSize &&
      (await engine.verify({ skill: name, params, data, parts }, bytes, challenge, { signal }))
    if (!isRight) {
      throw new JobError('WRONG_INPUT', `The result of ${peer} that this unit builds on is wrong.`)
    }
  }

  private part(hash: Uint8Array): PartRef {
    const key = hex(hash)
    const bytes = this.init.parts.recall(key) ? this.init.parts.get(key) : undefined
    if (bytes === undefined) {
      throw new JobError('INPUT_GONE', 'A part had to make room before it was used.', { retryable: true })
    }
    return { hash: key, bytes }
  }

  /** What is neither here nor on its way, from those whom the tickets name. */
  private async fetch({ tickets, parts, input, origin }: StepFrame, signal: AbortSignal): Promise<void> {
    const needed = new Set(
      [...parts, input, ...(origin === null ? [] : [...origin.parts, origin.input, origin.result])].map(hex)
    )
    const missing = new Set([...needed].filter((hash) => !this.init.parts.recall(hash)))
    const waits: Promise<void>[] = []
    for (const hash of [...missing]) {
      const pulling = this.pulling.get(hash)
      if (pulling !== undefined) {
        waits.push(pulling)
        missing.delete(hash)
      }
    }
    for (const signed of missing.size > 0 ? tickets : []) {
      const ticket = await this.readTicket(signed)
      const wanted = ticket.parts.map(hex).filter((hash) => missing.delete(hash))
      if (wanted.length > 0) {
        waits.push(this.pull(ticket.holder, signed, wanted, signal))
      }
    }
    if (missing.size > 0) {
      throw new JobError('PROTOCOL', 'A step names a part that is not here, and no ticket for it.')
    }
    await Promise.all(waits)
  }

  private async pull(
    holder: PeerIdString,
    ticket: Signed,
    parts: readonly string[],
    signal: AbortSignal
  ): Promise<void> {
    const { parts: shelf, window } = this.init
    const sink: PullSink = {
      expect: (hash, size) => {
        if (window.pulled + size > PULL_BYTES_MAX) {
          throw new JobError('BUSY', 'Too much was to be fetched without a receipt.', { retryable: true })
        }
        window.pulled += size
        shelf.expect(hash, size)
      },
      keep: (hash, bytes) => shelf.keep(hash, bytes),
      unexpect: (hash) => shelf.unexpect(hash)
    }
    const pulling = this.init.pull({ holder, ticket, parts }, sink, signal)
    for (const hash of parts) {
      this.pulling.set(hash, pulling)
    }
    try {
      await pulling
    } finally {
      for (const hash of parts) {
        this.pulling.delete(hash)
      }
    }
  }

  private async readTicket(signed: Signed): Promise<Ticket> {
    const ticket = await readTicket(signed)
    if (ticket.author !== this.init.payer) {
      throw new JobError('PROTOCOL', 'That ticket is not by the requester of this job.')
    }
    return ticket
  }
}

const NOTHING = new Uint8Array(0)

/**
 * A unit's own input from the result of the stage before.
 *
 * @throws SkillError `BAD_UNIT` for rows that no skill here gives
 */
export function dataFrom(
  skills: ReadonlyMap<string, Skill>,
  skill: Skill,
  result: Uint8Array,
  { skill: name, params, relu, scale }: RowsOf
): Uint8Array {
  const rows = skills.get(name)?.chain?.rows?.(params, result)
  if (rows === undefined || skill.chain === undefined) {
    throw new SkillError('BAD_UNIT', `Nothing can follow ${name} here.`)
  }
  return skill.chain.data(rows, { relu, scale })
}
