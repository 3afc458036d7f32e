import { type EscrowBody, encode } from '../wire/index.ts'
import { OPEN_BYTES_MAX } from './constants.ts'
import { CreditError } from './errors.ts'
import type { ChainState } from './state.ts'

/** Sizes of bodies, which are never changed, and stay in many states. */
const sizes = new WeakMap<EscrowBody, number>()

function sizeOf(body: EscrowBody): number {
  const size = sizes.get(body) ?? encode(body).byteLength
  sizes.set(body, size)
  return size
}

/** What the bodies of a chain's open escrows take together. */
export function openBytes(state: ChainState | undefined): number {
  let bytes = 0
  for (const { body } of state?.openEscrows.values() ?? []) {
    bytes += sizeOf(body)
  }
  return bytes
}

/**
 * Who follows a chain keeps its open escrows: no author has so many of such a size that they fill its witnesses.
 *
 * @param state of the chain so far
 * @param more what is to be opened beside
 * @param most bytes
 * @throws CreditError `BUSY`
 */
export function checkOpenBytes(
  state: ChainState | undefined,
  more?: EscrowBody,
  most: number = OPEN_BYTES_MAX
): void {
  if (openBytes(state) + (more ? sizeOf(more) : 0) > most) {
    throw new CreditError(
      'BUSY',
      `Escrows of ${most / 1024} KiB together are open at once at most: settle some first.`,
      { retryable: true }
    )
  }
}
