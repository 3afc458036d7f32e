import ComputeWorker from '../../workers/compute.ts?worker&inline'
import { fromWebWorker, givenWorker, type Platform, pageMemory } from './platform.ts'

/** For the SDK, which is one file on a foreign site: only Vite loads this one, by an alias. */
export const platform: Platform = {
  spawn: (source) => fromWebWorker(source === undefined ? new ComputeWorker() : givenWorker(source)),
  memory: pageMemory
}
