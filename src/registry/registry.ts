import {
  type Connection,
  type Logger,
  type PeerId,
  type Startable,
  type Stream,
  serviceCapabilities,
  serviceDependencies,
  setMaxListeners,
  TypedEventEmitter
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { FloodGate, respond } from '../net/index.ts'
import {
  type Advert,
  advertRequest,
  isPeerIdString,
  type Milliseconds,
  type PeerIdString,
  protocolId,
  type Signed
} from '../wire/index.ts'
import { openAdvert } from './advert.ts'
import { Announcer } from './announcer.ts'
import { askAdvert } from './ask.ts'
import * as constants from './constants.ts'
import { offers } from './constraints.ts'
import { RegistryError } from './errors.ts'
import { type Heard, HeardAdverts } from './heard.ts'
import type {
  FindOptions,
  FoundProvider,
  Offer,
  SwarmRegistryComponents,
  SwarmRegistryEvents,
  SwarmRegistryInit,
  SwarmRegistry as SwarmRegistryInterface
} from './index.ts'
import { skillKey } from './keys.ts'
import { OwnAdvert } from './own-advert.ts'
import { search } from './search.ts'
import { SetAside } from './set-aside.ts'
import { levelFor, probes, SHARD_SIZE, type Shard } from './sharding.ts'
import { SwarmSizeWatch } from './swarm-size-watch.ts'
import { WalkPlan } from './walk-plan.ts'

export class SwarmRegistry
  extends TypedEventEmitter<SwarmRegistryEvents>
  implements SwarmRegistryInterface, Startable
{
  readonly [Symbol.toStringTag] = 'swarmharness/registry'
  readonly [serviceCapabilities]: string[] = ['swarmharness/registry']
  readonly [serviceDependencies]: string[] = ['@libp2p/identify', '@libp2p/content-routing']

  private readonly components: SwarmRegistryComponents
  private readonly init: SwarmRegistryInit
  private readonly protocol: string
  private readonly log: Logger
  private readonly now: () => number
  private readonly random: () => number
  private readonly lifetime: Milliseconds
  private readonly shardSize: number
  private readonly announcer: Announcer
  private readonly own: OwnAdvert
  private readonly size: SwarmSizeWatch
  private readonly heard: HeardAdverts
  private readonly aside = new SetAside()
  private readonly gate = new FloodGate(constants.TOLD_RATE, constants.TOLD_RATE_OF_ALL)
  private readonly asking = new Map<string, Promise<FoundProvider | undefined>>()
  private readonly neighbours = new Map<string, PeerId>()
  private readonly walks = new WalkPlan()
  private shutdown = new AbortController()
  private topology: string | undefined
  private providing: AbortController | undefined
  /** The goodbye to the neighbours: settled once all have heard it. */
  private leaving: Promise<unknown> = Promise.resolve()
  private leftAt = 0

  constructor(components: SwarmRegistryComponents, init: SwarmRegistryInit) {
    super()
    setMaxListeners(Infinity, this) // one a search
    this.components = components
    this.init = init
    this.now = init.now ?? Date.now
    this.random = init.random ?? Math.random
    this.shardSize = init.shardSize ?? SHARD_SIZE
    const refreshInterval = init.refreshInterval ?? constants.REFRESH_INTERVAL
    this.lifetime = constants.REFRESHES_MISSED * refreshInterval
    this.protocol = protocolId(init.network.parameters, 'advert')
    this.log = components.logger.forComponent('swarmharness:registry')
    const { now, random, log, shardSize } = this
    this.heard = new HeardAdverts(now)
    const { peerRouting, peerId, privateKey } = components
    this.own = new OwnAdvert({
      key: privateKey,
      peer: peerId.toString(),
      network: init.network,
      lifetime: this.lifetime,
      now
    })
    this.size = new SwarmSizeWatch({ peerRouting, peerId, now, log })
    this.announcer = new Announcer({
      components,
      network: init.network,
      log,
      shardSize,
      refreshInterval,
      random,
      swarmSize: (signal) => this.size.known(signal, constants.SIZE_WAIT)
    })
  }

  async start(): Promise<void> {
    this.shutdown = new AbortController()
    setMaxListeners(Infinity, this.shutdown.signal)
    const { registrar, events } = this.components
    await registrar.handle(this.protocol, (stream, connection) => this.answer(stream, connection), {
      runOnLimitedConnection: true
    })
    this.topology = await registrar.register(this.protocol, {
      notifyOnLimitedConnection: true,
      onConnect: (peer) => this.onNeighbour(peer),
      onDisconnect: (peer) => this.onParted(peer)
    })
    events.addEventListener('self:peer:update', this.onSelfUpdate)
  }

  /** While the connections still stand: an application that only stops its node says goodbye, too. */
  async beforeStop(): Promise<void> {
    this.withdraw()
    const left = Math.max(0, this.leftAt + constants.LEAVE_WAIT - this.now())
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, left)
    })
    await Promise.race([this.leaving, enough]).finally(() => clearTimeout(timer))
  }

  async stop(): Promise<void> {
    this.withdraw()
    this.shutdown.abort()
    const { registrar, events } = this.components
    events.removeEventListener('self:peer:update', this.onSelfUpdate)
    if (this.topology !== undefined) {
      registrar.unregister(this.topology)
    }
    await registrar.unhandle(this.protocol)
  }

  offer(offer: () => Offer): void {
    this.providing?.abort()
    this.own.offer = offer
    const providing = new AbortController()
    this.providing = providing
    const signal = AbortSignal.any([providing.signal, this.shutdown.signal])
    setMaxListeners(Infinity, signal)
    for (const skill of offer().skills) {
      this.announcer
        .keep(skill.name, signal)
        .catch((error) => this.log.error('%s is provided no more - %e', skill.name, error))
    }
    void this.tellNeighbours()
  }

  withdraw(): void {
    this.providing?.abort()
    this.providing = undefined
    if (this.own.isOffering) {
      this.own.offer = undefined
      this.leaving = this.tellNeighbours()
      this.leftAt = this.now()
      this.announcer.withdraw().catch((error) => this.log('could not forget what was provided - %e', error))
    }
  }

  known(peer: PeerIdString): Advert | undefined {
    return this.heard.get(peer)?.advert
  }

  learnLoad(peer: PeerIdString, load: number, at: Milliseconds = this.now()): void {
    this.heard.learnLoad(peer, load, at)
  }

  setAside(peer: PeerIdString): void {
    this.heard.delete(peer)
    this.aside.add(peer, false, this.now())
  }

  async *find(skill: string, options: FindOptions = {}): AsyncIterable<FoundProvider> {
    const signal = AbortSignal.any([
      ...(options.signal ? [options.signal] : []),
      this.shutdown.signal,
      AbortSignal.timeout(constants.DHT_TIMEOUT)
    ])
    setMaxListeners(Infinity, signal)
    const isWanted = ({ advert }: FoundProvider) => offers(advert, skill, options.constraints)
    const given = new Set<FoundProvider>()
    for (const peer of [...this.neighbours.keys()]) {
      const heard = this.heard.get(peer)
      if (heard !== undefined && isWanted(heard)) {
        given.add(heard)
        yield heard
      }
    }
    const answers = search({
      self: this.components.peerId.toString(),
      acquaintances: this.acquaintances(isWanted),
      shards: this.shardsToWalk(skill),
      providersIn: (shard, walking) => this.providersIn(skill, shard, walking),
      ask: (peer) => this.ask(peer),
      subscribe: (listener) => this.onAdvert(listener),
      askedMax: constants.ASKED_MAX,
      random: this.random,
      signal,
      log: this.log
    })
    for await (const found of answers) {
      if (isWanted(found) && !given.has(found)) {
        given.add(found)
        yield found
      }
    }
  }

  /**
   * Connected peers whose advert is unknown, wanted, or so old that it may have changed; and those heard of whose
   * connection has ended. The more neighbours, the older: asking them all must not cost more than a DHT walk.
   */
  private acquaintances(isWanted: (found: FoundProvider) => boolean): PeerId[] {
    const { FRESH, NEIGHBOURS_ASKED, REFRESH_INTERVAL } = constants
    const age = Math.min(REFRESH_INTERVAL, FRESH * Math.max(1, this.neighbours.size / NEIGHBOURS_ASKED))
    const connected = [...this.neighbours].filter(([peer]) => {
      const heard = this.heard.get(peer)
      return heard === undefined || isWanted(heard) || this.now() - heard.at >= age
    })
    const away = [...this.heard].filter((heard) => !this.neighbours.has(heard.advert.peer) && isWanted(heard))
    return [
      ...connected.map(([, peer]) => peer),
      ...away.slice(0, NEIGHBOURS_ASKED).map(({ advert }) => peerIdFromString(advert.peer))
    ]
  }

  private shardsToWalk(skill: string): Shard[] {
    const size = this.size.current(this.shutdown.signal)
    const { connectionManager } = this.components
    const isWhole = this.size.isWhole((peer) => connectionManager.getConnections(peer).length > 0)
    if (!this.walks.isDue(skill, isWhole, this.now())) {
      return []
    }
    return probes(this.announcer.levels.get(skill) ?? levelFor(size, this.shardSize), this.random)
  }

  private async *providersIn(skill: string, shard: Shard, signal: AbortSignal): AsyncIterable<PeerId> {
    const key = await skillKey(this.init.network, skill, shard)
    for await (const { id } of this.components.contentRouting.findProviders(key, { signal })) {
      if (!this.aside.has(id.toString(), this.now())) {
        yield id
      }
    }
  }

  /** A peer's advert: as heard a moment ago, or asked now, once at a time; nothing from one that is set aside. */
  private ask(peer: PeerId): Promise<FoundProvider | undefined> {
    const key = peer.toString()
    const heard = this.heard.get(key)
    const now = this.now()
    if (heard !== undefined && now - heard.at < constants.FRESH) {
      return Promise.resolve(heard)
    }
    if (this.aside.has(key, now) || !isPeerIdString(key)) {
      return Promise.resolve(undefined)
    }
    const running = this.asking.get(key) ?? this.fetch(peer, key).finally(() => this.asking.delete(key))
    this.asking.set(key, running)
    return running
  }

  private async fetch(
    peer: PeerId,
    key: PeerIdString,
    mine: Signed | null = null
  ): Promise<FoundProvider | undefined> {
    const started = this.now()
    const { signal } = this.shutdown
    try {
      // whoever serves says so when it asks: a new neighbour hears of it with the first exchange
      const told = mine ?? (this.own.isOffering ? await this.own.signed() : null)
      const envelope = await askAdvert(this.components, this.protocol, peer, told, signal)
      return await this.hear(key, envelope, { latencyMs: this.now() - started, isAsked: true })
    } catch (error) {
      this.log('no advert from %s - %e', key, error)
      if (!signal.aborted) {
        this.heard.delete(key)
        this.aside.add(key, this.neighbours.has(key), this.now())
      }
      return undefined
    }
  }

  private async hear(
    from: PeerIdString,
    envelope: Signed,
    how: Pick<Heard, 'latencyMs' | 'isAsked'>
  ): Promise<FoundProvider> {
    const advert = await openAdvert(envelope, {
      from,
      network: this.init.network,
      now: this.now(),
      lifetime: this.lifetime,
      knownSeq: this.heard.get(from)?.advert.seq
    }).catch((error) => {
      if (error instanceof RegistryError && error.code === 'STALE_ADVERT') {
        return error
      }
      throw error
    })
    const known = this.heard.get(from)
    if (known !== undefined && (advert instanceof Error || advert.seq < known.advert.seq)) {
      return known // a newer one has overtaken it on the way
    }
    if (advert instanceof Error) {
      throw advert
    }
    const heard = this.heard.set(advert, how)
    if (how.isAsked) {
      this.aside.delete(from)
    }
    this.safeDispatchEvent('advert', { detail: heard })
    return heard
  }

  private async answer(stream: Stream, connection: Connection): Promise<void> {
    const from = connection.remotePeer.toString()
    try {
      await respond(
        stream,
        advertRequest,
        async ({ mine }) => {
          if (mine !== null && isPeerIdString(from)) {
            await this.beTold(from, mine)
          }
          return this.own.signed()
        },
        { maxBytes: constants.MESSAGE_MAX, signal: AbortSignal.timeout(constants.ADVERT_TIMEOUT) }
      )
    } catch (error) {
      this.log('no answer to %s - %e', from, error)
    }
  }

  /** Beyond the peer's allowance nothing is checked; what was known of it may be out of date, and is asked anew. */
  private async beTold(from: PeerIdString, mine: Signed): Promise<void> {
    if (this.aside.isUnreachable(from, this.now())) {
      return // it comes back by an answer
    }
    if (this.gate.admits(from, this.now())) {
      const latencyMs = this.heard.get(from)?.latencyMs ?? constants.LATENCY_UNKNOWN
      await this.hear(from, mine, { latencyMs, isAsked: false })
    } else {
      this.heard.delete(from)
    }
  }

  /** Those who are connected hear of a change at once; the others when they ask. Never rejects. */
  private tellNeighbours(): Promise<unknown> {
    return this.own
      .signed()
      .then((mine) =>
        Promise.all(
          [...this.neighbours]
            .slice(0, constants.NEIGHBOURS_TOLD)
            .map(([key, peer]) => (isPeerIdString(key) ? this.fetch(peer, key, mine) : undefined))
        )
      )
      .catch((error) => this.log('could not tell the neighbours - %e', error))
  }

  private onAdvert(listener: (found: FoundProvider) => void): () => void {
    const onEvent = ({ detail }: CustomEvent<FoundProvider>) => listener(detail)
    this.addEventListener('advert', onEvent)
    return () => this.removeEventListener('advert', onEvent)
  }

  private onNeighbour(peer: PeerId): void {
    this.neighbours.set(peer.toString(), peer)
    this.aside.retry(peer.toString())
    void this.ask(peer)
  }

  private onParted(peer: PeerId): void {
    this.neighbours.delete(peer.toString())
    this.heard.doubt(peer.toString())
  }

  private readonly onSelfUpdate = () => this.announcer.checkAddresses()
}
