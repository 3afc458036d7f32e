import { createRelay } from '../../relay/index.ts'
import type { Engine } from '../../src/compute/index.ts'
import { createSwarm } from '../../src/index.ts'
import type { Plan, Skill } from '../../src/skills/index.ts'
import { NETWORKS, networkOf, OPERATIONS_PER_MICROCREDIT } from '../../src/wire/index.ts'

export interface Speeds {
  /** Operations a ms. */
  readonly compute: number
  readonly check: number
}

/** How fast one thread computes and checks the first unit of a plan. */
export async function measureSpeeds(
  engine: Engine,
  skill: Skill,
  plan: Plan<unknown>,
  runs: number
): Promise<Speeds> {
  const [unit] = plan.units
  if (unit === undefined) {
    throw new Error(`${skill.manifest.name} planned no unit.`)
  }
  const parts = unit.parts.map((part) => ({
    hash: `${skill.manifest.name}/${plan.units.length}/${part}/${plan.parts[part]?.byteLength}`,
    bytes: plan.parts[part] ?? new Uint8Array(0)
  }))
  const work = { skill: skill.manifest.name, params: unit.params, data: unit.data, parts }
  const operations = Number(unit.cost) * OPERATIONS_PER_MICROCREDIT
  const compute: number[] = []
  const check: number[] = []
  for (let round = -1; round < runs; round++) {
    const begun = performance.now()
    const result = await engine.run(work)
    const computed = performance.now()
    const isRight = await engine.verify(work, result, crypto.getRandomValues(new Uint8Array(32)))
    const checked = performance.now()
    if (!isRight) {
      throw new Error(`${skill.manifest.name} computed wrong.`)
    }
    if (round >= 0) {
      compute.push(operations / (computed - begun))
      check.push(operations / (checked - computed))
    }
  }
  // whatever else runs here only slows: the best run is the machine's own
  return { compute: Math.max(...compute), check: Math.max(...check) }
}

/** Milliseconds of a real job of next to no work: found, connected, escrowed, sent, checked, settled. */
export async function measureSetup(runs: number): Promise<number[]> {
  const relay = await createRelay({ network: await networkOf(NETWORKS.local) })
  const init = {
    network: 'local' as const,
    relays: [...relay.multiaddrs],
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    backend: 'cpu' as const,
    workers: 1
  }
  const [provider, requester] = await Promise.all([createSwarm(init), createSwarm(init)])
  try {
    await provider.contribute()
    const times: number[] = []
    for (let round = -1; round < runs; round++) {
      const begun = performance.now()
      await requester.submit('matmul-i8', { a: Int8Array.of(1), b: Int8Array.of(1), m: 1, k: 1, n: 1 }).result
      if (round >= 0) {
        times.push(performance.now() - begun)
      }
    }
    return times
  } finally {
    await Promise.all([requester.stop(), provider.stop()])
    await relay.stop()
  }
}
