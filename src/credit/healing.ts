import { equals } from 'uint8arrays/equals'
import * as z from 'zod/mini'
import type { Store } from '../store/index.ts'
import {
  cidOf,
  decode,
  encode,
  type Milliseconds,
  type Network,
  type PeerIdString,
  type Signed,
  signed
} from '../wire/index.ts'
import { branchOf } from './branches.ts'
import type { Certifier, OwnRecord } from './certify.ts'
import { ASK_MS, ESCROW_VOTE_MS } from './constants.ts'
import { openRecord } from './envelope.ts'
import type { ForkBook } from './fork-book.ts'
import type { OwnChain } from './own-chain.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'

export interface HealingInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly forks: ForkBook
  readonly transport: Pick<LedgerTransport, 'call'>
  readonly network: Network
  readonly log: (message: string) => void
  readonly changed: () => void
  /** The chain is another one now. */
  readonly healed: () => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

const ROW = 'heal'
const certificateSchema = z.strictObject({ heal: signed, votes: z.array(signed) })
type HealCertificate = z.output<typeof certificateSchema>

/** Finds another branch of this node's own chain, joins it by a `heal`, and has that certified. */
export class Healing {
  private readonly init: HealingInit
  private certificate: HealCertificate | undefined
  private running: Promise<boolean> | undefined
  /** Somebody wanted it while it ran. */
  private isAskedAgain = false
  private readonly told = new Set<PeerIdString>()
  /** A quorum of the last sure seat has said that it knows of no other branch. */
  private isAlone = false

  constructor(init: HealingInit) {
    this.init = init
  }

  async load(): Promise<void> {
    const bytes = await this.init.store.table('meta').get(ROW)
    this.certificate = bytes && decode(bytes, certificateSchema, Number.POSITIVE_INFINITY)
  }

  /** Looks for another branch and joins it. Never rejects. @returns whether there was one */
  start(): Promise<boolean> {
    this.isAskedAgain = this.running !== undefined
    this.running ??= this.run()
    return this.running
  }

  private async run(): Promise<boolean> {
    try {
      let isHealed = await this.heal()
      while (!isHealed && this.isAskedAgain) {
        this.isAskedAgain = false // a witness has come back meanwhile
        isHealed = await this.heal()
      }
      return isHealed
    } catch (error) {
      this.init.log(`This chain has another branch, and stays as it is: ${String(error)}`)
      return false
    } finally {
      this.running = undefined
    }
  }

  /** The peer is there: it may keep a branch that this node has not heard of when it took a seat without its witnesses. */
  seen(peer: PeerIdString, state: ChainState): void {
    if (isCutOff(state) && state.sure.members.includes(peer)) {
      void this.start()
    }
  }

  /** Has the newest heal certified, if it is not yet. Never rejects. */
  async tend(): Promise<void> {
    const { chain, forks, network, log } = this.init
    try {
      if (forks.has(chain.peer) || (!this.isAlone && isCutOff(await chain.latest()))) {
        await this.start()
      }
      const { healSeq } = await chain.latest()
      if (healSeq > 0 && (this.certificate === undefined || forks.has(chain.peer))) {
        const [heal] = await chain.range(healSeq, healSeq + 1)
        if (heal) {
          await this.certify({ ...(await openRecord(heal, network, { signatures: false })), signed: heal })
        }
      }
    } catch (error) {
      log(`The heal is not certified yet: ${String(error)}`)
    }
  }

  /** Messages to those who refuse because of the fork: they are shown the heal first, once. */
  over(transport: LedgerTransport): LedgerTransport {
    return {
      ...transport,
      call: async (peer, message, signal) => {
        const answer = await transport.call(peer, message, signal)
        if (answer.t !== 'refused' || answer.code !== 'FORK') {
          return answer
        }
        if (this.certificate === undefined || this.told.has(peer)) {
          void this.start() // it knows of a branch that this node does not
          return answer
        }
        this.told.add(peer)
        const taken = await transport.call(peer, { t: 'healed', ...this.certificate }, signal)
        return taken.t === 'ok' ? transport.call(peer, message, signal) : answer
      }
    }
  }

  private async heal(): Promise<boolean> {
    const { chain, certifier, changed, healed, log } = this.init
    const branch = await this.findBranch()
    if (branch === undefined) {
      return false
    }
    const made = await chain.heal(branch)
    log(`A branch of ${branch.length} records was joined at place ${made.record.seq}.`)
    this.certificate = undefined
    certifier.forget()
    healed()
    changed()
    await this.certify(made)
    return true
  }

  private async certify(made: OwnRecord): Promise<void> {
    const { chain, certifier, forks, store, within } = this.init
    if (made.record.kind !== 'heal') {
      return
    }
    const { witnesses, quorum } = made.record.body
    const votes = await certifier.collect(made, witnesses, within(ESCROW_VOTE_MS), quorum)
    if (votes.size < quorum) {
      return // `tend` tries again
    }
    const certificate = { heal: made.signed, votes: [...votes.values()].slice(0, witnesses.length) }
    await store.table('meta').put(ROW, encode(certificate))
    this.certificate = certificate
    this.told.clear()
    await forks.healed(chain.peer, made.record.seq)
  }

  /** The longest of the branches that the witnesses of this node keep, from its first record on; a quorum must answer. */
  private async findBranch(): Promise<readonly Signed[] | undefined> {
    const { chain, transport, within, log } = this.init
    const { author, seat, sure } = await chain.latest()
    const tails: Array<{ peer: PeerIdString; tail: readonly Signed[] }> = []
    await Promise.all(
      [...new Set([...seat.members, ...sure.members])].map(async (peer) => {
        try {
          const answer = await transport.call(peer, { t: 'head', author, after: -1 }, within(ASK_MS))
          if (answer.t === 'head') {
            tails.push({ peer, tail: answer.tail })
          }
        } catch (error) {
          log(`${peer} did not say what it keeps of this chain: ${String(error)}`)
        }
      })
    )
    if (tails.filter(({ peer }) => sure.members.includes(peer)).length < sure.quorum) {
      return undefined // what a quorum has certified, one of any quorum keeps: fewer may lack the branch's end
    }
    let longest: readonly Signed[] | undefined
    let isSure = true
    for (const { peer, tail } of tails) {
      try {
        const branch = isEndOf(tail, longest) ? [] : await branchOf(peer, tail, this.init)
        if (branch.length > (longest?.length ?? 0) && !(await this.isHealed(branch))) {
          longest = branch
        }
      } catch (error) {
        isSure = false
        log(`${peer} keeps no branch of this chain that can be read: ${String(error)}`)
      }
    }
    this.isAlone = longest === undefined && isSure
    return longest
  }

  /** The newest heal, and those right before it, have joined all of these records: its certificate is all that is missing. */
  private async isHealed(branch: readonly Signed[]): Promise<boolean> {
    const { chain, network } = this.init
    const { healSeq } = await chain.latest()
    const joined: Signed[] = []
    for (let seq = healSeq; seq > 0; seq--) {
      const [heal] = await chain.range(seq, seq + 1)
      const { record } = heal ? await openRecord(heal, network, { signatures: false }) : {}
      if (record?.kind !== 'heal') {
        break
      }
      joined.push(...record.body.branch)
    }
    const ids = new Set((await Promise.all(joined.map(({ payload }) => cidOf(payload)))).map(String))
    const others = await Promise.all(branch.map(({ payload }) => cidOf(payload)))
    return others.every((id) => ids.has(id.toString()))
  }
}

/** The branch is known from another witness. */
function isEndOf(tail: readonly Signed[], branch: readonly Signed[] | undefined): boolean {
  const [last, known] = [tail.at(-1), branch?.at(-1)]
  return last !== undefined && known !== undefined && equals(last.payload, known.payload)
}

/** It has gone on without its witnesses: what they have voted for meanwhile it does not know. */
const isCutOff = ({ unsure, sure, seatSeq }: ChainState) => unsure && sure.seq !== seatSeq
