/**
 * Three products one behind the other, each stage at a provider of its own: what goes through the requester, over what
 * has to (inputs, outputs, and the intermediates that it pulls to check them). Beside it the same as three jobs.
 */
import type { MatmulF32Input } from '../src/skills/index.ts'
import { openHouse, type PipelineHouse } from './pipeline/house.ts'
import { type BenchOptions, type BenchResult, interleave, ratio, row } from './report.ts'

export const title =
  'A pipeline of three stages: bytes through the requester, beside three jobs one after the other'

const RUNS = 5
const ROWS = 1_024
/** Columns of what goes in, between the stages, and of what comes out. */
const WIDTHS = [512, 512, 512, 256] as const
const MOST = 1.06

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  await using house = await openHouse(3)
  const [wide, first, second, out] = WIDTHS
  const input: MatmulF32Input = {
    a: floats(ROWS * wide),
    b: floats(wide * first),
    m: ROWS,
    k: wide,
    n: first
  }
  const later = [
    { b: floats(first * second), n: second },
    { b: floats(second * out), n: out }
  ] as const
  const matrices = [input.a, input.b, ...later.map(({ b }) => b)]
  const given = matrices.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const needed: number[] = []
  const figures = { bytes: [] as number[], jobsBytes: [] as number[] }
  const times = await interleave(
    runs,
    {
      pipeline: async () => {
        vary(matrices)
        const { ms, bytes, value } = await measured(house, async () => {
          const job = house.requester.pipeline([
            { skill: 'matmul-f32', input },
            { skill: 'matmul-f32', input: later[0], via: { relu: true } },
            { skill: 'matmul-f32', input: later[1], via: { relu: true } }
          ])
          const { value } = await job.result
          needed.push(given + value.c.byteLength + (job.pulledBytes ?? 0))
          return value
        })
        figures.bytes.push(bytes)
        log(
          `pipeline: ${(bytes / (needed.at(-1) ?? 1)).toFixed(3)} of what is needed, ${ms.toFixed(0)} ms, ${value.m} rows`
        )
        return ms
      },
      jobs: async () => {
        vary(matrices)
        const { ms, bytes } = await measured(house, () => threeJobs(house, input, later))
        figures.jobsBytes.push(bytes)
        return ms
      }
    },
    0
  )
  const bytes = row('pipeline.bytes', 'bytes', figures.bytes)
  const least = row('pipeline.needed-bytes', 'bytes', needed)
  const jobs = row('pipeline.jobs-bytes', 'bytes', figures.jobsBytes)
  const took = row('pipeline.ms', 'ms', times.pipeline)
  const jobsTook = row('pipeline.jobs-ms', 'ms', times.jobs)
  const ratios = [
    ratio('pipeline.requester-bytes', bytes, least),
    ratio('pipeline.of-jobs-bytes', bytes, jobs),
    ratio('pipeline.of-jobs-ms', took, jobsTook)
  ]
  const [share] = ratios
  return {
    rows: [bytes, least, jobs, took, jobsTook],
    ratios,
    failures:
      share !== undefined && share.value > MOST
        ? [`pipeline.requester-bytes is ${share.value.toFixed(3)}; at most ${MOST}`]
        : []
  }
}

async function measured<T>({ counter }: PipelineHouse, work: () => Promise<T>) {
  const before = counter.total
  const started = performance.now()
  const value = await work()
  return { value, ms: performance.now() - started, bytes: counter.total - before }
}

async function threeJobs(
  { requester }: PipelineHouse,
  input: MatmulF32Input,
  later: ReadonlyArray<{ readonly b: Float32Array; readonly n: number }>
): Promise<void> {
  let { m, n, c } = (await requester.submit('matmul-f32', input).result).value
  for (const { b, n: columns } of later) {
    const a = c.map((value) => Math.max(value, 0))
    ;({ m, n, c } = (await requester.submit('matmul-f32', { a, b, m, k: n, n: columns }).result).value)
  }
}

/** Noise: no two blocks are alike, or the swarm would send them once. */
function floats(length: number): Float32Array {
  const values = new Float32Array(length)
  vary([values])
  return values
}

let state = 1

/** Other matrices: nothing of the last run is kept anywhere. */
function vary(matrices: readonly Float32Array[]): void {
  for (const values of matrices) {
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      values[i] = state / 2 ** 31
    }
  }
}
