import type { Milliseconds } from '../wire/index.ts'
import { CLOSEST } from './swarm-size.ts'

export interface ContactLimits {
  /** Contacts that are kept because nobody is closer. */
  readonly closest: number
  /** Contacts kept in each group of the others. */
  readonly far: number
}

export const CONTACT_LIMITS: ContactLimits = { closest: CLOSEST, far: 6 }

export interface Contact {
  /** XOR distance from this node as a share of the key space. */
  readonly distance: number
  /** When it became a contact; later than all others for one that is to become one. */
  readonly since: Milliseconds
}

/**
 * The contacts that a node can do without. It keeps the 20 closest ones, because a walk ends with whom they name, and
 * of the others, whose distance halves from one group to the next (as many leading bits shared with this node's key),
 * six a group, the oldest: one is enough for a walk to come closer by half, and who stayed long is likely to stay. So
 * in a swarm of n a node has some 20 + 6 · log2(n / 20) contacts, where kad-dht's own table takes in up to 1,280.
 */
export function surplusContacts<Known extends Contact>(
  contacts: readonly Known[],
  limits: ContactLimits = CONTACT_LIMITS
): Known[] {
  const others = contacts.toSorted((a, b) => a.distance - b.distance).slice(limits.closest)
  const groups = Map.groupBy(others, ({ distance }) => Math.ceil(-Math.log2(distance)))
  return [...groups.values()].flatMap((group) =>
    group.toSorted((a, b) => a.since - b.since).slice(limits.far)
  )
}

/** Whether a node that has these contacts is better off with one more. */
export function isWanted(contacts: readonly Contact[], distance: number, limits = CONTACT_LIMITS): boolean {
  const candidate = { distance, since: Number.POSITIVE_INFINITY }
  return !surplusContacts([...contacts, candidate], limits).includes(candidate)
}
