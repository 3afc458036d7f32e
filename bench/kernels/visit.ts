import { createEngine } from '../../src/compute/index.ts'
import { skillByName } from '../../src/skills/index.ts'
import { firstUnit } from './ours.ts'

/** Milliseconds from the engine's start. */
export interface Visit {
  /** To the first unit's result, of whatever variant. */
  readonly first: number
  /** To the first result by the best variant: compared by the tuner, or kept from an earlier visit. */
  readonly tuned: number
}

/** One visit: winners are kept in `localStorage`, so that another page of this profile finds them. */
export async function visit(name: string): Promise<Visit> {
  const skill = skillByName(name)
  const { params, data, parts } = firstUnit(skill, skill.sample?.() ?? skill.example())
  const unit = { skill: name, params, data, parts: parts.map((bytes, i) => ({ hash: `${i}`, bytes })) }
  const decided = Promise.withResolvers<void>()
  const tuning = {
    read: async (key: string) => localStorage.getItem(key) ?? undefined,
    async write(key: string, winner: string) {
      localStorage.setItem(key, winner)
      decided.resolve()
    }
  }
  const isKept = localStorage.length > 0
  const started = performance.now()
  const engine = await createEngine({ backend: 'webgpu', tuning })
  try {
    await engine.run(unit)
    const first = performance.now() - started
    if (isKept) {
      return { first, tuned: first }
    }
    await decided.promise
    await engine.run(unit)
    return { first, tuned: performance.now() - started }
  } finally {
    engine.close()
  }
}
