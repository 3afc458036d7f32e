import { create, globals } from 'webgpu'
import type { KernelVariant, Skill } from '../src/skills/index.ts'
import { findUnboundedLoops } from './wgsl-lint.ts'

/**
 * Compiles WGSL with Tint, as Chromium does, on Dawn's null backend: no driver, no GPU. What the pipeline is laid
 * out by is what the skill says that it binds.
 */

interface Held {
  readonly gpu: GPU
  readonly devices: Map<string, Promise<GPUDevice>>
}

let held: Held | undefined

/** One instance and one device a set of features, held for good: Dawn in Node crashes when they are collected. */
function hold(): Held {
  if (held === undefined) {
    Object.assign(globalThis, globals)
    held = { gpu: create(['backend=null']), devices: new Map() }
  }
  return held
}

/** Language features are not asked for; a device has to be asked for its own. */
function openDevice(needs: readonly string[]): Promise<GPUDevice> {
  const { gpu, devices } = hold()
  const key = [...needs].sort().join()
  const known = devices.get(key)
  if (known !== undefined) {
    return known
  }
  const opening = requestDevice(gpu, needs)
  devices.set(key, opening)
  return opening
}

async function requestDevice(gpu: GPU, needs: readonly string[]): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter()
  if (adapter === null) {
    throw new Error('Dawn has no null backend here: check the package "webgpu".')
  }
  const missing = needs.filter((need) => !adapter.features.has(need) && !gpu.wgslLanguageFeatures.has(need))
  if (missing.length > 0) {
    throw new Error(`No device knows the feature ${missing.join(', ')}: check the variant's "needs".`)
  }
  const requiredFeatures = needs.filter((need) => adapter.features.has(need)) as GPUFeatureName[] // the adapter's own
  return adapter.requestDevice({ requiredFeatures })
}

/** Sentences on what is wrong with a variant; none if it may be shipped. */
export async function faultsOf(skill: Skill, variant: KernelVariant): Promise<string[]> {
  const loops = findUnboundedLoops(variant.wgsl).map(({ line, message }) => `line ${line}: ${message}`)
  const device = await openDevice(variant.needs)
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code: variant.wgsl })
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length === 0) {
    device.createComputePipeline({
      layout: layoutOf(device, skill, variant),
      compute: { module, entryPoint: 'main' }
    })
  }
  const refused = await device.popErrorScope()
  const compile = errors.map(({ lineNum, message }) => `line ${lineNum}: ${message}`)
  return [...loops, ...compile, ...(refused === null || errors.length > 0 ? [] : [refused.message])]
}

function layoutOf(device: GPUDevice, skill: Skill, variant: KernelVariant): GPUPipelineLayout {
  const plan = skill.plan(skill.example())
  const [unit] = plan.units
  if (unit === undefined) {
    throw new Error(`The example of ${skill.manifest.name} plans no unit.`)
  }
  const parts = unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0))
  const { bindings } = skill.gpu({ params: unit.params, data: unit.data, parts }, variant.name, 1)
  const entries = bindings.map(
    ({ kind }, binding): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: {
        type: kind === 'uniform' ? 'uniform' : kind === 'result' ? 'storage' : 'read-only-storage',
        hasDynamicOffset: kind === 'uniform'
      }
    })
  )
  return device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] })
}
