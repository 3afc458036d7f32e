import { sha256 } from '@noble/hashes/sha2.js'
import { toString as textOf } from 'uint8arrays/to-string'
import type {
  ContributeOptions,
  CreateSwarmInit,
  Job,
  JobQuote,
  LedgerExport,
  LedgerExportOptions,
  MapOptions,
  MapResult,
  OutputStream,
  PipelineOptions,
  QuoteOptions,
  RouterView,
  ServeOptions,
  StageVia,
  StreamOptions,
  SubmitOptions,
  Swarm,
  SwarmCore,
  SwarmEvents,
  SwarmNews,
  SwarmStatus,
  TypedSkill,
  UnitPicture
} from '../../api.ts'
import { checkObject, JobError, type JobHooks, shown } from '../../jobs/index.ts'
import { type RunningSwarm, startSwarm } from '../../swarm.ts'
import type { Fittings } from '../fittings.ts'
import { JobArchive } from './archive.ts'
import {
  checkExport,
  checkInit,
  checkKey,
  checkListener,
  checkMap,
  checkStages,
  checkStream,
  nameOf
} from './check.ts'
import { mapInputs } from './map.ts'
import { PieceStream } from './pieces.ts'
import { encodeValue } from './values.ts'

export * from './skills.ts'

/**
 * Starts a node with what programs want on top of it.
 *
 * @throws SwarmError `BAD_OPTION`, and why the node cannot start
 */
export async function openSwarm(init: CreateSwarmInit = {}, fittings: Fittings = {}): Promise<Swarm> {
  checkInit(init, fittings.createEngine !== undefined)
  let archive: JobArchive | undefined
  const core = await startSwarm(init, {
    ...fittings,
    onStore: async (store) => {
      archive = new JobArchive(store.table('meta'), Date.now)
      await Promise.all([archive.load(), fittings.onStore?.(store)])
    },
    onQuiet: async () => {
      await Promise.all([archive?.flush(), fittings.onQuiet?.()])
    }
  })
  if (archive === undefined) {
    throw new TypeError('The node started without its store.') // cannot happen: it calls back first
  }
  return new ProgramSwarm(core, archive)
}

type AnySkill = string | TypedSkill

/** What a job was asked for with. */
interface Keyed {
  readonly key?: string | undefined
  readonly print?: string | undefined
}

interface LooseStage {
  readonly skill: AnySkill
  readonly input: unknown
  readonly via?: StageVia
}

class ProgramSwarm implements Swarm {
  readonly submit: Swarm['submit']
  readonly map: Swarm['map']
  readonly pipeline: Swarm['pipeline']
  private readonly core: RunningSwarm
  private readonly archive: JobArchive
  private readonly submitted = new Set<(job: Job) => void>()

  constructor(core: RunningSwarm, archive: JobArchive) {
    this.core = core
    this.archive = archive
    // the overloads tie the types of input and output to the skill; at run time there is one function
    this.submit = ((skill: AnySkill, input: unknown, options?: SubmitOptions) =>
      this.start(skill, input, options)) as Swarm['submit']
    this.map = ((skill: AnySkill, inputs: Iterable<unknown> | AsyncIterable<unknown>, options?: MapOptions) =>
      this.mapAll(skill, inputs, options)) as Swarm['map']
    this.pipeline = ((stages: readonly LooseStage[], options?: PipelineOptions) =>
      this.startPipeline(stages, options)) as Swarm['pipeline']
  }

  get peer(): Swarm['peer'] {
    return this.core.peer
  }

  get status(): SwarmStatus {
    return this.core.status
  }

  get skills(): SwarmCore['skills'] {
    return this.core.skills
  }

  lastPicture(): UnitPicture | undefined {
    return this.core.lastPicture()
  }

  get router(): RouterView {
    return this.core.router
  }

  async quote(skill: AnySkill, input: unknown, options?: QuoteOptions): Promise<JobQuote> {
    return this.core.quote(nameOf(skill), input, options)
  }

  stream(skill: AnySkill, input: unknown, options: StreamOptions = {}): OutputStream {
    const window = checkStream(options)
    return new PieceStream((reader) => this.begin(nameOf(skill), input, options, { reader }), window)
  }

  jobs(): readonly Job[] {
    const live = new Map(this.core.jobs().map((job) => [job.id, job]))
    const kept = this.archive.ids.flatMap((id) => (live.has(id) ? [] : (this.archive.job(id) ?? [])))
    return [...kept, ...live.values()]
  }

  job(id: string): Job | undefined {
    return this.core.jobs().find((job) => job.id === id) ?? this.archive.job(id)
  }

  on<T extends keyof SwarmNews>(
    type: T,
    listener: (news: SwarmNews[T]) => void,
    options: { readonly signal?: AbortSignal } = {}
  ): () => void {
    const tell: { [Type in keyof SwarmNews]: (listener: (news: SwarmNews[Type]) => void) => () => void } = {
      change: (hear) => this.onChange(hear),
      state: (hear) => {
        let last = this.status.state
        return this.onChange(({ state }) => {
          if (state !== last) {
            last = state
            hear(state)
          }
        })
      },
      submitted: (hear) => {
        this.submitted.add(hear)
        return () => this.submitted.delete(hear)
      },
      settled: (hear) => {
        const follow = (job: Job) => void tellReceipts(job, hear, () => this.submitted.has(follow))
        this.submitted.add(follow)
        return () => this.submitted.delete(follow)
      }
    }
    if (typeof type !== 'string' || !Object.hasOwn(tell, type)) {
      throw new JobError(
        'BAD_OPTION',
        `There are events ${Object.keys(tell).join(', ')}; not ${shown(type)}.`
      )
    }
    checkListener(listener, options)
    if (options.signal?.aborted === true) {
      return () => {}
    }
    const end = tell[type](listener)
    options.signal?.addEventListener('abort', end, { once: true })
    return () => {
      options.signal?.removeEventListener('abort', end)
      end()
    }
  }

  async contribute(options: ServeOptions = {}): Promise<void> {
    checkObject(options)
    const { skills, ...rest } = options
    // what is no list is refused below
    const names = Array.isArray(skills) ? { skills: skills.map(nameOf) } : (options as ContributeOptions)
    return this.core.contribute({ ...rest, ...names })
  }

  pause(): Promise<void> {
    return this.core.pause()
  }

  finish(): Promise<void> {
    return this.core.finish()
  }

  async exportLedger(options: LedgerExportOptions = {}): Promise<LedgerExport> {
    checkExport(options)
    return this.core.exportLedger(options)
  }

  exportIdentity(): Promise<Uint8Array> {
    return this.core.exportIdentity()
  }

  addEventListener<T extends keyof SwarmEvents>(type: T, listener: (event: SwarmEvents[T]) => void): void {
    this.core.addEventListener(type, listener)
  }

  removeEventListener<T extends keyof SwarmEvents>(type: T, listener: (event: SwarmEvents[T]) => void): void {
    this.core.removeEventListener(type, listener)
  }

  stop(): Promise<void> {
    return this.core.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private start(skill: AnySkill, input: unknown, options: SubmitOptions = {}): Job {
    const name = nameOf(skill)
    checkObject(options)
    return this.once(options.key, [name, input], (keyed) => this.begin(name, input, options, keyed))
  }

  private startPipeline(given: readonly LooseStage[], options: PipelineOptions = {}): Job {
    const stages = checkStages(given)
    checkObject(options)
    return this.once(options.key, ['pipeline', stages], (keyed) =>
      this.follow((begin) => this.core.pipeline(stages, options, { begin }), 'pipeline', keyed)
    )
  }

  /** With a key: the job that it named before, if that has not failed. */
  private once(key: string | undefined, used: unknown, start: (keyed: Keyed) => Job): Job {
    checkKey(key)
    const print = key === undefined ? undefined : printOf(used)
    const known = key === undefined ? undefined : this.archive.byKey(key)
    if (known !== undefined) {
      if (known.print !== print) {
        throw new JobError(
          'KEY_REUSED',
          `The key ${key} was used for another skill or input: take a new one.`
        )
      }
      const job = this.job(known.id)
      if (job !== undefined && job.state !== 'failed' && job.state !== 'cancelled') {
        return job
      }
    }
    return start({ key, print })
  }

  private begin<Output>(
    skill: string,
    input: unknown,
    options: SubmitOptions,
    { reader, ...keyed }: Keyed & Pick<JobHooks, 'reader'>
  ): Job<Output> {
    return this.follow(
      (begin) => this.core.hire<Output>(skill, input, options, { begin, reader }),
      skill,
      keyed
    )
  }

  /** The archive keeps what becomes of it, and whoever listens hears of it. */
  private follow<Each extends Job>(
    hire: (begin: (id: string) => Promise<void>) => Each,
    skill: string,
    { key, print }: Keyed
  ): Each {
    const job = hire((id) => this.archive.begin({ id, skill, key, print }))
    this.archive.follow(job)
    for (const tell of this.submitted) {
      tell(job)
    }
    return job
  }

  private mapAll(
    skill: AnySkill,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {}
  ): AsyncIterable<MapResult<unknown>> {
    const name = nameOf(skill)
    const { window, ordered } = checkMap(inputs, options)
    const { window: _window, ordered: _ordered, key, ...each } = options
    return mapInputs({
      inputs,
      window,
      ordered,
      signal: options.signal,
      submit: (input, index) =>
        this.start(name, input, key === undefined ? each : { ...each, key: `${key}/${index}` })
    })
  }

  private onChange(listener: (status: SwarmStatus) => void): () => void {
    const hear = ({ detail }: SwarmEvents['change']) => listener(detail)
    this.core.addEventListener('change', hear)
    return () => this.core.removeEventListener('change', hear)
  }
}

async function tellReceipts(
  job: Job,
  hear: (receipt: SwarmNews['settled']) => void,
  isWanted: () => boolean
): Promise<void> {
  for await (const event of job) {
    if (event.type === 'settled' && isWanted()) {
      hear(event.receipt)
    }
  }
}

/** What a key was used for. */
function printOf(used: unknown): string {
  try {
    return textOf(sha256(encodeValue(used)), 'base16')
  } catch (cause) {
    throw new JobError(
      'BAD_OPTION',
      'With a key the input must be plain data: objects, lists, typed arrays.',
      {
        cause
      }
    )
  }
}
