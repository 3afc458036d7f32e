import type { PrivateKey } from '@libp2p/interface'
import type { PartRef } from '../../compute/index.ts'
import type { Network, Origin, PeerIdString, RowsOf, Signed } from '../../wire/index.ts'
import type { Channel } from '../channel.ts'
import { fromHex, hex } from '../plan.ts'
import { signTicket } from '../ticket.ts'
import type { StepTerms } from '../unit-sender.ts'
import type { Done, Lane } from './lane.ts'
import type { HashedPipeline } from './plan.ts'

export interface TermsInit {
  readonly plan: HashedPipeline
  readonly key: PrivateKey
  readonly network: Network
  readonly self: PeerIdString
  readonly now: () => number
}

/** What goes with the units of a pipeline: which bytes, from whom, and by whose leave. */
export class Terms {
  private readonly init: TermsInit
  /** Who has a part, by its hash, as far as its answers show. */
  private readonly holders = new Map<string, Set<Channel>>()
  /** Who was sent a part first: the others fetch it there. */
  private readonly first = new Map<string, Channel>()

  constructor(init: TermsInit) {
    this.init = init
  }

  /** The parts of a unit are there, or can be sent there now: false while they are on their way to another. */
  canHave(channel: Channel, { plan }: Lane, stage: number): boolean {
    return this.partsOf(plan.units[stage] ?? [], stage).every(({ hash }) => {
      const first = this.first.get(hash)
      return (
        this.holderOf(hash, channel) !== undefined ||
        first === undefined ||
        first === channel ||
        !first.isLive
      )
    })
  }

  /** It was given a unit: what of the stage's parts nobody has goes there. */
  promise(channel: Channel, { plan }: Lane, stage: number): void {
    for (const { hash } of this.partsOf(plan.units[stage] ?? [], stage)) {
      if (this.first.get(hash)?.isLive !== true) {
        this.first.set(hash, channel)
      }
    }
  }

  /** It has answered a unit, and so has all that the unit needed. */
  learn({ channel, stage, unit, lane, before }: Done): void {
    const own = this.partsOf([lane.plan.units[stage]?.[unit]], stage)
    const former =
      before === undefined ? [] : this.partsOf([lane.plan.units[stage - 1]?.[before.unit]], stage - 1)
    for (const { hash } of [...own, ...former]) {
      const holders = this.holders.get(hash) ?? new Set()
      this.holders.set(hash, holders.add(channel))
    }
  }

  async step(channel: Channel, lane: Lane, stage: number, unit: number): Promise<StepTerms> {
    const { plan } = this.init
    const spec = lane.plan.units[stage]?.[unit]
    const input = plan.inputs[lane.index]
    const [before] = stage === 0 ? [] : lane.at(stage - 1)
    if (spec === undefined || input === undefined || (stage > 0 && before === undefined)) {
      throw new TypeError(`Lane ${lane.index} has not come to stage ${stage}.`) // cannot happen: it was given at it
    }
    const parts = this.partsOf([spec], stage)
    const bring: PartRef[] = before === undefined ? [input] : []
    const elsewhere = new Map<Channel, Uint8Array[]>()
    for (const part of parts) {
      const holder = this.holderOf(part.hash, channel)
      if (holder === undefined) {
        bring.push(part)
      } else if (holder !== channel) {
        elsewhere.set(holder, [...(elsewhere.get(holder) ?? []), fromHex(part.hash)])
      }
    }
    if (before !== undefined) {
      elsewhere.set(before.channel, [...(elsewhere.get(before.channel) ?? []), ...this.evidence(before)])
    }
    return {
      parts: bring,
      chunks: plan.chunks,
      frame: {
        mode: stage === plan.stages.length - 1 ? 'send' : 'keep',
        params: [...spec.params],
        parts: parts.map(({ hash }) => fromHex(hash)),
        partSizes: parts.map(({ bytes }) => bytes.byteLength),
        dataSize: spec.dataSize,
        input: before?.hash ?? fromHex(input.hash),
        via: before === undefined ? null : this.via(lane, stage),
        origin: before === undefined ? null : this.origin(before),
        tickets: await this.tickets(elsewhere, channel)
      }
    }
  }

  /** Asks the author of what a last result was made of to check it. */
  async check(channel: Channel, of: Done): Promise<StepTerms> {
    const tickets = await this.tickets(new Map([[of.channel, this.evidence(of)]]), channel)
    return {
      parts: [],
      chunks: new Map(),
      frame: {
        mode: 'check',
        params: [],
        parts: [],
        partSizes: [],
        dataSize: 0,
        input: of.hash,
        via: null,
        origin: this.origin(of),
        tickets
      }
    }
  }

  /** A ticket for this node itself. */
  own(holder: Channel, hash: Uint8Array): Promise<Signed> {
    return this.ticket(holder, this.init.self, [hash])
  }

  /** How the rows of a stage come from the result before. */
  via(lane: Lane, stage: number): RowsOf {
    const { stages } = this.init.plan
    const { relu, scale } = stages[stage]?.via ?? { relu: false, scale: 0 }
    const params = [...(lane.plan.units[stage - 1]?.[0]?.params ?? [])]
    return { skill: stages[stage - 1]?.skill.manifest.name ?? '', params, relu, scale }
  }

  /** Shared inputs of some units of a stage, each once. */
  partsOf(units: ReadonlyArray<{ readonly parts: readonly number[] } | undefined>, stage: number): PartRef[] {
    const places = new Set(units.flatMap((unit) => unit?.parts ?? []))
    return [...places].flatMap((place) => this.init.plan.stages[stage]?.parts[place] ?? [])
  }

  private holderOf(hash: string, taker: Channel): Channel | undefined {
    if (taker.holds(hash)) {
      return taker
    }
    const holders = [...(this.holders.get(hash) ?? [])]
    return holders.includes(taker) ? taker : holders.find(({ isLive }) => isLive)
  }

  private origin({ lane, stage, unit, channel, number, input, hash, size, signature }: Done): Origin {
    const spec = lane.plan.units[stage]?.[unit]
    return {
      peer: channel.peer,
      index: number,
      skill: this.init.plan.stages[stage]?.skill.manifest.name ?? '',
      params: [...(spec?.params ?? [])],
      parts: this.partsOf([spec], stage).map((part) => fromHex(part.hash)),
      input,
      via: stage === 0 ? null : this.via(lane, stage),
      result: hash,
      size,
      signature
    }
  }

  /** All that the check of a result needs: whoever has computed it has it. */
  private evidence({ lane, stage, unit, input, hash }: Done): Uint8Array[] {
    const parts = this.partsOf([lane.plan.units[stage]?.[unit]], stage)
    return [hash, input, ...parts.map((part) => fromHex(part.hash))]
  }

  private tickets(from: ReadonlyMap<Channel, readonly Uint8Array[]>, taker: Channel): Promise<Signed[]> {
    return Promise.all([...from].map(([holder, parts]) => this.ticket(holder, taker.peer, parts)))
  }

  private ticket(holder: Channel, taker: PeerIdString, parts: readonly Uint8Array[]): Promise<Signed> {
    const { key, network, self, now } = this.init
    const once = new Map(parts.map((hash) => [hex(hash), hash]))
    const ticket = { author: self, ts: now(), holder: holder.peer, taker, parts: [...once.values()] }
    return signTicket(key, network, ticket)
  }
}
