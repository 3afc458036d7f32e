import { fromWebWorker, type Platform, pageMemory } from './platform.ts'

export const platform: Platform = {
  spawn: () =>
    fromWebWorker(new Worker(new URL('../../workers/compute.ts', import.meta.url), { type: 'module' })),
  memory: pageMemory
}
