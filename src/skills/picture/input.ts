import * as z from 'zod/mini'
import { SkillError } from '../errors.ts'
import type { PlanOptions } from '../skill.ts'
import { SIDE_MAX } from './tiles.ts'

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number) =>
  z
    .int('must be a whole number')
    .check(z.gte(least, `must be at least ${least}`), z.lte(most, `must be at most ${most}`))

/** Width or height in pixels. */
export const side = whole(1, SIDE_MAX)

/** @throws SkillError `BAD_INPUT`: which member is wrong, and why */
export function parseInput<T>(schema: z.ZodMiniType<T>, raw: unknown, { units }: PlanOptions): T {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SkillError('BAD_INPUT', `${issue?.path.join('.') || 'input'}: ${issue?.message}.`)
  }
  if (units !== undefined && (!Number.isInteger(units) || units < 1)) {
    throw new SkillError('BAD_INPUT', 'units: must be a whole number of at least 1.')
  }
  return parsed.data
}
