import { encode, sha256 } from './codec.ts'
import type { MicroCredits, Milliseconds } from './units.ts'

/** The rules of one network. Every field is part of the hash that each record carries as `net`. */
export interface NetworkParameters {
  /** Part of every protocol id, but for `main`. */
  readonly name: string
  /** Credit that a new chain starts with (µcr). */
  readonly genesisGrant: MicroCredits
  /** Hours without a claimed certificate before credit drains. */
  readonly drainGraceHours: number
  /** Drain a whole idle hour, in millionths of the balance: 4117 halves it in 168 h. */
  readonly drainPpmPerHour: number
  /** Longest time from an escrow to its tClose. */
  readonly escrowMaxMs: Milliseconds
  /** How long a certificate can be claimed. */
  readonly claimWindowMs: Milliseconds
  /** How far a record's `ts` may differ from a witness's clock. */
  readonly clockSkewMs: Milliseconds
  /** Share of a provider's time given to strangers, in percent (credit.md section 3). */
  readonly strangersPercent: number
}

const HOUR = 3_600_000

const MAIN: NetworkParameters = {
  name: 'main',
  genesisGrant: 10_000_000n,
  drainGraceHours: 24,
  drainPpmPerHour: 4_117,
  escrowMaxMs: 24 * HOUR,
  claimWindowMs: 7 * 24 * HOUR,
  clockSkewMs: 120_000,
  strangersPercent: 10
}

/** `main` for the public; `local`, where strangers are welcome without limit, for demos, tests and labs. */
export const NETWORKS = {
  main: MAIN,
  local: { ...MAIN, name: 'local', strangersPercent: 100 }
} as const satisfies Record<string, NetworkParameters>

export type NetworkName = keyof typeof NETWORKS

/** A network with its hash (32 bytes): what every part that signs or checks needs. */
export interface Network {
  readonly parameters: NetworkParameters
  readonly hash: Uint8Array
}

export async function networkOf(parameters: NetworkParameters): Promise<Network> {
  return { parameters, hash: await sha256(encode(parameters)) }
}

export type Protocol = 'kad' | 'advert' | 'job' | 'ledger'

/** `/swarmharness/job/1.0.0`, with `/<network>` in front on every network but `main`. */
export function protocolId(network: NetworkParameters, protocol: Protocol): string {
  const id = `/swarmharness/${protocol}/1.0.0`
  return network.name === 'main' ? id : `/${network.name}${id}`
}
