import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sirv from 'sirv'
import { wasmBytes } from '../../shaders/generated.ts'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import type { Skill, UnitInput } from '../../src/skills/index.ts'
import { buildPage } from '../pages/tabs.ts'

/** Gives the results of a job's units: `undefined` where there is no such provider. */
export type Provider = (skill: string, seed: number) => Promise<Uint8Array[]>

/** A provider on WebGPU, in Chromium. */
export async function withGpuProvider<T>(
  work: (provider: Provider) => Promise<T>,
  log: (text: string) => void
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-verify-'))
  log('building the page')
  await buildPage(folder, import.meta.dirname, 'verify.html')
  const server = createServer(sirv(folder, { dev: true }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a server that listens on TCP has one
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => log(`page error: ${error.message}`))
    await page.goto(`http://127.0.0.1:${port}/verify.html`)
    await page.waitForFunction(() => window.honest !== undefined)
    return await work(async (skill, seed) => {
      const texts = await page.evaluate(([skill, seed]) => window.honest?.results(skill, seed), [
        skill,
        seed
      ] as const)
      return (texts ?? []).map((text) => new Uint8Array(Buffer.from(text, 'base64')))
    })
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The two ways of the CPU backend: WebAssembly where the skill has it, and the readable twin. */
export interface CpuTwins {
  fast(unit: UnitInput): Uint8Array
  readable(unit: UnitInput): Uint8Array
  /** As the backend checks: by WebAssembly where the skill has that. */
  verify(unit: UnitInput, result: Uint8Array, random: () => number): boolean
}

export async function cpuTwins(skill: Skill): Promise<CpuTwins> {
  const { wasm } = skill
  const readable = (unit: UnitInput) => finish(skill.cpu(unit))
  const verify: CpuTwins['verify'] = (unit, result, random) => skill.verify(unit, result, random)
  if (wasm === undefined) {
    return { fast: readable, readable, verify }
  }
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(wasmBytes(wasm.module)))
  return {
    fast: (unit) => finish(wasm.cpu(unit, exports)),
    readable,
    verify: (unit, result, random) =>
      wasm.verify?.(unit, result, random, exports) ?? verify(unit, result, random)
  }
}

function finish(work: Generator<number, Uint8Array>): Uint8Array {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}
