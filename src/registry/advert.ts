import {
  ADVERT_MAX,
  type Advert,
  advert,
  DOMAINS,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  verifySigned
} from '../wire/index.ts'
import { ADVERT_LIFETIME } from './constants.ts'
import { RegistryError } from './errors.ts'

export interface AdvertContext {
  /** The peer that was asked. */
  readonly from: PeerIdString
  readonly network: Network
  readonly now: number
  /** The longest that an advert lives. @default 180_000 */
  readonly lifetime?: Milliseconds
  /** Sequence of the newest advert known from this peer. */
  readonly knownSeq: number | undefined
}

/**
 * Opens a signed advert and checks that it is the asked peer's own, of this network, neither expired nor from
 * the future, and not older than what is known.
 *
 * @throws RegistryError or WireError
 */
export async function openAdvert(envelope: Signed, context: AdvertContext): Promise<Advert> {
  if (envelope.payload.byteLength > ADVERT_MAX) {
    throw new RegistryError('BAD_ADVERT', `An advert may have ${ADVERT_MAX} bytes at most.`)
  }
  const value = await verifySigned(envelope, DOMAINS.advert, advert, (opened) => opened.peer)
  const { clockSkewMs } = context.network.parameters
  if (value.peer !== context.from) {
    throw new RegistryError('BAD_ADVERT', 'The advert is signed by another peer than the one that sent it.')
  }
  if (value.net.some((byte, i) => byte !== context.network.hash[i])) {
    throw new RegistryError('BAD_ADVERT', 'The advert belongs to another network.')
  }
  if (
    value.ts > context.now + clockSkewMs ||
    value.expires > value.ts + (context.lifetime ?? ADVERT_LIFETIME)
  ) {
    throw new RegistryError('BAD_ADVERT', 'The advert is dated in the future or lives too long.')
  }
  if (value.expires <= context.now) {
    throw new RegistryError('STALE_ADVERT', 'The advert has expired.', { retryable: true })
  }
  if (context.knownSeq !== undefined && value.seq < context.knownSeq) {
    throw new RegistryError('STALE_ADVERT', 'A newer advert of this peer is known.', { retryable: true })
  }
  const names = new Set(value.skills.map((skill) => skill.name))
  if (names.size !== value.skills.length) {
    throw new RegistryError('BAD_ADVERT', 'The advert names a skill twice.')
  }
  return value
}
