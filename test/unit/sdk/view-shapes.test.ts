import { describe, expectTypeOf, test } from 'vitest'
import type * as z from 'zod/mini'
import type { Dispatch, JobEvent, JobQuote, JobReceipt, LedgerExport, SwarmStatus } from '../../../src/api.ts'
import type { jobReceipt } from '../../../src/swarm/sdk/rows.ts'
import type * as shapes from '../../../src/swarm/view/shapes.ts'

/** As a schema has it: nothing is read only. */
type Loose<T> = T extends string | number | bigint | boolean | undefined | Error | Uint8Array
  ? T
  : { -readonly [Key in keyof T]: Loose<T[Key]> }

type Of<Shape extends z.ZodMiniType> = Loose<z.output<Shape>>

// The type checker compares: what the public API gains, and another tab would not be told of, does not compile here.
describe('what another tab is told', () => {
  test('has every member that the public API has', () => {
    expectTypeOf<Of<typeof shapes.swarmStatus>>().toEqualTypeOf<Loose<SwarmStatus>>()
    expectTypeOf<Of<typeof shapes.jobEvent>>().toEqualTypeOf<Loose<JobEvent>>()
    expectTypeOf<Of<typeof shapes.jobDispatch>>().toEqualTypeOf<Loose<Dispatch>>()
    expectTypeOf<Of<typeof shapes.jobQuote>>().toEqualTypeOf<Loose<JobQuote>>()
    expectTypeOf<Of<typeof jobReceipt>>().toEqualTypeOf<Loose<JobReceipt>>()
    expectTypeOf<Of<typeof shapes.ledgerExport>>().toEqualTypeOf<Loose<LedgerExport>>()
  })
})
