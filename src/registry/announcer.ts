import type { Logger } from '@libp2p/interface'
import { Queue } from '@libp2p/utils'
import type { CID } from 'multiformats/cid'
import type { Milliseconds, Network } from '../wire/index.ts'
import { DHT_TIMEOUT, PROVIDES_AT_ONCE } from './constants.ts'
import type { SwarmRegistryComponents } from './index.ts'
import { placeOf, skillKey } from './keys.ts'
import { pause } from './pause.ts'
import { announcedIn, levelFor, nextLevel, nextProvide, shardAt } from './sharding.ts'

export interface AnnouncerInit {
  readonly components: Pick<SwarmRegistryComponents, 'contentRouting' | 'addressManager' | 'peerId'>
  readonly network: Network
  readonly log: Logger
  readonly shardSize: number
  readonly refreshInterval: Milliseconds
  readonly random: () => number
  /** Peers in the swarm, as estimated. */
  readonly swarmSize: (signal: AbortSignal) => Promise<number>
}

/**
 * Keeps a node's skills provided in the DHT. A provide counts only by the peers that took the record: it is
 * repeated soon where nobody did, and at once when the node's addresses change. Without an address there is
 * nothing to provide: those who are asked to keep such a record drop it, and do not say so.
 */
export class Announcer {
  /** The level that providers of a skill believe in, as far as this node knows. */
  readonly levels = new Map<string, number>()
  private readonly init: AnnouncerInit
  private readonly provided = new Map<string, CID>()
  /** A node of many skills that starts has its first jobs to do meanwhile. */
  private readonly turns = new Queue<number>({ concurrency: PROVIDES_AT_ONCE })
  private addressesChanged = Promise.withResolvers<void>()
  private addresses = ''

  constructor(init: AnnouncerInit) {
    this.init = init
  }

  /** Announces until the signal is aborted. */
  async keep(skill: string, signal: AbortSignal): Promise<void> {
    const { random, refreshInterval } = this.init
    const place = await placeOf(skill, this.init.components.peerId.toString())
    for (let attempts = 0; !signal.aborted; ) {
      const changed = this.addressesChanged.promise
      const swarmSize = await this.init.swarmSize(signal)
      const level = await this.settleLevel(skill, place, swarmSize, signal)
      const taken = await Promise.all(
        announcedIn(place, level).map(async (shard) => {
          const key = await skillKey(this.init.network, skill, shard)
          return this.turns.add(() => this.provide(key, signal))
        })
      )
      const acknowledged = Math.min(...taken)
      attempts = acknowledged === 0 ? attempts + 1 : 0
      await pause(
        nextProvide({ acknowledged, attempts, swarmSize, random: random(), refreshInterval }),
        signal,
        changed
      )
    }
  }

  /** Forgets what was provided: the DHT would go on renewing it. */
  async withdraw(): Promise<void> {
    const keys = [...this.provided.values()]
    this.provided.clear()
    for (const key of keys) {
      await this.init.components.contentRouting.cancelReprovide(key)
    }
  }

  /** To be called when this node's addresses may be others. */
  checkAddresses(): void {
    const addresses = this.ownAddresses()
    if (addresses !== this.addresses) {
      this.addresses = addresses
      this.addressesChanged.resolve()
      this.addressesChanged = Promise.withResolvers()
    }
  }

  private ownAddresses(): string {
    return this.init.components.addressManager.getAddresses().map(String).sort().join(' ')
  }

  /** The level to announce at. Nothing is counted where the whole swarm fits into one shard. */
  private async settleLevel(
    skill: string,
    place: number,
    swarmSize: number,
    signal: AbortSignal
  ): Promise<number> {
    const { shardSize, network } = this.init
    const known = this.levels.get(skill)
    const isNew = known === undefined
    let level = known ?? levelFor(swarmSize, shardSize)
    // A newcomer comes from above: the skill has no more providers than the swarm has peers.
    for (let isSettled = level === 0 && swarmSize <= shardSize; !isSettled && !signal.aborted; ) {
      const key = await skillKey(network, skill, shardAt(place, level))
      const next = nextLevel(level, await this.count(key, signal), shardSize)
      isSettled = !isNew || next >= level
      level = isSettled ? next : level - 1
    }
    this.levels.set(skill, level)
    return level
  }

  private async count(key: CID, signal: AbortSignal): Promise<number> {
    let count = 0
    try {
      const timed = AbortSignal.any([signal, AbortSignal.timeout(DHT_TIMEOUT)])
      for await (const _ of this.init.components.contentRouting.findProviders(key, { signal: timed })) {
        count++
      }
    } catch (error) {
      this.init.log('counting a shard ended - %e', error)
    }
    return count
  }

  /** @returns how many peers took the record */
  private async provide(key: CID, signal: AbortSignal): Promise<number> {
    if (signal.aborted || this.init.components.addressManager.getAddresses().length === 0) {
      return 0
    }
    let acknowledged = 0
    try {
      this.provided.set(key.toString(), key)
      await this.init.components.contentRouting.provide(key, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(DHT_TIMEOUT)]),
        onProgress: (event: Progress) => {
          acknowledged += isAcknowledgement(event) ? 1 : 0
        }
      })
    } catch (error) {
      this.init.log('could not provide yet - %e', error)
    }
    return acknowledged
  }
}

interface Progress {
  readonly type: string
  readonly detail: unknown
}

/** kad-dht's event for a provider record that went out. */
function isAcknowledgement({ type, detail }: Progress): boolean {
  return (
    type === 'kad-dht:query:peer-response' &&
    typeof detail === 'object' &&
    detail !== null &&
    'messageType' in detail &&
    detail.messageType === 'ADD_PROVIDER'
  )
}
