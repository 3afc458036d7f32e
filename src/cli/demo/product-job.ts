import { createHash } from 'node:crypto'
import type { Dispatch, JobReceipt, PeerIdString } from '../../index.ts'
import type { Tab } from './tabs.ts'

/** An int8 matrix product with random but reproducible matrices. */
export interface ProductJob {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly units?: number
  readonly seed: number
  /** Peer ids. @default whoever the router finds */
  readonly providers?: readonly PeerIdString[]
}

export interface ProductOutcome {
  /** SHA-256 of the product's little-endian int32 bytes, hex. */
  readonly sha256: string
  readonly receipt: JobReceipt
  readonly seconds: number
  /** Units that had to go elsewhere, and why. */
  readonly retries: readonly string[]
  /** By unit: each dispatch of it. */
  readonly whys: ReadonlyArray<readonly Dispatch[]>
}

declare global {
  interface Window {
    fillMatrix?: typeof fillMatrix
    stringifyReceipt?: typeof stringifyReceipt
  }
}

export type OnProgress = (done: number, of: number) => void

let reporters = 0

/** Submits the job in a tab, through the public API, and follows it. */
export async function runInTab(tab: Tab, job: ProductJob, onProgress: OnProgress): Promise<ProductOutcome> {
  reporters += 1
  const report = `reportProgress${reporters}`
  await tab.page.exposeFunction(report, onProgress)
  await tab.page.evaluate(`window.fillMatrix = ${fillMatrix}; window.stringifyReceipt = ${stringifyReceipt}`)
  const outcome = await tab.page.evaluate(submitProduct, { job, report })
  return { ...outcome, receipt: parseReceipt(outcome.receipt) }
}

/** The CPU oracle: three loops, no code in common with the kernels. */
export function oracle({ m, k, n, seed }: ProductJob): string {
  const a = fillMatrix(m * k, seed)
  const b = fillMatrix(k * n, seed + 1)
  const c = new Int32Array(m * n)
  for (let i = 0; i < m; i += 1) {
    const row = c.subarray(i * n, (i + 1) * n)
    for (let l = 0; l < k; l += 1) {
      const factor = a[i * k + l] ?? 0
      for (let j = 0; j < n; j += 1) {
        row[j] = (row[j] ?? 0) + factor * (b[l * n + j] ?? 0)
      }
    }
  }
  return createHash('sha256').update(new Uint8Array(c.buffer)).digest('hex')
}

/** xorshift32, one byte a step. Runs here and in the page, so it uses nothing from outside. */
function fillMatrix(length: number, seed: number): Int8Array {
  const matrix = new Int8Array(length)
  let state = (seed * 2654435769 + 1) | 0 || 1
  for (let i = 0; i < length; i += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    matrix[i] = state
  }
  return matrix
}

/** Runs in the page. */
async function submitProduct({ job, report }: { job: ProductJob; report: string }) {
  const { m, k, n, units, seed, providers } = job
  const { swarmharness: swarm, fillMatrix: fill, stringifyReceipt: stringify } = window
  if (swarm === undefined || fill === undefined || stringify === undefined) {
    throw new Error('No node runs in this tab.')
  }
  const started = performance.now()
  const handle = swarm.submit<{ c: Int32Array<ArrayBuffer> }>(
    'matmul-i8',
    { a: fill(m * k, seed), b: fill(k * n, seed + 1), m, k, n },
    { units, providers }
  )
  const reporter = (window as unknown as Record<string, OnProgress>)[report] // exposed under this name just before
  const retries: string[] = []
  for await (const event of handle) {
    if (event.type === 'progress') {
      reporter?.(event.done, event.of)
    } else if (event.type === 'retried') {
      retries.push(`unit ${event.unit} of …${event.provider.slice(-6)}: ${event.reason}`)
    }
  }
  const { value, receipt } = await handle.result
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', value.c))
  return {
    sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    receipt: stringify(receipt),
    seconds: (performance.now() - started) / 1_000,
    retries,
    whys: Array.from({ length: units ?? 0 }, (_, unit) => handle.why(unit))
  }
}

/** Runs in the page: amounts are bigints, which JSON does not have. */
export function stringifyReceipt(receipt: JobReceipt): string {
  return JSON.stringify(receipt, (_, field) => (typeof field === 'bigint' ? `${field}n` : field))
}

export function parseReceipt(text: string): JobReceipt {
  return JSON.parse(text, (_, field) =>
    typeof field === 'string' && /^\d+n$/.test(field) ? BigInt(field.slice(0, -1)) : field
  )
}
