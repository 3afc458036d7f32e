import type { GpuBinding, GpuProgram, KernelVariant, Skill } from '../../skills/index.ts'
import { ComputeError } from '../errors.ts'
import type { BackendUnit } from './backend.ts'

/** Offsets of uniform blocks: WebGPU's default `minUniformBufferOffsetAlignment`. */
const UNIFORM_ALIGNMENT = 256

/** What one unit holds on the device. */
export interface Allocation {
  readonly pipeline: GPUComputePipeline
  readonly bindGroup: GPUBindGroup
  readonly result: GPUBuffer
  readonly staging: GPUBuffer
  /** Rejects if the device had no room. */
  readonly checked: Promise<void>
  free(): void
}

/** One device and everything that was made on it: when the device goes, all of it goes. */
export class GpuSession {
  readonly device: GPUDevice
  isLost = false
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>()
  readonly #parts = new Map<string, GPUBuffer>()
  readonly #waiting = new Set<(error: ComputeError) => void>()

  constructor(device: GPUDevice) {
    this.device = device
    void device.lost.then(() => {
      this.isLost = true
      for (const reject of this.#waiting) {
        reject(deviceLost())
      }
    })
  }

  /** The promise, or `DEVICE_LOST` as soon as the device is lost: some promises of a lost device never settle. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isLost) {
        reject(deviceLost())
      }
      this.#waiting.add(reject)
      const leave = () => this.#waiting.delete(reject)
      promise.then(resolve, (error) => reject(this.isLost ? deviceLost() : error)).then(leave, leave)
    })
  }

  /** Runs `work` under error scopes. `checked` rejects with a typed error if the device found a fault. */
  scoped<T>(work: () => T): { value: T; checked: Promise<void> } {
    this.device.pushErrorScope('out-of-memory')
    this.device.pushErrorScope('validation')
    try {
      const value = work()
      const faults = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()])
      return { value, checked: this.guard(faults).then(throwFault) }
    } catch (error) {
      const popped = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()])
      popped.catch(() => {}) // the error that was thrown says more
      throw error
    }
  }

  async allocate(
    skill: Skill,
    variant: KernelVariant,
    program: GpuProgram,
    unit: BackendUnit
  ): Promise<Allocation> {
    const pipeline = await this.guard(this.#pipeline(skill, variant, program))
    const own: GPUBuffer[] = []
    const { value, checked } = this.scoped(() => this.#buffers(pipeline, program, unit, own))
    checked.catch(() => {}) // awaited with the first slice, to save a round trip
    const free = () => {
      for (const buffer of own) {
        buffer.destroy()
      }
    }
    return { ...value, pipeline, checked, free }
  }

  /** Compiles what units like this need. */
  async compile(skill: Skill, variant: KernelVariant, program: GpuProgram): Promise<void> {
    await this.guard(this.#pipeline(skill, variant, program))
  }

  /** After a failed allocation the buffers of these parts may be no good. Units that run keep theirs. */
  forget(hashes: readonly string[]): void {
    for (const hash of hashes) {
      this.#parts.delete(hash)
    }
  }

  drop(hash: string): void {
    this.#parts.get(hash)?.destroy()
    this.#parts.delete(hash)
  }

  /** Fresh buffers for every unit: no stranger's kernel run can reach what another one left behind. */
  #buffers(pipeline: GPUComputePipeline, program: GpuProgram, unit: BackendUnit, own: GPUBuffer[]) {
    const make = (size: number, usage: GPUBufferUsageFlags) => {
      const buffer = this.device.createBuffer({ size: aligned(size, 4), usage })
      own.push(buffer)
      return buffer
    }
    const result = make(program.resultSize, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC)
    const staging = make(program.resultSize, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
    const resource = (binding: GpuBinding): GPUBufferBinding => {
      switch (binding.kind) {
        case 'part':
          return { buffer: this.#part(unit, binding.part) }
        case 'data': {
          const buffer = make(unit.data.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST)
          this.#write(buffer, unit.data)
          return { buffer }
        }
        case 'uniform': {
          const { blocks, size } = uniformBlocks(program)
          const buffer = make(blocks.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)
          this.#write(buffer, blocks)
          return { buffer, size }
        }
        case 'result':
          return { buffer: result }
      }
    }
    const bindGroup = this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: program.bindings.map((each, binding) => ({ binding, resource: resource(each) }))
    })
    return { bindGroup, result, staging }
  }

  #part(unit: BackendUnit, index: number): GPUBuffer {
    const hash = unit.hashes[index]
    const bytes = unit.parts[index]
    if (hash === undefined || bytes === undefined) {
      throw new ComputeError('BAD_UNIT', `The unit has no part ${index}.`)
    }
    const known = this.#parts.get(hash)
    if (known !== undefined) {
      return known
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST
    const buffer = this.device.createBuffer({ size: aligned(bytes.byteLength, 4), usage })
    this.#write(buffer, bytes)
    this.#parts.set(hash, buffer)
    return buffer
  }

  #write(buffer: GPUBuffer, bytes: Uint8Array): void {
    const whole = bytes.byteLength & ~3
    // parts and data come by message: their buffers are never shared memory
    const source = bytes as Uint8Array<ArrayBuffer>
    this.device.queue.writeBuffer(buffer, 0, source, 0, whole)
    if (whole < bytes.byteLength) {
      const rest = new Uint8Array(4)
      rest.set(bytes.subarray(whole))
      this.device.queue.writeBuffer(buffer, whole, rest)
    }
  }

  #pipeline(skill: Skill, variant: KernelVariant, program: GpuProgram): Promise<GPUComputePipeline> {
    const key = `${skill.manifest.name}/${variant.name}`
    const known = this.#pipelines.get(key)
    if (known !== undefined) {
      return known
    }
    const layout = this.device.createBindGroupLayout({ entries: program.bindings.map(layoutEntry) })
    const made = this.device
      .createComputePipelineAsync({
        layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: this.device.createShaderModule({ code: variant.wgsl }), entryPoint: 'main' }
      })
      .catch((cause: unknown) => {
        this.#pipelines.delete(key) // a lost device or a full memory may be why: the next unit tries again
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new ComputeError('KERNEL_FAILED', `The kernel ${key} does not compile here: ${reason}`, {
          cause
        })
      })
    this.#pipelines.set(key, made)
    return made
  }
}

/** Where the uniform block of a dispatch lies. */
export function uniformOffset(program: GpuProgram, dispatch: number): number {
  return dispatch * aligned(program.dispatches[0]?.uniform.byteLength ?? 0, UNIFORM_ALIGNMENT)
}

function uniformBlocks(program: GpuProgram): { blocks: Uint8Array; size: number } {
  const blocks = new Uint8Array(uniformOffset(program, program.dispatches.length))
  for (const [index, { uniform }] of program.dispatches.entries()) {
    blocks.set(uniform, uniformOffset(program, index))
  }
  return { blocks, size: program.dispatches[0]?.uniform.byteLength ?? 0 }
}

function layoutEntry({ kind }: GpuBinding, binding: number): GPUBindGroupLayoutEntry {
  const buffer: GPUBufferBindingLayout =
    kind === 'uniform'
      ? { type: 'uniform', hasDynamicOffset: true }
      : { type: kind === 'result' ? 'storage' : 'read-only-storage' }
  return { binding, visibility: GPUShaderStage.COMPUTE, buffer }
}

function throwFault([validation, memory]: readonly [GPUError | null, GPUError | null]): void {
  if (memory !== null) {
    throw new ComputeError('OUT_OF_MEMORY', 'The device has no room for this unit.', { retryable: true })
  }
  if (validation !== null) {
    throw new ComputeError('KERNEL_FAILED', `The device refused the kernel: ${validation.message}`)
  }
}

function deviceLost(): ComputeError {
  return new ComputeError('DEVICE_LOST', 'The graphics device was lost.', { retryable: true })
}

const aligned = (size: number, to: number): number => Math.ceil(size / to) * to
