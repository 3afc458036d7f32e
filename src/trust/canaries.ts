/**
 * Canaries, for skills whose own check is weak: among the real units of a provider go some whose right answer the
 * requester has from earlier. A ring of peers that lie alike confirm each other in every replica; a canary none of
 * them can tell from work, and none of them can confirm.
 */

/** Of the units sent for such a skill: each costs a unit's price and gives nothing else. */
export const CANARY_SHARE = 0.05

/** @param draw uniform in [0, 1) */
export function sendsCanary(draw: number): boolean {
  return draw < CANARY_SHARE
}

/**
 * The chance that at least one of `units` is a canary on which a peer cheats that cheats on a share of its units.
 *
 * @param cheating 0 to 1
 */
export function canaryDetection(units: number, cheating: number, share = CANARY_SHARE): number {
  return 1 - (1 - share * cheating) ** units
}
