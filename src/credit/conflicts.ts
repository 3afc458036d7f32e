import { equals } from 'uint8arrays/equals'
import {
  cidOf,
  decodeStrict,
  type LedgerResponse,
  type PeerIdString,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  type Signed
} from '../wire/index.ts'
import { decodeStatement } from './envelope.ts'
import { CreditError, ensure } from './errors.ts'
import type { Step } from './follower.ts'
import type { Page } from './vote-book.ts'

/** Where an author's records meet what this node has voted for. */

/**
 * The record of a page that one of those given contradicts, and that one: a fork, if both are signed.
 *
 * @param envelopes of the page's author, oldest first
 * @throws WireError for what is no record
 */
export async function contradiction(
  page: Page | undefined,
  envelopes: readonly Signed[]
): Promise<{ one: Signed; two: Signed } | undefined> {
  const last = page?.recent.at(-1)?.seq ?? -2
  for (const two of envelopes) {
    const { seq, prev } = decodeStrict(two.payload, recordSchema, SIGNED_PAYLOAD_MAX)
    if (seq > last + 1) {
      return undefined // nothing is known beyond
    }
    const id = await cidOf(two.payload)
    const known = page?.recent.find(
      (place) =>
        (place.seq === seq && place.id?.equals(id) === false) ||
        (place.seq === seq - 1 && prev !== null && place.id?.equals(prev) === false)
    )
    if (known?.record) {
      return { one: known.record, two }
    }
  }
  return undefined
}

/**
 * As `contradiction`, for the newest of the records given, where it is at a place that the page has no more.
 *
 * @param kept the author's records from the one right after a place on
 * @throws WireError for what is no record
 */
export async function olderContradiction(
  page: Page | undefined,
  two: Signed | undefined,
  kept: (author: PeerIdString, after: number) => Promise<readonly Signed[]>
): Promise<{ one: Signed; two: Signed } | undefined> {
  const oldest = page?.recent[0]?.seq ?? 0
  if (two === undefined) {
    return undefined
  }
  const { author, seq } = decodeStrict(two.payload, recordSchema, SIGNED_PAYLOAD_MAX)
  const [one] = seq < oldest ? await kept(author, seq - 1) : []
  return one && !equals(one.payload, two.payload) ? { one, two } : undefined
}

/** The records that the heals among these join, oldest first. @throws WireError for what is no record */
export function healedIn(envelopes: readonly Signed[]): Signed[] {
  return envelopes.flatMap(({ payload }) => {
    const record = decodeStrict(payload, recordSchema, SIGNED_PAYLOAD_MAX)
    return record.kind === 'heal' ? record.body.branch : []
  })
}

/** Where this node voted for a seat that was to come, that seat must stand. @throws CreditError `FORK` */
export function checkPromises(steps: readonly Step[], page: Page | undefined): void {
  for (const { verified } of steps) {
    const { record } = verified
    const promise = page?.recent.find(({ seq, id }) => seq === record.seq && id === null)
    if (promise?.vote) {
      const { members } = decodeStatement(promise.vote, 'reseat')
      ensure(
        record.kind === 'seat' && record.body.members.join() === members.join(),
        'FORK',
        'This node voted for a seat at that place.'
      )
    }
  }
}

/** Who comes with another branch is shown the record that this node has. */
export async function orConflict(
  page: Page | undefined,
  answer: () => Promise<LedgerResponse>
): Promise<LedgerResponse> {
  try {
    return await answer()
  } catch (error) {
    const known = page?.recent.findLast(({ record }) => record !== null)?.record
    if (error instanceof CreditError && error.code === 'FORK' && known) {
      return { t: 'conflict', record: known }
    }
    throw error
  }
}
