import type { UnitSpec } from './skill.ts'

/** `check` of a unit whose check would take too large a share of its work. */
export const weakIf = (isSmall: boolean): Pick<UnitSpec, 'check'> => (isSmall ? { check: 'weak' } : {})
