import fc from 'fast-check'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Set in vitest.config.ts: few for `npm test`, many for `npm run nightly`. */
    propertyRuns: number
  }
}

fc.configureGlobal({ numRuns: inject('propertyRuns') })
