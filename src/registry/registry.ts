import {
  type AbortOptions,
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
import type { CID } from 'multiformats/cid'
import { openStream, request, respond, standingConnection } from '../net/index.ts'
import {
  type Advert,
  advertRequest,
  DOMAINS,
  isPeerIdString,
  type PeerIdString,
  protocolId,
  type Signed,
  sign,
  signed
} from '../wire/index.ts'
import { openAdvert, skillKey } from './advert.ts'
import * as constants from './constants.ts'
import { RegistryError } from './errors.ts'
import type {
  FoundProvider,
  Offer,
  SwarmRegistryComponents,
  SwarmRegistryEvents,
  SwarmRegistryInit,
  SwarmRegistry as SwarmRegistryInterface
} from './index.ts'

const NOTHING: Offer = { skills: [], device: { backend: 'cpu', class: 'none' }, load: 0, uptime: 0 }

interface Heard extends FoundProvider {
  readonly at: number
}

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
  private readonly heard = new Map<string, Heard>()
  private readonly asking = new Map<string, Promise<FoundProvider | undefined>>()
  private readonly aside = new Map<string, number>()
  private readonly neighbours = new Map<string, PeerId>()
  private shutdown = new AbortController()
  private topology: string | undefined
  private offered: (() => Offer) | undefined
  private providing: AbortController | undefined
  private seq: number

  constructor(components: SwarmRegistryComponents, init: SwarmRegistryInit) {
    super()
    this.components = components
    this.init = init
    this.now = init.now ?? Date.now
    this.seq = this.now() // grows across restarts without being stored
    this.protocol = protocolId(init.network.parameters, 'advert')
    this.log = components.logger.forComponent('swarmharness:registry')
  }

  async start(): Promise<void> {
    this.shutdown = new AbortController()
    setMaxListeners(Infinity, this.shutdown.signal)
    const { registrar } = this.components
    await registrar.handle(this.protocol, (stream, connection) => this.answer(stream, connection), {
      runOnLimitedConnection: true
    })
    this.topology = await registrar.register(this.protocol, {
      notifyOnLimitedConnection: true,
      onConnect: (peer) => this.onNeighbour(peer),
      onDisconnect: (peer) => void this.neighbours.delete(peer.toString())
    })
  }

  async stop(): Promise<void> {
    this.withdraw()
    this.shutdown.abort()
    if (this.topology !== undefined) {
      this.components.registrar.unregister(this.topology)
    }
    await this.components.registrar.unhandle(this.protocol)
  }

  offer(offer: () => Offer): void {
    this.providing?.abort()
    this.offered = offer
    const providing = new AbortController()
    this.providing = providing
    for (const skill of offer().skills) {
      void this.keepProviding(skill.name, AbortSignal.any([providing.signal, this.shutdown.signal]))
    }
    this.tellNeighbours()
  }

  withdraw(): void {
    this.providing?.abort()
    this.providing = undefined
    if (this.offered !== undefined) {
      this.offered = undefined
      this.tellNeighbours()
    }
  }

  known(peer: PeerIdString): Advert | undefined {
    return this.valid(peer)?.advert
  }

  setAside(peer: PeerIdString): void {
    this.heard.delete(peer)
    this.aside.set(peer, this.now() + constants.SET_ASIDE)
  }

  async *find(skill: string, options: AbortOptions = {}): AsyncIterable<FoundProvider> {
    const signal = AbortSignal.any([
      ...(options.signal ? [options.signal] : []),
      this.shutdown.signal,
      AbortSignal.timeout(constants.DHT_TIMEOUT)
    ])
    const asked = new Set<string>([this.components.peerId.toString()])
    const answers = new Set<Promise<FoundProvider | undefined>>()
    let news = Promise.withResolvers<undefined>()
    const ask = (peer: PeerId) => {
      if (!asked.has(peer.toString()) && asked.size < constants.CACHE_MAX) {
        asked.add(peer.toString())
        const answer = this.ask(peer, signal).finally(() => answers.delete(answer))
        answers.add(answer)
        news.resolve(undefined)
      }
    }
    for (const peer of this.neighbours.values()) {
      const heard = this.valid(peer.toString())
      if (serves(heard, skill)) {
        yield heard
      }
      ask(peer)
    }
    // beside the neighbours, not after them: one of them may be gone and take its time to answer
    let isWalking = true
    const walk = this.walk(skill, ask, answers, signal).then(() => {
      isWalking = false
      return undefined
    })
    while (isWalking || answers.size > 0) {
      news = Promise.withResolvers<undefined>()
      const found = await Promise.race([...answers, news.promise, ...(isWalking ? [walk] : [])])
      if (serves(found, skill)) {
        yield found
      }
    }
  }

  /** Asks whom the DHT names, a few at a time. */
  private async walk(
    skill: string,
    ask: (peer: PeerId) => void,
    answers: ReadonlySet<Promise<unknown>>,
    signal: AbortSignal
  ): Promise<void> {
    for await (const peer of this.providersOf(skill, signal)) {
      ask(peer)
      if (answers.size >= constants.FAN_OUT) {
        await Promise.race(answers)
      }
    }
  }

  private valid(peer: string): Heard | undefined {
    const heard = this.heard.get(peer)
    return heard !== undefined && heard.advert.expires > this.now() ? heard : undefined
  }

  private async *providersOf(skill: string, signal: AbortSignal): AsyncIterable<PeerId> {
    try {
      const key = await skillKey(this.init.network, skill)
      for await (const provider of this.components.contentRouting.findProviders(key, { signal })) {
        yield provider.id
      }
    } catch (error) {
      // an empty routing table or an ended walk is an empty answer, not a failure of the search
      this.log('looking for %s ended - %e', skill, error)
    }
  }

  /** A peer's advert: as heard a moment ago, or asked now, once at a time; nothing from one that is set aside. */
  private ask(peer: PeerId, signal: AbortSignal): Promise<FoundProvider | undefined> {
    const key = peer.toString()
    const heard = this.valid(key)
    const now = this.now()
    if (heard !== undefined && now - heard.at < constants.FRESH) {
      return Promise.resolve(heard)
    }
    if ((this.aside.get(key) ?? 0) > now || !isPeerIdString(key)) {
      return Promise.resolve(undefined)
    }
    const running =
      this.asking.get(key) ?? this.fetch(peer, key, signal).finally(() => this.asking.delete(key))
    this.asking.set(key, running)
    return running
  }

  private async fetch(
    peer: PeerId,
    key: PeerIdString,
    signal: AbortSignal,
    mine: Signed | null = null
  ): Promise<FoundProvider | undefined> {
    const started = this.now()
    const timed = AbortSignal.any([signal, AbortSignal.timeout(constants.ADVERT_TIMEOUT)])
    try {
      const stream = await this.openStream(peer, timed)
      // whoever serves says so when it asks: a new neighbour hears of it with the first exchange
      const told = mine ?? (this.offered === undefined ? null : await this.ownAdvert())
      const envelope = await request(
        stream,
        signed,
        { t: 'advert', mine: told },
        {
          maxBytes: constants.MESSAGE_MAX,
          signal: timed
        }
      )
      return await this.hear(key, envelope, this.now() - started)
    } catch (error) {
      this.log('no advert from %s - %e', key, error)
      if (!signal.aborted) {
        const isConnected = this.neighbours.has(key)
        this.heard.delete(key)
        this.aside.set(key, this.now() + (isConnected ? constants.PROVIDE_RETRY : constants.SET_ASIDE))
      }
      return undefined
    }
  }

  /** A relayed connection will do; libp2p would first wait for the direct one that is being made. */
  private async openStream(peer: PeerId, signal: AbortSignal): Promise<Stream> {
    const { connectionManager } = this.components
    const options = { signal, runOnLimitedConnection: true }
    const standing = standingConnection(this.components.peerId, connectionManager.getConnections(peer))
    return standing === undefined
      ? connectionManager.openStream(peer, this.protocol, options)
      : openStream(standing, this.protocol, options)
  }

  private async hear(from: PeerIdString, envelope: Signed, latencyMs: number): Promise<FoundProvider> {
    const known = this.valid(from)
    const advert = await openAdvert(envelope, {
      from,
      network: this.init.network,
      now: this.now(),
      knownSeq: known?.advert.seq
    }).catch((error) => {
      if (known !== undefined && error instanceof RegistryError && error.code === 'STALE_ADVERT') {
        return known.advert // a newer one has overtaken it on the way
      }
      throw error
    })
    const heard = { advert, latencyMs, at: this.now() }
    this.heard.delete(from)
    this.heard.set(from, heard)
    if (this.heard.size > constants.CACHE_MAX) {
      const oldest = this.heard.keys().next().value
      this.heard.delete(oldest ?? '')
    }
    this.aside.delete(from)
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
            await this.hear(from, mine, this.heard.get(from)?.latencyMs ?? constants.LATENCY_UNKNOWN)
          }
          return this.ownAdvert()
        },
        { maxBytes: constants.MESSAGE_MAX, signal: AbortSignal.timeout(constants.ADVERT_TIMEOUT) }
      )
    } catch (error) {
      this.log('no answer to %s - %e', from, error)
    }
  }

  /** What this node serves now, signed; an advert without skills where it serves nothing. */
  private async ownAdvert(): Promise<Signed> {
    const now = this.now()
    this.seq = Math.max(this.seq + 1, now)
    return sign(this.components.privateKey, DOMAINS.advert, {
      ...(this.offered?.() ?? NOTHING),
      v: 1,
      net: this.init.network.hash,
      peer: this.components.peerId.toString(),
      seq: this.seq,
      ts: now,
      expires: now + constants.ADVERT_LIFETIME
    })
  }

  /** Those who are connected hear of a change at once; the others when they ask. */
  private tellNeighbours(): void {
    const { signal } = this.shutdown
    this.ownAdvert()
      .then((mine) =>
        Promise.all(
          [...this.neighbours]
            .slice(0, constants.NEIGHBOURS_TOLD)
            .map(([key, peer]) => (isPeerIdString(key) ? this.fetch(peer, key, signal, mine) : undefined))
        )
      )
      .catch((error) => this.log('could not tell the neighbours - %e', error))
  }

  private onNeighbour(peer: PeerId): void {
    this.neighbours.set(peer.toString(), peer)
    this.aside.delete(peer.toString())
    void this.ask(peer, this.shutdown.signal)
  }

  private async keepProviding(skill: string, signal: AbortSignal): Promise<void> {
    const key = await skillKey(this.init.network, skill)
    while (!signal.aborted) {
      const provided = await this.provideOnce(key, signal)
      await pause(provided ? constants.REFRESH_INTERVAL : constants.PROVIDE_RETRY, signal)
    }
  }

  private async provideOnce(key: CID, signal: AbortSignal): Promise<boolean> {
    if (this.components.connectionManager.getConnections().length === 0) {
      return false
    }
    try {
      await this.components.contentRouting.provide(key, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(constants.DHT_TIMEOUT)])
      })
      return true
    } catch (error) {
      this.log('could not provide yet - %e', error)
      return false
    }
  }
}

function serves<F extends FoundProvider>(found: F | undefined, skill: string): found is F {
  return found?.advert.skills.some(({ name }) => name === skill) ?? false
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) {
      done()
    }
  })
}
