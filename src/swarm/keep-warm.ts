import type { Engine } from '../compute/index.ts'

/** More would fill a device's memory with what it is never asked for. */
const KEPT_WARM = 2

/**
 * Makes ready what this provider answers first, one skill after the other, so that the first unit of one need not wait
 * for a pipeline to be compiled. What it performs is warm anyway. Never rejects.
 *
 * @param skills those that it serves, in the order of its response thresholds
 */
export async function keepWarm(
  engine: Engine,
  skills: ReadonlyArray<{ readonly name: string }>
): Promise<void> {
  for (const { name } of skills.slice(0, KEPT_WARM)) {
    await engine.warm?.(name)
  }
}
