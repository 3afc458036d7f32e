import { SwarmError } from '../wire/index.ts'

export type RegistryErrorCode = 'BAD_ADVERT' | 'STALE_ADVERT'

/** An advert that cannot be used. The peer is set aside; nothing else happens. */
export class RegistryError extends SwarmError<RegistryErrorCode> {
  override readonly name = 'RegistryError'
}
