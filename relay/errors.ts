import { SwarmError } from '../src/wire/index.ts'

export type RelayErrorCode = 'PORT_TAKEN' | 'CANNOT_LISTEN' | 'BAD_OPTION'

/** Why a relay cannot start. */
export class RelayError extends SwarmError<RelayErrorCode> {
  override readonly name = 'RelayError'
}
