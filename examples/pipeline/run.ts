/**
 * A pipeline: two layers of a network make vectors of rows of features, and a search finds the nearest of a catalogue to
 * each. What one stage computes goes straight from its provider to the next one's, which checks it first; only features,
 * weights, catalogue and neighbours pass through this program.
 *
 * Run it: `npm start` in one terminal, three tabs that contribute, `npx node examples/pipeline/run.ts` in another
 * terminal. With the package installed the import is from 'swarmharness'.
 */
import { createSwarm, type Swarm } from '../../src/index.ts'

const ROWS = 64
const FEATURES = 96
const HIDDEN = 64
const DIMS = 32
const CATALOGUE = 512

/** Small numbers from −32 to 31, always the same. */
function int8s(length: number, seed: number): Int8Array {
  let state = seed
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >> 26
  })
}

/** @returns for each row the numbers of the three entries nearest to it, and what that cost (µcr) */
export async function run(
  swarm: Swarm,
  log: (line: string) => void
): Promise<{ neighbours: Uint32Array; paid: bigint; providers: number }> {
  const job = swarm.pipeline([
    {
      skill: 'matmul-i8',
      input: { a: int8s(ROWS * FEATURES, 1), b: int8s(FEATURES * HIDDEN, 2), m: ROWS, k: FEATURES, n: HIDDEN }
    },
    // rows of 64 come from the stage before: negative numbers become 0, the others are divided by 2^7 to fit int8
    { skill: 'matmul-i8', input: { b: int8s(HIDDEN * DIMS, 3), n: DIMS }, via: { relu: true, exponent: -7 } },
    // the queries do, too
    {
      skill: 'knn-i8',
      input: { database: int8s(CATALOGUE * DIMS, 4), top: 3, metric: 'l2' },
      via: { exponent: -7 }
    }
  ])
  for await (const event of job) {
    if (event.type === 'progress') {
      log(`${event.done} of ${event.of} lanes of rows are through`)
    }
  }
  const { value, receipt } = await job.result
  log(`row 0 is nearest to entries ${value.ids.subarray(0, 3).join(', ')}`)
  log(`${receipt.paid} µcr to ${receipt.providers.length} providers; split: ${receipt.split}`)
  return { neighbours: value.ids, paid: receipt.paid, providers: receipt.providers.length }
}

if (import.meta.main) {
  await using swarm = await createSwarm({ relays: ['http://127.0.0.1:7717'] })
  await run(swarm, console.log)
  process.exit() // WebRTC's native library has threads of its own
}
