import type * as z from 'zod/mini'
import type { WasmModule } from '../../shaders/generated.ts'
import type { MicroCredits } from '../wire/index.ts'
import type { Chain } from './chain.ts'

export type { WasmModule }

/** What a skill says of itself. Field names follow HarnessAPI's `[skill]` table. */
export interface Manifest {
  /** Lower-case, digits and hyphens; the last part of the DHT key. */
  readonly name: string
  /** Another version is another skill: nodes of different versions do not work for each other. */
  readonly version: string
  readonly description: string
  readonly tags: readonly string[]
  readonly license: string
  /** Longest time that one unit may take on a provider. */
  readonly timeout_secs: number
  /**
   * `strong`: the skill's check catches a cheat on a tenth of a unit with probability .99 or better, and costs at most
   * a tenth of computing, but for units of which the plan says otherwise. `weak`: results want a second opinion.
   */
  readonly check: 'strong' | 'weak'
}

/** One dispatchable unit. `params` are integers, range-checked by `checkUnit` and clamped in WGSL. */
export interface UnitSpec {
  readonly params: readonly number[]
  /** Indices into `Plan.parts`. */
  readonly parts: readonly number[]
  /** The unit's own input, at most 4 MiB. */
  readonly data: Uint8Array
  readonly cost: MicroCredits
  /**
   * Which part of the output its result is, in the skill's own words, for who takes an output piece by piece. Stays with
   * the requester. @default not said
   */
  readonly place?: Readonly<Record<string, number>>
  /**
   * Too little work for a check that catches what a strong one does to cost a tenth of it: now and then the requester
   * computes such a unit itself.
   *
   * @default as the manifest says
   */
  readonly check?: 'weak'
}

export interface Plan<Output> {
  /** Inputs that several units share: each travels once to each provider. */
  readonly parts: readonly Uint8Array[]
  readonly units: readonly UnitSpec[]
  /** Collects verified results, in any order, each unit once. */
  assembler(): Assembler<Output>
}

export interface Assembler<Output> {
  accept(unit: number, result: Uint8Array): void
  /**
   * The output as far as it is there, zero where a unit is missing: a picture that fills. Shares memory with what comes
   * later.
   *
   * @default nothing to see before the end
   */
  soFar?(): Output
  /** @throws SkillError `INCOMPLETE` while a unit is missing */
  finish(): Output
}

export interface PlanOptions {
  /** Into how many units to split the job, where the skill can; by default the skill decides by cost. */
  readonly units?: number
}

/** What a unit computes from: what a provider has received. */
export interface UnitInput {
  readonly params: readonly number[]
  readonly data: Uint8Array
  readonly parts: readonly Uint8Array[]
}

/** A WGSL compute shader in one of its variants. */
export interface KernelVariant {
  readonly name: string
  readonly wgsl: string
  /** WGSL language features or device features that the variant needs. */
  readonly needs: readonly string[]
}

/** The CPU twin where it is hot: WebAssembly with SIMD. */
export interface WasmTwin {
  /** Which module of `shaders/generated.ts`. */
  readonly module: WasmModule
  /**
   * As `Skill.cpu`, with the same results, by a module's exports. The memory may hold an earlier unit's bytes,
   * but no other unit uses it meanwhile.
   */
  cpu(unit: UnitInput, exports: WebAssembly.Exports): Generator<number, Uint8Array>
  /** As `Skill.verify`, for skills whose check would else cost more than a tenth of `cpu`. */
  verify?(unit: UnitInput, result: Uint8Array, random: () => number, exports: WebAssembly.Exports): boolean
}

/**
 * A named, versioned capability. Pure: no clock, no I/O; randomness is an argument. `Input` and `Output` are
 * what a requester gives and gets.
 */
export interface Skill<Input = unknown, Output = unknown> {
  readonly manifest: Manifest
  readonly input: z.ZodMiniType<Input>
  /** A small input that `input` accepts, for forms and docs. */
  example(): Input
  readonly variants: readonly KernelVariant[]
  /**
   * An input whose first unit is a typical one, in size always the same: what the tuner compares variants on, and what
   * a canary is, for one whose result nobody can have beforehand.
   *
   * @param seed 0 to 2^32 − 1: of the numbers in it. @default always the same
   * @default none: the first variant that the device can run is used, and nobody is sent a canary
   */
  sample?(seed?: number): Input

  /** @throws SkillError `BAD_INPUT` for what `input` refuses */
  plan(input: Input, options?: PlanOptions): Plan<Output>

  /**
   * Checks a stranger's unit before anything is allocated for it.
   *
   * @returns the size of the result in bytes, and the cost
   * @throws SkillError `BAD_UNIT`
   */
  checkUnit(unit: { params: readonly number[]; dataSize: number; partSizes: readonly number[] }): {
    resultSize: number
    cost: MicroCredits
  }

  /**
   * The CPU twin, readable, the oracle of all others: yields the share done (0 to 1) after each slice of a few
   * milliseconds, returns the result.
   */
  cpu(unit: UnitInput): Generator<number, Uint8Array>

  /** What the CPU backend runs instead of `cpu` where WebAssembly SIMD is there. */
  readonly wasm?: WasmTwin

  /**
   * The dispatches of one unit on WebGPU, in slices that the backend submits one after the other.
   *
   * @param grain operations that a dispatch should count at most: what the device does in one slice
   */
  gpu(unit: UnitInput, variant: string, grain: number): GpuProgram

  /**
   * Whether two honest nodes could have computed these two results of one unit, each of the right size.
   *
   * @default equal bytes
   */
  agrees?(unit: UnitInput, result: Uint8Array, other: Uint8Array): boolean

  /** How it stands in a pipeline. @default it does not */
  readonly chain?: Chain<Output>

  /**
   * A unit's result as an `Output` of its own size, to look at while it is computed. @default nothing to see
   *
   * @param params of a unit that `checkUnit` has passed
   */
  picture?(params: readonly number[], result: Uint8Array): Output

  /** True if `result` is right, as far as the skill's own check sees (see the skill's `verify.ts`). */
  verify(unit: UnitInput, result: Uint8Array, random: () => number): boolean
}

/** A unit as WebGPU work: bindings of group 0 in order, and the dispatches that fill the last one. */
export interface GpuProgram {
  readonly bindings: readonly GpuBinding[]
  readonly resultSize: number
  readonly dispatches: readonly GpuDispatch[]
}

export type GpuBinding =
  | { readonly kind: 'part'; readonly part: number }
  | { readonly kind: 'data' }
  | { readonly kind: 'uniform' }
  | { readonly kind: 'result' }

export interface GpuDispatch {
  /** The uniform block of this dispatch. */
  readonly uniform: Uint8Array
  readonly workgroups: readonly [number, number, number]
  /** Counted operations: the backend groups dispatches into slices of 8–30 ms by it. */
  readonly operations: number
}
