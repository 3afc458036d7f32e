import { wasmBytes } from '../../shaders/generated.ts'
import { GpuSession, uniformOffset } from '../../src/compute/worker/webgpu-session.ts'
import type { Skill, UnitInput } from '../../src/skills/index.ts'
import type { Rival } from './rival.ts'

/** One dispatch a unit, as the peers have it: slices are for people at the page. */
const WHOLE = 2 ** 45

export interface OursInit {
  readonly skill: Skill
  readonly unit: UnitInput
  /** Bytes of the result as the skill's consumer sees them. */
  readonly view: (bytes: Uint8Array) => Float32Array | Int32Array | Uint8Array
}

/** A unit's kernel on a device: parts and data uploaded once, as a provider keeps them. */
export async function oursOnGpu(
  device: GPUDevice,
  { skill, unit, view }: OursInit,
  variantName: string
): Promise<Rival> {
  const variant = skill.variants.find(({ name }) => name === variantName)
  if (variant === undefined) {
    throw new Error(`${skill.manifest.name} has no variant ${variantName}.`)
  }
  const session = new GpuSession(device)
  const program = skill.gpu(unit, variant.name, WHOLE)
  const hashes = unit.parts.map((_, i) => `${i}`)
  const held = await session.allocate(skill, variant, program, { ...unit, hashes })
  const submit = (readBack: boolean) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(held.pipeline)
    for (const [index, { workgroups }] of program.dispatches.entries()) {
      pass.setBindGroup(0, held.bindGroup, [uniformOffset(program, index)])
      pass.dispatchWorkgroups(...workgroups)
    }
    pass.end()
    if (readBack) {
      encoder.copyBufferToBuffer(held.result, 0, held.staging, 0, held.staging.size)
    }
    device.queue.submit([encoder.finish()])
  }
  return {
    name: 'swarmharness',
    submit: () => submit(false),
    async run() {
      submit(false)
      await device.queue.onSubmittedWorkDone()
    },
    async result() {
      submit(true)
      await held.checked
      await held.staging.mapAsync(GPUMapMode.READ)
      const bytes = new Uint8Array(held.staging.getMappedRange().slice(0, program.resultSize))
      held.staging.unmap()
      return view(bytes)
    },
    dispose() {
      held.free()
      hashes.forEach((hash) => {
        session.drop(hash)
      })
    }
  }
}

/** What the CPU backend runs: WebAssembly where the skill has it. */
export async function oursOnCpu({ skill, unit, view }: OursInit): Promise<Rival> {
  const { wasm } = skill
  const instance = wasm && (await WebAssembly.instantiate(await WebAssembly.compile(wasmBytes(wasm.module))))
  const compute = () =>
    finish(wasm !== undefined && instance !== undefined ? wasm.cpu(unit, instance.exports) : skill.cpu(unit))
  return {
    name: 'swarmharness',
    run: () => void compute(),
    result: async () => view(compute()),
    dispose() {}
  }
}

/** The readable twin: plain JavaScript over typed arrays. */
export function plainTwin({ skill, unit, view }: OursInit): Rival {
  return {
    name: 'plain-js',
    run: () => void finish(skill.cpu(unit)),
    result: async () => view(finish(skill.cpu(unit))),
    dispose() {}
  }
}

function finish(work: Generator<number, Uint8Array>): Uint8Array {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}

/** The first unit of a plan, as a provider gets it. */
export function firstUnit(skill: Skill, input: unknown, units?: number): UnitInput {
  const plan = skill.plan(input, units === undefined ? {} : { units })
  const [unit] = plan.units
  if (unit === undefined) {
    throw new Error(`${skill.manifest.name} planned no unit.`)
  }
  return {
    params: unit.params,
    data: unit.data,
    parts: unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0))
  }
}

/** The cost formula's operations. */
export function operationsOf(skill: Skill, unit: UnitInput): number {
  const { cost } = skill.checkUnit({
    params: unit.params,
    dataSize: unit.data.byteLength,
    partSizes: unit.parts.map((part) => part.byteLength)
  })
  return Number(cost) * 1e6
}
