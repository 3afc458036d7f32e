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
  /** How long a seat's member may be silent before another takes its place; and an author waits for a quorum. */
  readonly seatPatienceMs: Milliseconds
  /**
   * How long after tClose an author refunds an escrow whose witnesses are gone, by a new seat's votes; until then
   * it waits. With 0 there is no waiting at all: nor, before tClose, for the releases of payees that are silent.
   */
  readonly orphanedAfterMs: Milliseconds
  /** The most of a provider's compute time that strangers get, in percent. */
  readonly strangersPercent: number
  /** The most compute time that one stranger gets of one provider within an hour. */
  readonly strangersMsPerHour: Milliseconds
  /** How much of the work that a peer did for a node the node gives back on that peer's word, in percent. */
  readonly edgePercent: number
  /**
   * How much of a payment its payee may show to others as its own merit, in percent. With `edgePercent` at most
   * 100: one piece of work makes both an edge and a payment, and is given back once.
   */
  readonly paymentPercent: number
  /** Hours of idling after which a requester's weight in a queue is halved. */
  readonly idleHalfLifeHours: number
  /** How often an idle provider buys a canary of another one, in hours on average. */
  readonly probeIntervalHours: number
  /** What such a canary costs at most (µcr). */
  readonly probeAmount: MicroCredits
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
  seatPatienceMs: 60_000,
  orphanedAfterMs: 24 * HOUR,
  strangersPercent: 10,
  strangersMsPerHour: 60_000,
  edgePercent: 50,
  paymentPercent: 50,
  idleHalfLifeHours: 168,
  probeIntervalHours: 24,
  probeAmount: 100_000n
}

/**
 * `main` for the public; `local`, where strangers are welcome without limit and nobody waits for who left, for
 * demos, tests and labs.
 */
export const NETWORKS = {
  main: MAIN,
  local: {
    ...MAIN,
    name: 'local',
    strangersPercent: 100,
    strangersMsPerHour: HOUR,
    seatPatienceMs: 1_000,
    orphanedAfterMs: 0
  }
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

export type Protocol = 'kad' | 'advert' | 'job' | 'pull' | 'ledger'

/** `/swarmharness/job/1.0.0`, with `/<network>` in front on every network but `main`. */
export function protocolId(network: NetworkParameters, protocol: Protocol): string {
  const id = `/swarmharness/${protocol}/1.0.0`
  return network.name === 'main' ? id : `/${network.name}${id}`
}
