import { createEngine } from '../../src/compute/index.ts'
import { Tuner } from '../../src/compute/tuner.ts'
import { openWebGpu } from '../../src/compute/worker/webgpu-backend.ts'
import { SKILLS, type Skill, skillByName } from '../../src/skills/index.ts'
import { gpuLoop } from '../pages/gpu-loop.ts'
import { firstUnit, type OursInit, operationsOf, oursOnCpu, oursOnGpu, plainTwin } from './ours.ts'
import { jaxOnGpu, ortOnCpu, ortOnGpu, plainProduct, tfjsOnGpu } from './peers.ts'
import { byteProduct, checkProduct, floatProduct, type Rival } from './rival.ts'
import { type Visit, visit } from './visit.ts'

/** What the bench asks of its page. */
export interface KernelBench {
  readonly skills: readonly string[]
  adapter(): Promise<string | undefined>
  /** Builds, checks and calibrates the rivals of a case; those of the case before are gone. */
  prepare(wanted: Case): Promise<Prepared>
  /** Milliseconds that one product takes a rival, over `times` of them. */
  measure(rival: string, times: number): Promise<number>
  tune(skill: string): Promise<string>
  /** Milliseconds of each variant, a round a list. */
  variants(skill: string, rounds: number): Promise<Record<string, number[]>>
  engineRate(count: number): Promise<number>
  loopRate(count: number): Promise<number>
  visit(skill: string): Promise<Visit>
}

export interface Case {
  readonly backend: 'webgpu' | 'cpu'
  readonly skill: string
  /** Of square matrices; other skills compute the first unit of their sample. */
  readonly size: number | undefined
  /** Of ours; by default the first. */
  readonly variants: Readonly<Record<string, string>>
}

export interface Prepared {
  readonly operations: number
  readonly rivals: ReadonlyArray<{ readonly name: string; readonly times: number }>
  /** Peers that could not be used, and why. */
  readonly left: readonly string[]
}

declare global {
  interface Window {
    kernels?: KernelBench
  }
}

/** How long one measurement should take, in ms. */
const MEASURE_MS = 150
const TIMES_MAX = 500

const rivals = new Map<string, Rival>()
const asFloats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer)
const asInts = (bytes: Uint8Array) => new Int32Array(bytes.slice().buffer)

let opened: Promise<GPUDevice> | undefined
function device(): Promise<GPUDevice> {
  opened ??= openDevice()
  return opened
}

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu?.requestAdapter()
  if (!adapter) {
    throw new Error('There is no WebGPU adapter here.')
  }
  const needs = new Set(
    [...SKILLS.values()].flatMap(({ variants }) => variants.flatMap(({ needs }) => needs))
  )
  const requiredFeatures = [...needs].filter((need) => adapter.features.has(need)) as GPUFeatureName[] // the adapter's own
  return adapter.requestDevice({ requiredFeatures })
}

async function ours(skill: Skill, init: OursInit, wanted: Case): Promise<Rival> {
  if (wanted.backend === 'cpu') {
    return oursOnCpu(init)
  }
  const variant = wanted.variants[skill.manifest.name] ?? skill.variants[0]?.name ?? ''
  return oursOnGpu(await device(), init, variant)
}

function productInit(name: string, input: { side: number; a: unknown; b: unknown }): OursInit {
  const { side, a, b } = input
  const skill = skillByName(name)
  const unit = firstUnit(skill, { a, b, m: side, k: side, n: side }, 1)
  return { skill, unit, view: name === 'matmul-f32' ? asFloats : asInts }
}

async function makeProduct(wanted: Case, side: number): Promise<Competition> {
  const isFloat = wanted.skill === 'matmul-f32'
  const product = isFloat ? floatProduct(side) : byteProduct(side)
  const init = productInit(wanted.skill, product)
  const floats = floatProduct(side)
  const peers: Array<() => Promise<Rival> | Rival> =
    wanted.backend === 'cpu'
      ? [() => ortOnCpu(product), () => plainProduct(product)]
      : isFloat
        ? [() => jaxOnGpu(floats), () => ortOnGpu(floats), () => tfjsOnGpu(floats)]
        : []
  const mine = await ours(init.skill, init, wanted)
  const check = async (rival: Rival) => checkProduct(product, await rival.result())
  if (wanted.backend === 'webgpu' && !isFloat) {
    const own = productInit('matmul-f32', floats)
    const asPeer = await ours(own.skill, own, wanted)
    checkProduct(floats, await asPeer.result())
    return { init, mine, peers: [], also: { ...asPeer, name: 'own-f32' }, check }
  }
  return { init, mine, peers, check }
}

interface Competition {
  readonly init: OursInit
  readonly mine: Rival
  readonly peers: ReadonlyArray<() => Promise<Rival> | Rival>
  /** Has been checked against its own inputs. */
  readonly also?: Rival
  readonly check: (rival: Rival) => Promise<void>
}

/** The readable twin is the oracle; where rounding is free, the skill's own check. */
async function makeUnit(wanted: Case): Promise<Competition> {
  const skill = skillByName(wanted.skill)
  const unit = firstUnit(skill, skill.sample?.() ?? skill.example())
  const init = { skill, unit, view: (bytes: Uint8Array) => bytes }
  const mine = await ours(skill, init, wanted)
  const check = async (rival: Rival) => {
    const result = await rival.result()
    if (!(result instanceof Uint8Array) || !skill.verify(unit, result, Math.random)) {
      throw new RangeError(`${rival.name} computes ${wanted.skill} wrong.`)
    }
  }
  const peers = wanted.backend === 'cpu' && skill.wasm !== undefined ? [() => plainTwin(init)] : []
  return { init, mine, peers, check }
}

async function timeOf(rival: Rival, times: number): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < times; i++) {
    await rival.run()
  }
  return (performance.now() - started) / times
}

async function prepare(wanted: Case): Promise<Prepared> {
  for (const rival of rivals.values()) {
    rival.dispose()
  }
  rivals.clear()
  const { size } = wanted
  const { init, mine, peers, also, check } =
    size === undefined ? await makeUnit(wanted) : await makeProduct(wanted, size)
  await check(mine) // if ours is wrong, there is nothing to measure
  rivals.set(mine.name, mine)
  if (also !== undefined) {
    rivals.set(also.name, also)
  }
  const left: string[] = []
  for (const make of peers) {
    try {
      const peer = await make()
      await check(peer)
      rivals.set(peer.name, peer)
    } catch (error) {
      left.push(String(error))
    }
  }
  const calibrated: Array<{ name: string; times: number }> = []
  for (const [name, rival] of rivals) {
    await rival.run()
    const ms = await timeOf(rival, 1)
    calibrated.push({ name, times: Math.max(1, Math.min(TIMES_MAX, Math.round(MEASURE_MS / ms))) })
  }
  return { operations: operationsOf(init.skill, init.unit), rivals: calibrated, left }
}

async function backendFor(name: string) {
  const skill = skillByName(name)
  const needs = new Set(skill.variants.flatMap(({ needs }) => needs))
  const found = await openWebGpu(1, needs, true)
  if (found === undefined) {
    throw new Error('There is no WebGPU adapter here.')
  }
  const { backend } = found
  const unit = firstUnit(skill, skill.sample?.() ?? skill.example())
  const hashes = unit.parts.map((_, i) => `${name}/${i}`)
  const run = async (variant: string, signal = new AbortController().signal) => {
    const started = performance.now()
    const result = await backend.run(skill, { ...unit, hashes }, { signal, onProgress: () => {}, variant })
    return { result, ms: performance.now() - started }
  }
  return { skill, unit, names: backend.variants(skill), run }
}

async function tune(name: string): Promise<string> {
  const { skill, unit, names, run } = await backendFor(name)
  if (names.length < 2) {
    return names[0] ?? ''
  }
  const decided = Promise.withResolvers<string>()
  const tuner = new Tuner({
    memory: { read: async () => undefined, write: async (_, winner) => decided.resolve(winner) },
    skills: [{ skill: name, key: name, candidates: names }],
    sample: async () => ({ skill: name, params: [], data: unit.data, parts: [] }),
    run: (_, candidate, signal) => run(candidate, signal),
    verify: async (_, result) => skill.verify(unit, result, Math.random),
    quietMs: 0
  })
  tuner.begin()
  tuner.end(name)
  const winner = await decided.promise
  tuner.close()
  return winner
}

async function variants(name: string, rounds: number): Promise<Record<string, number[]>> {
  const { names, run } = await backendFor(name)
  const times: Record<string, number[]> = Object.fromEntries(names.map((each) => [each, []]))
  for (let round = -1; round < rounds; round++) {
    for (const each of round % 2 === 0 ? names : names.toReversed()) {
      const { ms } = await run(each)
      if (round >= 0) {
        times[each]?.push(ms)
      }
    }
  }
  return times
}

/** Units a second, as many in flight as the engine takes. */
async function engineRate(count: number): Promise<number> {
  const engine = await createEngine({ backend: 'webgpu' })
  try {
    const skill = skillByName('matmul-i8')
    const { params, data, parts } = firstUnit(skill, skill.example())
    const unit = {
      skill: 'matmul-i8',
      params,
      data,
      parts: parts.map((bytes, i) => ({ hash: `${i}`, bytes }))
    }
    await engine.run(unit)
    let left = count
    const begun = performance.now()
    await Promise.all(
      Array.from({ length: engine.concurrency }, async () => {
        while (left-- > 0) {
          await engine.run(unit)
        }
      })
    )
    return count / ((performance.now() - begun) / 1_000)
  } finally {
    engine.close()
  }
}

window.kernels = {
  skills: [...SKILLS.keys()],
  async adapter() {
    const adapter = await navigator.gpu?.requestAdapter()
    return adapter ? `${adapter.info.vendor} ${adapter.info.architecture}`.trim() : undefined
  },
  prepare,
  async measure(name, times) {
    const rival = rivals.get(name)
    if (rival === undefined) {
      throw new Error(`There is no rival ${name}.`)
    }
    return timeOf(rival, times)
  },
  tune,
  variants,
  engineRate,
  loopRate: gpuLoop,
  visit
}
