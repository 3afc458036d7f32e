import type { Logger, PeerId } from '@libp2p/interface'
import { FAN_OUT, LISTEN, NAMES_MAX, NAMES_WANTED } from './constants.ts'
import type { FoundProvider } from './index.ts'
import { pause } from './pause.ts'
import type { Shard } from './sharding.ts'

export interface SearchInit {
  readonly self: string
  /** Whom this node is connected to, or has heard of: asked first. */
  readonly acquaintances: Iterable<PeerId>
  /** Shards to look into until there are names enough; none: nobody walks. */
  readonly shards: readonly Shard[]
  /** Providers that the DHT names for a shard. */
  readonly providersIn: (shard: Shard, signal: AbortSignal) => AsyncIterable<PeerId>
  /** The peer's advert; undefined if it does not answer, or is not to be asked now. */
  readonly ask: (peer: PeerId) => Promise<FoundProvider | undefined>
  /** Tells of every advert that is heard meanwhile, asked for or not; returns what ends that. */
  readonly subscribe: (listener: (found: FoundProvider) => void) => () => void
  /** Strangers asked at most. */
  readonly askedMax: number
  readonly random: () => number
  readonly signal: AbortSignal
  readonly log: Logger
}

/**
 * Asks acquaintances and walks the DHT at the same time: one of them may be gone and take its time to answer.
 * A few are asked at once. Of the strangers that the DHT names a random one is next, so that not everybody asks
 * the same ones first, and a flood of false names is no wall.
 */
export async function* search(init: SearchInit): AsyncGenerator<FoundProvider> {
  const over = new AbortController()
  const signal = AbortSignal.any([init.signal, over.signal])
  const seen = new Set([init.self])
  const first: PeerId[] = []
  const strangers: PeerId[] = []
  const answers: FoundProvider[] = []
  let running = 0
  let asked = 0
  let isWalking = true
  let news = Promise.withResolvers<void>()

  const give = (found: FoundProvider | undefined) => {
    answers.push(...(found === undefined ? [] : [found]))
    news.resolve()
  }
  const note = (peer: PeerId, list: PeerId[]) => {
    const key = peer.toString()
    if (seen.size < NAMES_MAX && !seen.has(key)) {
      seen.add(key)
      list.push(peer)
      pump()
    }
  }
  const draw = (): PeerId | undefined => {
    const acquaintance = first.shift()
    if (acquaintance !== undefined || asked >= init.askedMax || strangers.length === 0) {
      return acquaintance
    }
    asked++
    return strangers.splice(Math.floor(init.random() * strangers.length), 1)[0]
  }
  const pump = () => {
    while (running < FAN_OUT && !signal.aborted) {
      const peer = draw()
      if (peer === undefined) {
        return
      }
      running++
      void init.ask(peer).then((found) => {
        running--
        pump()
        give(found)
      })
    }
  }

  const unsubscribe = init.subscribe(give)
  for (const peer of init.acquaintances) {
    note(peer, first)
  }
  void walk({ ...init, signal }, (peer) => note(peer, strangers)).then(() => {
    isWalking = false
    news.resolve()
  })
  signal.addEventListener('abort', () => news.resolve())
  try {
    while (!signal.aborted && (isWalking || running > 0 || answers.length > 0)) {
      if (answers.length === 0) {
        await news.promise
      }
      news = Promise.withResolvers()
      yield* answers.splice(0)
    }
  } finally {
    unsubscribe()
    if (isWalking) {
      over.abort() // after the walk it would reset streams that are just being closed
    }
  }
}

async function walk(init: SearchInit, note: (peer: PeerId) => void): Promise<void> {
  if (init.shards.length === 0) {
    await pause(LISTEN, init.signal) // whoever looks again and again must let the others get a word in
  }
  let names = 0
  for (const shard of init.shards) {
    try {
      for await (const peer of init.providersIn(shard, init.signal)) {
        names++
        note(peer)
      }
    } catch (error) {
      // an empty routing table or an ended walk is an empty answer, not a failure of the search
      init.log('looking into a shard ended - %e', error)
    }
    if (names >= NAMES_WANTED || init.signal.aborted) {
      return
    }
  }
}
