import type { PrivateKey } from '@libp2p/interface'
import { DOMAINS, type Milliseconds, type Network, type Signed, sign } from '../wire/index.ts'
import { SIGNED_AFRESH } from './constants.ts'
import type { Offer } from './index.ts'

const NOTHING: Offer = { skills: [], device: { backend: 'cpu', class: 'none' }, load: 0, uptime: 0 }

/** In seconds. Adverts are coarse, so that nobody is known again by them. */
const UPTIME_STEP = 60
const powerOfTwo = (bytes: number) => (bytes < 1 ? 0 : 2 ** Math.floor(Math.log2(bytes)))

export interface OwnAdvertInit {
  readonly key: PrivateKey
  readonly peer: string
  readonly network: Network
  readonly lifetime: Milliseconds
  readonly now: () => Milliseconds
}

/** What this node says of itself: signed at most five times a second, however many ask. */
export class OwnAdvert {
  private readonly init: OwnAdvertInit
  private offered: (() => Offer) | undefined
  private last: { readonly envelope: Promise<Signed>; readonly at: Milliseconds } | undefined
  private seq: number

  constructor(init: OwnAdvertInit) {
    this.init = init
    this.seq = init.now() // grows across restarts without being stored
  }

  get isOffering(): boolean {
    return this.offered !== undefined
  }

  /** Undefined: nothing is served any more, and the advert has no skills. */
  set offer(offer: (() => Offer) | undefined) {
    this.offered = offer
    this.last = undefined
  }

  signed(): Promise<Signed> {
    const { key, peer, network, lifetime } = this.init
    const now = this.init.now()
    if (this.last !== undefined && now - this.last.at < SIGNED_AFRESH) {
      return this.last.envelope
    }
    this.seq = Math.max(this.seq + 1, now)
    const { device, uptime, ...offer } = this.offered?.() ?? NOTHING
    const envelope = sign(key, DOMAINS.advert, {
      ...offer,
      device: { ...device, memory: powerOfTwo(device.memory ?? 0) },
      uptime: uptime - (uptime % UPTIME_STEP),
      v: 1,
      net: network.hash,
      peer,
      seq: this.seq,
      ts: now,
      expires: now + lifetime
    })
    this.last = { envelope, at: now }
    return envelope
  }
}
