import { threadsOf } from './platform.node.ts'

/** For the published package, whose worker is a file beside all others: only its build loads this one, by an alias. */
export const platform = threadsOf(new URL('./compute-worker.js', import.meta.url))
