import { equals } from 'uint8arrays/equals'
import type { UnitSpec } from '../skills/index.ts'
import type { PeerIdString } from '../wire/index.ts'
import type { HashedPlan } from './plan.ts'

/** A unit whose right result is known. */
export interface KnownAnswer {
  readonly spec: UnitSpec
  readonly result: Uint8Array
}

interface Kept {
  readonly skill: string
  readonly spec: UnitSpec
  readonly result: Uint8Array
  /** Hashes of the shared parts that it names. */
  readonly parts: readonly string[]
  readonly bytes: number
  /** Who has computed it: they might know it again. */
  readonly seenBy: Set<PeerIdString>
}

export interface KnownAnswersLimits {
  /** Bytes of one unit's own input and result. @default 256 KiB */
  readonly answerBytes?: number
  /** Of all that are kept. @default 8 MiB */
  readonly bytes?: number
  /** Units kept of each skill. @default 32 */
  readonly perSkill?: number
}

/** Units of past jobs with their right results: what canaries are made of. In memory; the oldest go first. */
export class KnownAnswers {
  private readonly limits: Required<KnownAnswersLimits>
  private readonly kept: Kept[] = []
  private bytes = 0

  constructor({ answerBytes = 2 ** 18, bytes = 2 ** 23, perSkill = 32 }: KnownAnswersLimits = {}) {
    this.limits = { answerBytes, bytes, perSkill }
  }

  /** Units kept, of all skills. */
  get size(): number {
    return this.kept.length
  }

  /**
   * @param result known to be right
   * @param seenBy all that have computed the unit, as far as is known
   */
  add(
    skill: string,
    plan: Pick<HashedPlan<unknown>, 'partRefs'>,
    { spec, result }: KnownAnswer,
    seenBy: Iterable<PeerIdString>
  ): void {
    const { answerBytes, bytes, perSkill } = this.limits
    const size = spec.data.byteLength + result.byteLength
    if (size > answerBytes) {
      return
    }
    const parts = spec.parts.map((part) => plan.partRefs[part]?.hash ?? '')
    const before = this.kept.find((each) => each.skill === skill && isSame(each, spec, parts))
    if (before !== undefined) {
      for (const peer of seenBy) {
        before.seenBy.add(peer)
      }
      return
    }
    // copies: both may be views of something far larger
    const copy = { ...spec, data: spec.data.slice() }
    this.kept.push({
      skill,
      spec: copy,
      result: result.slice(),
      parts,
      bytes: size,
      seenBy: new Set(seenBy)
    })
    this.bytes += size
    const ofSkill = this.kept.filter((each) => each.skill === skill)
    if (ofSkill.length > perSkill && ofSkill[0] !== undefined) {
      this.drop(ofSkill[0])
    }
    while (this.bytes > bytes && this.kept[0] !== undefined) {
      this.drop(this.kept[0])
    }
  }

  /**
   * One that the peer has not computed, and that needs no shared parts but those of the plan; it counts as seen then.
   *
   * @param draw uniform in [0, 1)
   * @param isWanted @default all are
   */
  take(
    skill: string,
    plan: Pick<HashedPlan<unknown>, 'partRefs'>,
    peer: PeerIdString,
    draw: number,
    isWanted: (spec: UnitSpec) => boolean = () => true
  ): KnownAnswer | undefined {
    const places = new Map(plan.partRefs.map(({ hash }, place) => [hash, place]))
    const fitting = this.kept.filter(
      (each) =>
        each.skill === skill &&
        !each.seenBy.has(peer) &&
        each.parts.every((hash) => places.has(hash)) &&
        isWanted(each.spec)
    )
    const chosen = fitting[Math.floor(draw * fitting.length)]
    if (chosen === undefined) {
      return undefined
    }
    chosen.seenBy.add(peer)
    const parts = chosen.parts.flatMap((hash) => places.get(hash) ?? [])
    return { spec: { ...chosen.spec, parts }, result: chosen.result }
  }

  /** It was not right after all. @param result as `take` gave it */
  forget(result: Uint8Array): void {
    const answer = this.kept.find((each) => each.result === result)
    if (answer !== undefined) {
      this.drop(answer)
    }
  }

  private drop(answer: Kept): void {
    this.kept.splice(this.kept.indexOf(answer), 1)
    this.bytes -= answer.bytes
  }
}

/** The same unit: a peer that has computed it would know it again. */
function isSame(kept: Kept, { params, data }: UnitSpec, parts: readonly string[]): boolean {
  const isEqual = (a: readonly unknown[], b: readonly unknown[]) =>
    a.length === b.length && a.every((each, i) => each === b[i])
  return isEqual(kept.spec.params, params) && isEqual(kept.parts, parts) && equals(kept.spec.data, data)
}
