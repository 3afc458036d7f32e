/**
 * A program that hires the swarm: what one job would cost, then many, as many at a time as the window says.
 *
 * Run it: `npm start` in one terminal, `npx node examples/node-client/run.ts` in another. With the package installed the
 * import is from 'swarmharness'.
 */
import { createSwarm, matmulI8, SwarmError } from '../../src/index.ts'

const SIDE = 128
const JOBS = 6

const matrix = (seed: number) =>
  Int8Array.from({ length: SIDE * SIDE }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24)

/**
 * @param relays multiaddrs, or web addresses
 * @returns how many products came back, and what they cost (µcr)
 */
export async function run(
  relays: string[],
  log: (line: string) => void
): Promise<{ products: number; paid: bigint }> {
  await using swarm = await createSwarm({ relays })
  const input = (seed: number) => ({ a: matrix(seed), b: matrix(seed + 1), m: SIDE, k: SIDE, n: SIDE })
  swarm.on('state', (state) => log(`now ${state}`))

  const { price, providers, fasterAtHome } = await swarm.quote(matmulI8, input(0))
  log(
    `one product costs ${price} µcr; ${providers} providers are known${fasterAtHome ? '; it is faster here' : ''}`
  )

  let [products, paid] = [0, 0n]
  try {
    const inputs = Array.from({ length: JOBS }, (_, seed) => input(seed))
    for await (const { index, value, receipt } of swarm.map(matmulI8, inputs, { window: 3 })) {
      products += 1
      paid += receipt.paid
      log(`product ${index}: first element ${value.c[0]}, ${receipt.paid} µcr, ${receipt.certainty}`)
    }
  } catch (error) {
    // every error says what to do, and whether the same call may succeed later
    const isOurs = error instanceof SwarmError
    log(isOurs ? `${error.code}${error.retryable ? ' (try again)' : ''}: ${error.message}` : String(error))
  }
  return { products, paid }
}

if (import.meta.main) {
  await run(['http://127.0.0.1:7717'], console.log)
  process.exit() // WebRTC's native library has threads of its own
}
