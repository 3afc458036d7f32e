import { concat } from 'uint8arrays/concat'
import type { PartRef } from '../../compute/index.ts'
import { weightsFor } from '../../credit/index.ts'
import {
  type ChainAssembler,
  type ChainPlan,
  type ChainSource,
  type ChainUnit,
  kernelHash,
  SCALE_ONE,
  type Skill,
  type Via
} from '../../skills/index.ts'
import {
  encode,
  type MicroCredits,
  OPERATIONS_PER_MICROCREDIT,
  STAGES_MAX,
  sha256
} from '../../wire/index.ts'
import { chunkHashes, partHash } from '../chunks.ts'
import { JobError } from '../errors.ts'
import { type HashedPlan, hex } from '../plan.ts'
import { priceAt, priceOf } from '../price.ts'

/** A stage as it is submitted. */
export interface StageOrder {
  readonly skill: Skill
  /** The skill's input; of a later stage without what comes from the one before. */
  readonly input: unknown
  /** What is done to the numbers that come from the stage before. */
  readonly via?: { readonly relu?: boolean | undefined; readonly exponent?: number | undefined } | undefined
}

export interface Stage {
  readonly skill: Skill
  readonly chain: ChainPlan<unknown>
  readonly via: Via
}

/** Rows that go through all stages together. */
export interface LanePlan {
  readonly first: number
  readonly end: number
  /** By stage. */
  readonly units: ReadonlyArray<readonly ChainUnit[]>
  /** What each stage costs, unit by unit (µcr). */
  readonly prices: readonly MicroCredits[]
  /** Of the split: by them no stage earns less than its price. */
  readonly weights: readonly MicroCredits[]
  /** What each stage earns by these weights, rounded up. */
  readonly pays: readonly MicroCredits[]
}

export interface PipelinePlan {
  readonly stages: readonly Stage[]
  readonly source: ChainSource
  readonly lanes: readonly LanePlan[]
  readonly rate: number
  /** What it costs if everything is done once (µcr). */
  readonly price: MicroCredits
  assembler(): ChainAssembler<unknown>
}

/** Counted operations of the dearest unit of a lane, by default. */
const UNIT_OPERATIONS = 2 ** 30
/** Lanes by default, where rows and operations do not say otherwise: all stages are to be at work. */
const LANES_DEFAULT = 6
export const LANES_MAX = 4_096

/**
 * @param wanted lanes
 * @throws SkillError `BAD_INPUT`, JobError `BAD_OPTION`
 */
export function planPipeline(orders: readonly StageOrder[], rate: number, wanted?: number): PipelinePlan {
  if (!Array.isArray(orders) || orders.length < 2 || orders.length > STAGES_MAX) {
    throw new JobError('BAD_OPTION', `A pipeline has 2 to ${STAGES_MAX} stages: use submit for one.`)
  }
  const [firstOrder, ...rest] = orders
  const begun = chainOf(firstOrder, 0).begin(firstOrder?.input)
  const stages: Stage[] = [{ skill: firstOrder.skill, chain: begun.plan, via: viaOf(undefined) }]
  for (const order of rest) {
    const before = stages.at(-1)
    if (before?.chain.out === undefined) {
      throw new JobError('BAD_OPTION', `Nothing can follow ${before?.skill.manifest.name}: put it last.`)
    }
    const chain = chainOf(order, stages.length).follow(order.input, before.chain.out)
    stages.push({ skill: order.skill, chain, via: viaOf(order.via) })
  }
  if (firstOrder.via !== undefined) {
    throw new JobError('BAD_OPTION', 'The first stage has no `via`: nothing comes before it.')
  }
  const { source } = begun
  const lanes = cutRows(source.rows, laneCount(stages, source.rows, wanted)).map(([first, end]) =>
    planLane(stages, first, end, rate)
  )
  const price = lanes.reduce((sum, { pays }) => pays.reduce((all, pay) => all + pay, sum), 0n)
  const assembler = () => {
    const last = stages.at(-1)?.chain
    if (last === undefined) {
      throw new JobError('BAD_OPTION', 'A pipeline without stages has no output.')
    }
    return last.assembler(lanes.map(({ first, end }) => [first, end]))
  }
  return { stages, source, lanes, rate, price, assembler }
}

function chainOf(order: StageOrder | undefined, stage: number) {
  const { skill } = order ?? {}
  if (skill?.chain === undefined || skill.manifest.check !== 'strong') {
    const name = skill?.manifest.name ?? 'That'
    throw new JobError(
      'BAD_OPTION',
      `${name} cannot be stage ${stage + 1} of a pipeline: docs/SKILLS.md says which can.`
    )
  }
  return skill.chain
}

function viaOf(via: StageOrder['via']): Via {
  const { relu = false, exponent = 0 } = via ?? {}
  if (typeof relu !== 'boolean' || !Number.isInteger(exponent) || Math.abs(exponent) > SCALE_ONE) {
    throw new JobError(
      'BAD_OPTION',
      `via is { relu?: boolean, exponent?: whole number from -${SCALE_ONE} to ${SCALE_ONE} }.`
    )
  }
  return { relu, scale: exponent + SCALE_ONE }
}

function laneCount(stages: readonly Stage[], rows: number, wanted: number | undefined): number {
  const least = Math.ceil(rows / Math.min(...stages.map(({ chain }) => chain.rowsMax)))
  if (wanted !== undefined) {
    return Math.max(least, Math.min(wanted, rows, LANES_MAX))
  }
  const dearest = Math.max(
    ...stages.map(({ chain }) => {
      const units = chain.units(Math.min(rows, chain.rowsMax))
      const cost = Math.max(...units.map((unit) => Number(unit.cost)))
      return (cost * OPERATIONS_PER_MICROCREDIT * rows) / Math.min(rows, chain.rowsMax)
    })
  )
  const byWork = Math.round(dearest / UNIT_OPERATIONS)
  return Math.max(least, Math.min(Math.max(byWork, LANES_DEFAULT), Math.ceil(rows / 4), LANES_MAX))
}

/** [0, rows) in so many ranges, by fours where they suffice. */
function cutRows(rows: number, count: number): Array<readonly [number, number]> {
  const step = Math.ceil(rows / 4) >= count ? 4 : 1
  const steps = Math.ceil(rows / step)
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * steps) / count) * step,
    Math.min(rows, Math.floor(((i + 1) * steps) / count) * step)
  ])
}

function planLane(stages: readonly Stage[], first: number, end: number, rate: number): LanePlan {
  const units = stages.map(({ chain }) => chain.units(end - first))
  const prices = units.map((some) => priceOf(some, rate))
  const weights = weightsFor(prices)
  const whole = weights.reduce((sum, weight) => sum + weight, 0n)
  const count = BigInt(stages.length)
  const pays = weights.map((weight) => (weight * count + whole + 2n * count - 1n) / (2n * count))
  return { first, end, units, prices, weights, pays }
}

export const unitPrice = ({ cost }: ChainUnit, rate: number): MicroCredits => priceAt(cost, rate)

export interface HashedStage extends Stage {
  readonly kernel: Uint8Array
  readonly parts: readonly PartRef[]
  /** What a job stream of this stage asks for, and a hiring needs. */
  readonly plan: HashedPlan<unknown>
}

export interface HashedPipeline extends Omit<PipelinePlan, 'stages'> {
  readonly stages: readonly HashedStage[]
  /** What each lane begins with. */
  readonly inputs: readonly PartRef[]
  readonly chunks: ReadonlyMap<string, readonly Uint8Array[]>
}

export async function hashPipeline(plan: PipelinePlan): Promise<HashedPipeline> {
  const chunks = new Map<string, readonly Uint8Array[]>()
  const named = async (bytes: Uint8Array): Promise<PartRef> => {
    const hashes = await chunkHashes(bytes)
    const hash = hex(await partHash(hashes))
    chunks.set(hash, hashes)
    return { hash, bytes }
  }
  const inputs = await Promise.all(plan.lanes.map(({ first, end }) => named(plan.source.pack(first, end))))
  const parts = await Promise.all(plan.stages.map(({ chain }) => Promise.all(chain.parts.map(named))))
  const names = [inputs, ...parts].map((refs) => refs.map(({ hash }) => hash))
  const vias = plan.stages.map(({ skill, via }) => [skill.manifest.name, via.relu, via.scale])
  const inputRoot = await sha256(concat([encode([names, vias])]))
  const stages = await Promise.all(
    plan.stages.map(async (stage, i): Promise<HashedStage> => {
      const partRefs = parts[i] ?? []
      const nothing = { parts: [], units: [], partHashes: [], assembler: noAssembler }
      return {
        ...stage,
        kernel: await kernelHash(stage.skill),
        parts: partRefs,
        plan: { ...nothing, partRefs, partChunks: chunks, inputRoot }
      }
    })
  )
  return { ...plan, stages, inputs, chunks }
}

/** The output of a stage is no job's output. */
const noAssembler = () => ({ accept() {}, finish: () => undefined })
