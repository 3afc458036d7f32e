import type { MicroCredits } from '../wire/index.ts'
import { ensure } from './errors.ts'

interface Stage {
  readonly weight: MicroCredits
  readonly payees: readonly number[]
}

/** @throws CreditError `BAD_SPLIT` for stages that cannot be split one behind the other */
export function checkStages(stages: readonly Stage[], players: number): void {
  const payees = stages.flatMap((stage) => stage.payees)
  ensure(
    stages.every((stage) => stage.payees.length > 0 && stage.weight >= 0n),
    'BAD_SPLIT',
    'Every stage of a pipeline needs a payee, and a weight of 0 or more.'
  )
  ensure(
    new Set(payees).size === payees.length && payees.every((payee) => payee >= 0 && payee < players),
    'BAD_SPLIT',
    'A pipeline names each payee once, by its index in the escrow: a payee of two stages needs permutations.'
  )
}
