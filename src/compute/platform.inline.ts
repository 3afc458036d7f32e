import ComputeWorker from '../../workers/compute.ts?worker&inline'
import { fromWebWorker, type Platform, pageMemory } from './platform.ts'

/** For the SDK, which is one file on a foreign site: only Vite loads this one, by an alias. */
export const platform: Platform = { spawn: () => fromWebWorker(new ComputeWorker()), memory: pageMemory }
