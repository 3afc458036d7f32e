import type {
  ContributeOptions,
  Job,
  JobQuote,
  JobReceipt,
  QuoteOptions,
  SubmitOptions,
  SwarmCore,
  SwarmState,
  SwarmStatus
} from './api.ts'
import type {
  KnnInput,
  KnnOutput,
  MandelbrotInput,
  MandelbrotOutput,
  Manifest,
  MatmulF32Input,
  MatmulF32Output,
  MatmulInput,
  MatmulOutput,
  RenderInput,
  RenderOutput
} from './skills/index.ts'

/** The types of what programs get beyond a node: typed skills, lists of inputs, streams, jobs that outlive a reload. */

/**
 * A skill with the types of what it takes and gives: `matmulI8` and its like. Any value with the skill's name will do.
 */
export interface TypedSkill<Input = unknown, Output = unknown> {
  readonly name: string
  /** For the type checker alone: nothing is there at run time. */
  readonly types?: { readonly input: Input; readonly output: Output }
}

/** A skill of the program's own: what `defineSkill()` of `swarmharness/skills` gives. */
export interface OwnSkill<Input = unknown, Output = unknown> extends TypedSkill<Input, Output> {
  readonly manifest: Manifest
}

export type InputOf<S extends TypedSkill> = NonNullable<S['types']>['input']
export type OutputOf<S extends TypedSkill> = NonNullable<S['types']>['output']

/** The skills of this build by name, with their types. */
export interface KnownSkills {
  'matmul-i8': TypedSkill<MatmulInput, MatmulOutput>
  'matmul-f32': TypedSkill<MatmulF32Input, MatmulF32Output>
  'knn-i8': TypedSkill<KnnInput, KnnOutput>
  mandelbrot: TypedSkill<MandelbrotInput, MandelbrotOutput>
  'render-tile': TypedSkill<RenderInput, RenderOutput>
}

export interface MapOptions extends SubmitOptions {
  /** Jobs that run side by side, and the most inputs that are taken ahead of the reader, 1 to 256. @default 16 */
  window?: number
  /** Results come in the order of the inputs; false: as they are done. @default true */
  ordered?: boolean
  // of SubmitOptions: `key` becomes that of input i with `/i` behind it; budget and deadline are those of each job
}

export interface MapResult<Output> {
  /** Of the input, from 0. */
  readonly index: number
  readonly value: Output
  readonly receipt: JobReceipt
}

export interface StreamOptions extends Omit<SubmitOptions, 'key'> {
  /**
   * The most bytes of results that wait for the reader, or are on their way to it: beyond it no unit goes out until the
   * reader takes a piece. One unit may always; copies of late ones come on top. @default 67_108_864
   */
  windowBytes?: number
}

/** One verified unit of a job whose output is not put together. */
export interface OutputPiece {
  readonly unit: number
  /** Units of the job. */
  readonly of: number
  /** Which part of the output it is: docs/SKILLS.md has the members, and the layout of `bytes`, skill by skill. */
  readonly place: Readonly<Record<string, number>>
  /** What was computed. */
  readonly params: readonly number[]
  readonly bytes: Uint8Array
}

/**
 * Iterate once for the pieces, in the order in which they are verified. A reader that is slow, or stops, holds the
 * providers back, until the job's deadline; so a stream that nobody reads does not end. Leaving the loop cancels the
 * job, and what was not verified is refunded.
 */
export interface OutputStream extends AsyncIterable<OutputPiece> {
  /** Its `result` has the receipt, and no value. */
  readonly job: Job<undefined>
}

/** Matrix products: what comes out of them can go into another stage. */
type Product = 'matmul-i8' | 'matmul-f32'

/** What a stage takes from the one before: its other inputs are given. */
interface TakenInputs {
  'matmul-i8': 'a' | 'm' | 'k'
  'matmul-f32': 'a' | 'm' | 'k'
  'knn-i8': 'queries' | 'dims'
}

/** What is done to each number between two stages. */
export interface StageVia {
  /** Negative numbers become 0. @default false */
  readonly relu?: boolean
  /**
   * Each is multiplied by 2^exponent, −64 to 64; then rounded and cut to −128 … 127 where the next stage takes int8.
   *
   * @default 0
   */
  readonly exponent?: number
}

/** The first stage, with the skill's whole input. */
export type FirstStage = {
  [Name in Product]: { readonly skill: Name | KnownSkills[Name]; readonly input: InputOf<KnownSkills[Name]> }
}[Product]

/** A later stage: what its skill takes besides the rows that come from the stage before. */
export type NextStage<Name extends keyof TakenInputs = keyof TakenInputs> = {
  [Each in Name]: {
    readonly skill: Each | KnownSkills[Each]
    readonly input: Omit<InputOf<KnownSkills[Each]>, TakenInputs[Each]>
    readonly via?: StageVia
  }
}[Name]

/** In order. Only the last may be one that nothing can follow. */
export type PipelineStages<Last extends keyof TakenInputs = keyof TakenInputs> = readonly [
  FirstStage,
  ...NextStage<Product>[],
  NextStage<Last>
]

/** As of a job, but for copies: each stage is checked by the next. `units`: into how many lanes of rows to cut it. */
export type PipelineOptions = Omit<SubmitOptions, 'redundancy'>

export interface PipelineJob<Output = unknown> extends Job<Output> {
  /**
   * What this node has fetched of that which goes from stage to stage, to check it: about one in twenty. Undefined
   * after a reload.
   */
  readonly pulledBytes?: number
}

export interface ServeOptions extends Omit<ContributeOptions, 'skills'> {
  /** Serve these skills only. @default all that this build knows, and the program's own */
  skills?: ReadonlyArray<string | TypedSkill>
}

/** What `swarm.on` tells of. */
export interface SwarmNews {
  /** State, peers, balance or work changed: at most ten a second. */
  change: SwarmStatus
  /** `bootstrapping`, `relayed`, `direct` and so on. */
  state: SwarmState
  /** A job was submitted through this object. */
  submitted: Job
  /** A job's books are closed. */
  settled: JobReceipt
}

/** Takes a skill by name or as a value; of those that this build knows, the types of input and output follow. */
export interface Submit {
  <Name extends keyof KnownSkills>(
    skill: Name,
    input: InputOf<KnownSkills[Name]>,
    options?: SubmitOptions
  ): Job<OutputOf<KnownSkills[Name]>>
  <S extends TypedSkill>(skill: S, input: InputOf<S>, options?: SubmitOptions): Job<OutputOf<S>>
  <Output = unknown>(skill: string, input: unknown, options?: SubmitOptions): Job<Output>
}

export interface MapInputs {
  <Name extends keyof KnownSkills>(
    skill: Name,
    inputs: Iterable<InputOf<KnownSkills[Name]>> | AsyncIterable<InputOf<KnownSkills[Name]>>,
    options?: MapOptions
  ): AsyncIterable<MapResult<OutputOf<KnownSkills[Name]>>>
  <S extends TypedSkill>(
    skill: S,
    inputs: Iterable<InputOf<S>> | AsyncIterable<InputOf<S>>,
    options?: MapOptions
  ): AsyncIterable<MapResult<OutputOf<S>>>
  <Output = unknown>(
    skill: string,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions
  ): AsyncIterable<MapResult<Output>>
}

export interface StreamUnits {
  <Name extends keyof KnownSkills>(
    skill: Name,
    input: InputOf<KnownSkills[Name]>,
    options?: StreamOptions
  ): OutputStream
  <S extends TypedSkill>(skill: S, input: InputOf<S>, options?: StreamOptions): OutputStream
  (skill: string, input: unknown, options?: StreamOptions): OutputStream
}

export interface Quote {
  <Name extends keyof KnownSkills>(
    skill: Name,
    input: InputOf<KnownSkills[Name]>,
    options?: QuoteOptions
  ): Promise<JobQuote>
  <S extends TypedSkill>(skill: S, input: InputOf<S>, options?: QuoteOptions): Promise<JobQuote>
  (skill: string, input: unknown, options?: QuoteOptions): Promise<JobQuote>
}

/** What `createSwarm()` gives: a node, and ways to hire others. */
export interface Swarm extends SwarmCore {
  /** Serve units to others: of all skills, or of these, by name or as values. */
  contribute(options?: ServeOptions): Promise<void>
  /**
   * Starts a job, which runs by itself: never waits.
   *
   * @throws SwarmError for a bad input or option, an unknown skill, a key that was used for something else
   */
  readonly submit: Submit
  /**
   * A job for each input, so many at a time, taken from `inputs` only as the reader goes on. The first job that fails
   * ends the loop with its error; that and leaving the loop cancel those that run.
   *
   * @throws SwarmError `BAD_OPTION` at once, all others from the loop
   */
  readonly map: MapInputs
  /**
   * A job whose output is not put together, for outputs larger than memory: its verified units as they come, and no more
   * of them than are read.
   *
   * @throws SwarmError as `submit`
   */
  readonly stream: StreamUnits
  /**
   * Skills one behind the other: what a stage computes goes straight from its provider to the next one's, which checks
   * it first. Needs a provider of its own for each stage.
   *
   * @throws SwarmError as `submit`
   */
  pipeline<Last extends keyof TakenInputs>(
    stages: PipelineStages<Last>,
    options?: PipelineOptions
  ): PipelineJob<OutputOf<KnownSkills[Last]>>
  /**
   * What a job would cost and take, here and away. Computes one unit on this machine the first time that a skill
   * is asked for.
   *
   * @throws SwarmError for a bad input or option
   */
  readonly quote: Quote
  /**
   * By its id, after a reload too: a job that ended has its receipt, and its value if that is not above 4 MiB; one that
   * a reload cut off has failed with `INTERRUPTED`. The last 256 are kept.
   */
  job(id: string): Job | undefined
  /** Running jobs, and those that ended: all that `job()` knows. */
  jobs(): readonly Job[]
  /** Calls back until `signal`, or what it returns, ends that. An error that the listener throws is the program's. */
  on<T extends keyof SwarmNews>(
    type: T,
    listener: (news: SwarmNews[T]) => void,
    options?: { readonly signal?: AbortSignal }
  ): () => void
}
