import { create, globals } from 'webgpu'
import { SKILLS, type Skill, skillByName } from '../../src/skills/index.ts'
import { type BenchRow, median, row } from '../report.ts'
import { firstUnit, type OursInit, operationsOf, oursOnGpu } from './ours.ts'
import { byteProduct, checkProduct, floatProduct, type Product, type Rival } from './rival.ts'

export interface DawnInit {
  readonly runs: number
  readonly sizes: readonly number[]
  readonly skills: readonly string[] | undefined
  readonly log: (text: string) => void
}

/** Products submitted before one wait: a wait costs as much as a small product on a fast GPU. */
const BATCH = 20
const MEASURE_MS = 200
/** Fused multiply-adds of each invocation of the peak's kernel, eight chains of four. */
const PEAK_ROUNDS = 4_096
const PEAK_GROUPS = 4_096
const PEAK_GROUP = 64

const PEAK = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(${PEAK_GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = vec4<f32>(0.5 + f32(id.x & 7u) * 0.01);
  let y = vec4<f32>(0.25);
  var a0 = x; var a1 = x + y; var a2 = x - y; var a3 = y;
  var a4 = x * y; var a5 = -x; var a6 = -y; var a7 = x + x;
  for (var round = 0u; round < ${PEAK_ROUNDS}u; round++) {
    a0 = fma(a0, x, y); a1 = fma(a1, x, y); a2 = fma(a2, x, y); a3 = fma(a3, x, y);
    a4 = fma(a4, x, y); a5 = fma(a5, x, y); a6 = fma(a6, x, y); a7 = fma(a7, x, y);
  }
  out[id.x & 63u] = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7;
}`

let instance: GPU | undefined

/** Our kernels in Node, without a browser: the same code on whatever driver Dawn finds. */
export async function runOnDawn({ runs, sizes, skills, log }: DawnInit): Promise<BenchRow[]> {
  Object.assign(globalThis, globals)
  instance ??= create([]) // held: Dawn crashes when it is collected
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    throw new Error('Dawn finds no driver: install one, or name one by VK_ICD_FILENAMES and LD_LIBRARY_PATH.')
  }
  log(`adapter: ${adapter.info.vendor} ${adapter.info.architecture} (${adapter.info.description})`)
  const language = instance.wgslLanguageFeatures
  const needs = [...SKILLS.values()].flatMap(({ variants }) => variants.flatMap((each) => each.needs))
  const requiredFeatures = needs.filter((need) => adapter.features.has(need)) as GPUFeatureName[] // the adapter's own
  const device = await adapter.requestDevice({ requiredFeatures })
  const runsHere = (need: string) => device.features.has(need) || language.has(need)
  if (adapter.info.isFallbackAdapter || adapter.info.architecture === 'swiftshader') {
    log('This is a software adapter: no GPU was measured, and shares of its peak say nothing of one.')
  }
  const peak = await measurePeak(device, runs)
  log(`measured peak of float32: ${peak.median.toFixed(0)} GFLOP/s`)
  const rows = [peak]
  for (const name of skills ?? [...SKILLS.keys()]) {
    const skill = skillByName(name)
    const variants = skill.variants.filter((each) => each.needs.every(runsHere)).map((each) => each.name)
    for (const size of name.startsWith('matmul-') ? sizes : [undefined]) {
      rows.push(...(await measureCase(device, skill, variants, size, runs, peak, log)))
    }
  }
  device.destroy()
  return rows
}

async function measureCase(
  device: GPUDevice,
  skill: Skill,
  variants: readonly string[],
  size: number | undefined,
  runs: number,
  peak: BenchRow,
  log: (text: string) => void
): Promise<BenchRow[]> {
  const { name } = skill.manifest
  const { init, check } = size === undefined ? sampleCase(skill) : productCase(skill, size)
  const operations = operationsOf(init.skill, init.unit)
  let best: BenchRow | undefined
  for (const variant of variants) {
    const rival = await oursOnGpu(device, init, variant)
    check(await rival.result())
    const rates = await ratesOf(device, rival, operations, runs)
    rival.dispose()
    const found = row(`kernels.dawn.${name}@${size ?? 'unit'}`, 'GOP/s', rates)
    log(`${found.name} ${variant} ${found.median.toPrecision(4)}`)
    best = best === undefined || found.median > best.median ? found : best
  }
  if (best === undefined) {
    throw new Error(`No variant of ${name} runs on this device.`)
  }
  const share = row(`${best.name}.of-peak`, 'share', [best.median / peak.median])
  return name === 'matmul-f32' ? [best, share] : [best]
}

function productCase(skill: Skill, side: number) {
  const isFloat = skill.manifest.name === 'matmul-f32'
  const product: Product<Float32Array | Int8Array> = isFloat ? floatProduct(side) : byteProduct(side)
  const { a, b } = product
  const init: OursInit = {
    skill,
    unit: firstUnit(skill, { a, b, m: side, k: side, n: side }, 1),
    view: ({ buffer }) => (isFloat ? new Float32Array(buffer) : new Int32Array(buffer))
  }
  return { init, check: (c: Float32Array | Int32Array | Uint8Array) => checkProduct(product, c) }
}

function sampleCase(skill: Skill) {
  const unit = firstUnit(skill, skill.sample?.() ?? skill.example())
  const check = (result: Float32Array | Int32Array | Uint8Array) => {
    if (!(result instanceof Uint8Array) || !skill.verify(unit, result, Math.random)) {
      throw new RangeError(`${skill.manifest.name} computes wrong on this device.`)
    }
  }
  return { init: { skill, unit, view: (bytes: Uint8Array) => bytes }, check }
}

/** GOP/s, each over as many batches as fill the time of a measurement. */
async function ratesOf(device: GPUDevice, rival: Rival, operations: number, runs: number): Promise<number[]> {
  const submit = rival.submit ?? rival.run
  const time = async (times: number) => {
    const started = performance.now()
    for (let i = 0; i < times; i++) {
      void submit()
    }
    await device.queue.onSubmittedWorkDone()
    return performance.now() - started
  }
  await time(1)
  const once = await time(1)
  const times = Math.max(1, Math.min(BATCH * 50, Math.round(MEASURE_MS / once)))
  const rates: number[] = []
  for (let run = 0; run < runs; run++) {
    rates.push((operations * times) / 1e6 / (await time(times)))
  }
  return rates
}

/** What the device can do at most, measured: chains of fused multiply-adds in registers. */
async function measurePeak(device: GPUDevice, runs: number): Promise<BenchRow> {
  const out = device.createBuffer({ size: 64 * 16, usage: GPUBufferUsage.STORAGE })
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: PEAK }), entryPoint: 'main' }
  })
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: out } }]
  })
  const time = async (groups: number) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(groups)
    pass.end()
    const started = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    return performance.now() - started
  }
  // a software adapter would take minutes for what fills a GPU
  const sample = median([await time(4), await time(4), await time(4)])
  const groups = Math.max(4, Math.min(PEAK_GROUPS, Math.round((4 * MEASURE_MS) / sample)))
  const operations = groups * PEAK_GROUP * PEAK_ROUNDS * 8 * 4 * 2
  const rates: number[] = []
  for (let run = 0; run < runs; run++) {
    rates.push(operations / 1e6 / (await time(groups)))
  }
  out.destroy()
  return row('kernels.dawn.peak', 'GFLOP/s', rates)
}
