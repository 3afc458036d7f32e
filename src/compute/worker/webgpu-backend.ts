import type { GpuProgram, KernelVariant, Skill } from '../../skills/index.ts'
import type { Profile } from '../engine.ts'
import { ComputeError } from '../errors.ts'
import { gpuMemory } from '../memory.ts'
import type { Backend, BackendRun, BackendUnit } from './backend.ts'
import { Pace, sleep } from './pace.ts'
import { GRAIN_START, nextGrain, sliceEnd } from './slices.ts'
import { Turns } from './turns.ts'
import { type Allocation, GpuSession, uniformOffset } from './webgpu-session.ts'

/** Waits before each try for a new adapter after a loss: after a crash of the GPU process it takes a moment. */
const RECOVERY_WAITS_MS = [0, 100, 250, 450] as const
const ADAPTER_WAIT_MS = 5_000

/** Opens a GPU, if there is one. `isSoftware`: a CPU in disguise, slower than the CPU backend. */
export type OpenGpu = (
  share: number,
  needs: ReadonlySet<string>,
  /** The user wants a GPU and nothing else. */
  isForced: boolean,
  profile?: Profile
) => Promise<{ backend: Backend; isSoftware: boolean } | undefined>

/** @param needs features that some variant wants */
export const openWebGpu: OpenGpu = async (share, needs, _isForced, profile = 'page') => {
  const adapter = await findAdapter()
  if (adapter === undefined) {
    return undefined
  }
  const name = vendorOf(adapter)
  const features = featuresOf(adapter, needs)
  const memory = gpuMemory(adapter.limits)
  const backend = new WebGpuBackend({ name: `webgpu-${name}`, share, needs, features, profile, memory })
  return { backend, isSoftware: name === 'swiftshader' }
}

async function findAdapter(): Promise<GPUAdapter | undefined> {
  const waited = sleep(ADAPTER_WAIT_MS).then(() => null)
  return (await Promise.race([navigator.gpu?.requestAdapter() ?? null, waited])) ?? undefined
}

/** Those of `needs` that the adapter, or the language here, has. */
function featuresOf(adapter: GPUAdapter, needs: ReadonlySet<string>): ReadonlySet<string> {
  const language = navigator.gpu.wgslLanguageFeatures
  return new Set([...needs].filter((need) => adapter.features.has(need) || language.has(need)))
}

/** The vendor only: more would be a fingerprint. All software adapters count as SwiftShader. */
function vendorOf({ info }: GPUAdapter): string {
  if (info.isFallbackAdapter || info.architecture === 'swiftshader') {
    return 'swiftshader'
  }
  const vendor = info.vendor.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return vendor.slice(0, 32).replaceAll(/^-|-$/g, '') || 'unknown'
}

export interface WebGpuInit {
  /** Its device class. */
  readonly name: string
  readonly share: number
  /** Features that some variant wants. @default none */
  readonly needs?: ReadonlySet<string>
  /** Those of them that are there. @default none */
  readonly features?: ReadonlySet<string>
  /** @default 'page' */
  readonly profile?: Profile
  /** Bytes that one kernel can bind. @default 0: not known */
  readonly memory?: number
}

/** Runs WGSL kernels. Outlives its devices: after a loss the next unit gets a new adapter and device. */
export class WebGpuBackend implements Backend {
  readonly kind = 'webgpu'
  readonly class: string
  readonly memory: number
  readonly #pace: Pace
  readonly #needs: ReadonlySet<string>
  readonly #profile: Profile
  #features: ReadonlySet<string>
  readonly #turns = new Turns()
  readonly #grains = new Map<string, number>()
  #session: Promise<GpuSession> | undefined
  #lastEnd = 0

  constructor({
    name,
    share,
    needs = new Set(),
    features = new Set(),
    profile = 'page',
    memory = 0
  }: WebGpuInit) {
    this.memory = memory
    this.#profile = profile
    this.class = name
    this.#pace = new Pace(share)
    this.#needs = needs
    this.#features = features
  }

  variants(skill: Skill): readonly string[] {
    return runnable(skill, this.#features).map(({ name }) => name)
  }

  async run(skill: Skill, unit: BackendUnit, options: BackendRun): Promise<Uint8Array> {
    const session = await this.#open()
    const variant = this.#variant(skill, options.variant)
    const key = `${skill.manifest.name}/${variant.name}`
    const program = skill.gpu(unit, variant.name, this.#grains.get(key) ?? GRAIN_START)
    const allocation = await session.allocate(skill, variant, program, unit)
    try {
      return await this.#compute(session, program, allocation, key, options)
    } catch (error) {
      if (error instanceof ComputeError && error.code === 'OUT_OF_MEMORY') {
        session.forget(unit.hashes)
      }
      throw error
    } finally {
      allocation.free()
    }
  }

  async warm(skill: Skill, unit: BackendUnit, wanted: string | undefined): Promise<void> {
    const session = await this.#open()
    const variant = this.#variant(skill, wanted)
    await session.compile(skill, variant, skill.gpu(unit, variant.name, GRAIN_START))
  }

  drop(hash: string): void {
    void this.#session?.then(
      (session) => session.drop(hash),
      () => {} // without a device there is nothing to forget
    )
  }

  setPower(share: number): void {
    this.#pace.share = share
  }

  async #compute(
    session: GpuSession,
    program: GpuProgram,
    allocation: Allocation,
    key: string,
    { signal, onProgress }: BackendRun
  ): Promise<Uint8Array> {
    const count = program.dispatches.length
    for (let first = 0; first < count; ) {
      // at full power the next unit's slice may queue up behind this one; below it, every rest is alone
      await this.#turns.take(() => (this.#pace.share < 1 ? 1 : 2))
      try {
        await this.#pace.rest(signal)
        signal.throwIfAborted()
        const grain = this.#grains.get(key) ?? GRAIN_START
        const end = sliceEnd(program.dispatches, first, grain)
        const busy = await this.#slice(session, program, allocation, first, end)
        const operations = program.dispatches
          .slice(first, end)
          .reduce((sum, each) => sum + each.operations, 0)
        this.#grains.set(key, nextGrain(grain, operations, busy, this.#profile))
        first = end
        this.#pace.worked(busy)
        onProgress(first / count)
      } finally {
        this.#turns.leave()
      }
    }
    return new Uint8Array(allocation.staging.getMappedRange().slice(0, program.resultSize))
  }

  /** Submits dispatches [first, end) and waits for them; after the last one the result is mapped. */
  async #slice(
    session: GpuSession,
    program: GpuProgram,
    { pipeline, bindGroup, result, staging, checked: allocated }: Allocation,
    first: number,
    end: number
  ): Promise<number> {
    const submitted = performance.now()
    const isLast = end === program.dispatches.length
    const { checked } = session.scoped(() => {
      const encoder = session.device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      for (const [index, { workgroups }] of program.dispatches.slice(first, end).entries()) {
        pass.setBindGroup(0, bindGroup, [uniformOffset(program, first + index)])
        pass.dispatchWorkgroups(...workgroups)
      }
      pass.end()
      if (isLast) {
        encoder.copyBufferToBuffer(result, 0, staging, 0, staging.size)
      }
      session.device.queue.submit([encoder.finish()])
    })
    const done = isLast ? staging.mapAsync(GPUMapMode.READ) : session.device.queue.onSubmittedWorkDone()
    for (const outcome of await Promise.allSettled([allocated, checked, session.guard(done)])) {
      if (outcome.status === 'rejected') {
        throw outcome.reason // the first says why the others failed
      }
    }
    const ended = performance.now()
    const busy = ended - Math.max(submitted, this.#lastEnd)
    this.#lastEnd = ended
    return busy
  }

  /** The device that is there, or a new one. Those who wait at the same time share one try. */
  async #open(): Promise<GpuSession> {
    const current = this.#session
    const present = await current
    if (present !== undefined && !present.isLost) {
      return present
    }
    if (this.#session === current) {
      const opening = this.#openSession()
      this.#session = opening
      opening.catch(() => {
        this.#session = undefined // the next unit tries again
      })
    }
    return this.#open()
  }

  async #openSession(): Promise<GpuSession> {
    for (const wait of RECOVERY_WAITS_MS) {
      if (wait > 0) {
        await sleep(wait)
      }
      const adapter = await findAdapter()
      if (adapter === undefined) {
        continue
      }
      this.#features = featuresOf(adapter, this.#needs)
      // filtered by what the adapter has; default limits are all that any kernel here needs
      const requiredFeatures = [...this.#features].filter((each) =>
        adapter.features.has(each)
      ) as GPUFeatureName[]
      const device = await adapter.requestDevice({ requiredFeatures }).catch(() => undefined)
      if (device === undefined) {
        continue // a refusal is one more failed try
      }
      const session = new GpuSession(device)
      await device.queue.onSubmittedWorkDone() // a device may come into the world lost
      if (!session.isLost) {
        return session
      }
    }
    throw new ComputeError('DEVICE_LOST', 'The graphics device was lost and does not come back.', {
      retryable: true
    })
  }

  /** The wanted variant, or the first one if it does not run here (any more). */
  #variant(skill: Skill, wanted: string | undefined): KernelVariant {
    const variants = runnable(skill, this.#features)
    const variant = variants.find(({ name }) => name === wanted) ?? variants[0]
    if (variant === undefined) {
      throw new ComputeError('KERNEL_FAILED', `No variant of ${skill.manifest.name} runs on this device.`)
    }
    return variant
  }
}

function runnable(skill: Skill, features: ReadonlySet<string>): KernelVariant[] {
  return skill.variants.filter(({ needs }) => needs.every((need) => features.has(need)))
}
