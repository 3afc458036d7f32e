import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCredits } from '../../../src/ui/format.ts'
import { MICROCREDITS_PER_CREDIT } from '../../../src/wire/index.ts'

describe('formatCredits', () => {
  it('is exact', () => {
    fc.assert(
      fc.property(fc.bigInt(), (amount) => {
        const digits = formatCredits(amount).replace(/[^\d]/g, '')
        expect(BigInt(digits)).toBe(amount < 0n ? -amount : amount)
      })
    )
    expect(formatCredits(1234n * MICROCREDITS_PER_CREDIT + 5n)).toBe('1,234.000005')
    expect(formatCredits(-500_000n)).toBe('-0.500000')
  })
})
