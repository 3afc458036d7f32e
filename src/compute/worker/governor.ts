/** Rest that is owed for work done, in ms. Negative: rested longer than owed. */
export type Debt = number

/** A timer that fires late is credited up to this; idle time is not saved up. */
const CREDIT_MAX = 20

/** The debt after `busyMs` of work at a duty cycle of `share` (0 < share ≤ 1): busy / (busy + rest) = share. */
export function owe(debt: Debt, busyMs: number, share: number): Debt {
  return debt + busyMs * (1 / share - 1)
}

/** The debt after `restedMs` without work. */
export function rested(debt: Debt, restedMs: number): Debt {
  return Math.max(-CREDIT_MAX, debt - restedMs)
}
