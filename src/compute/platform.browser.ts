import { fromWebWorker, type Platform } from './platform.ts'

export const platform: Platform = {
  spawn: () =>
    fromWebWorker(new Worker(new URL('../../workers/compute.ts', import.meta.url), { type: 'module' }))
}
