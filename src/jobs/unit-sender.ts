import type { PartRef } from '../compute/index.ts'
import type { JobRequestFrame } from '../wire/index.ts'
import { PARTS_ASKED_MAX } from '../wire/index.ts'
import type { JobStream } from './channel.ts'
import { chunksOf } from './chunks.ts'
import type { Sent } from './hands.ts'
import { fromHex, type HashedPlan } from './plan.ts'

export interface UnitSenderInit {
  readonly stream: JobStream
  readonly isWanted: (unit: Sent) => boolean
  /** The unit itself is about to travel. False: it is not wanted any more. */
  readonly begin: (unit: Sent) => boolean
  /** The provider has taken a piece of it. */
  readonly onSent: () => void
}

type StepFrame = Extract<JobRequestFrame, { t: 'step' }>

/** A unit of a pipeline as it goes out. */
export interface StepTerms {
  readonly frame: Omit<StepFrame, 't' | 'index'>
  /** What goes before it, if it is not there. */
  readonly parts: readonly PartRef[]
  readonly chunks: HashedPlan<unknown>['partChunks']
}

/** Sends units to one provider, one after the other, and each shared part once. */
export class UnitSender {
  private readonly init: UnitSenderInit
  /** Hashes of the parts that the provider has. */
  private readonly there = new Set<string>()
  /** Those that `open` asked for, in its order. */
  private asked: readonly PartRef[] = []
  private last: Promise<void> = Promise.resolve()

  constructor(init: UnitSenderInit) {
    this.init = init
  }

  /** The parts to ask for in `open`. */
  ask(plan: HashedPlan<unknown>): Uint8Array[] {
    // by hash: equal blocks, such as zeros, are one part
    const refs = new Map(plan.partRefs.map((part) => [part.hash, part]))
    this.asked = [...refs.values()].slice(0, PARTS_ASKED_MAX)
    return this.asked.map(({ hash }) => fromHex(hash))
  }

  /** The provider has these of the parts asked for. */
  found(have: readonly number[]): void {
    for (const i of have) {
      this.there.add(this.asked[i]?.hash ?? '')
    }
  }

  /** After all units before it. Resolves when the stream has taken it, or it is no longer wanted. */
  send(unit: Sent, plan: HashedPlan<unknown>): Promise<void> {
    this.last = this.last.then(() => this.sendNow(unit, plan))
    return this.last
  }

  /** Likewise. */
  sendStep(unit: Sent, terms: () => Promise<StepTerms>): Promise<void> {
    this.last = this.last.then(async () => {
      if (!this.init.isWanted(unit)) {
        return
      }
      const { frame, parts, chunks } = await terms()
      for (const part of parts) {
        await this.sendPart(part, { partChunks: chunks })
      }
      if (this.init.begin(unit)) {
        await this.init.stream.send({ t: 'step', index: unit.number, ...frame })
        this.init.onSent()
      }
    })
    return this.last
  }

  holds(hash: string): boolean {
    return this.there.has(hash)
  }

  private async sendNow(unit: Sent, plan: HashedPlan<unknown>): Promise<void> {
    const { stream, begin, isWanted, onSent } = this.init
    const { spec, number: index } = unit
    for (const part of isWanted(unit) ? spec.parts : []) {
      await this.sendPart(plan.partRefs[part], plan)
    }
    if (!begin(unit)) {
      return
    }
    const [first, ...rest] = chunksOf(spec.data)
    await stream.send({
      t: 'unit',
      index,
      params: [...spec.params],
      parts: spec.parts.map((part) => plan.partHashes[part] ?? new Uint8Array()),
      size: spec.data.byteLength,
      bytes: first?.bytes ?? new Uint8Array()
    })
    for (const chunk of rest) {
      onSent()
      await stream.send({ t: 'input', index, ...chunk })
    }
    onSent()
  }

  private async sendPart(
    part: PartRef | undefined,
    { partChunks }: Pick<HashedPlan<unknown>, 'partChunks'>
  ): Promise<void> {
    if (part === undefined || this.there.has(part.hash)) {
      return
    }
    this.there.add(part.hash)
    const hash = fromHex(part.hash)
    const chunks = [...(partChunks.get(part.hash) ?? [])]
    await this.init.stream.send({ t: 'part', hash, size: part.bytes.byteLength, chunks })
    for (const chunk of chunksOf(part.bytes)) {
      await this.init.stream.send({ t: 'chunk', hash, ...chunk })
      this.init.onSent()
    }
  }
}
