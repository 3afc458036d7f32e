import { fromWebWorker, givenWorker, type Platform, pageMemory } from './platform.ts'

export const platform: Platform = {
  spawn: (source) =>
    fromWebWorker(
      source === undefined
        ? new Worker(new URL('../../workers/compute.ts', import.meta.url), { type: 'module' })
        : givenWorker(source)
    ),
  memory: pageMemory
}
