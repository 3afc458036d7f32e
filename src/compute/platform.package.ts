import { platform as node, spawnThread } from './platform.node.ts'
import type { Platform } from './platform.ts'

/** For the published package, whose worker is a file beside all others: only its build loads this one, by an alias. */
export const platform: Platform = {
  ...node,
  spawn: () => spawnThread(new URL('./compute-worker.js', import.meta.url))
}
