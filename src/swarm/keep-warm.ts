import type { Engine } from '../compute/index.ts'
import type { Specialism } from '../router/index.ts'

/** More would fill a device's memory with what it is never asked for. */
const KEPT_WARM = 2

/**
 * Makes ready what this provider answers first, one skill after the other, so that the first unit of one need not wait
 * for a pipeline to be compiled. What it performs is warm anyway. Never rejects.
 */
export async function keepWarm(engine: Engine, specialism: Specialism): Promise<void> {
  for (const skill of specialism.warmest(KEPT_WARM)) {
    await engine.warm?.(skill)
  }
}
