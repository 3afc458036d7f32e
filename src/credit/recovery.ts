import { equals } from 'uint8arrays/equals'
import type { Milliseconds, Network, PeerIdString, Signed, VerifySignature } from '../wire/index.ts'
import type { AuthorClock } from './clock.ts'
import { ASK_MS, LOOK_AGAIN_MS, SOURCES_MAX } from './constants.ts'
import { CreditError, ensure } from './errors.ts'
import type { Healing } from './healing.ts'
import type { Moving } from './moving.ts'
import type { OwnChain } from './own-chain.ts'
import type { ChainState } from './state.ts'
import type { LedgerTransport } from './transport.ts'
import { openRecords } from './verify.ts'

export interface RecoveryInit {
  readonly chain: OwnChain
  readonly transport: LedgerTransport
  readonly network: Network
  readonly log: (message: string) => void
  /** Set by the answers. @default none is */
  readonly clock?: Pick<AuthorClock, 'hear'>
  /** How long a quorum is waited for. @default as long as the network is patient */
  readonly patienceMs?: Milliseconds
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
  readonly verify?: VerifySignature | undefined
}

/** The life of it: nothing is signed before, and what was missing is asked for until it is there. */
export class Recovery {
  private readonly init: RecoveryInit & {
    readonly healing: Pick<Healing, 'start'>
    readonly moving: Pick<Moving, 'isArriving' | 'arrive'>
    readonly changed: () => void
  }
  /** `lacking`: newer records of this chain are known of, and not here. */
  private state: 'over' | 'running' | 'lacking' = 'over'

  constructor(init: Recovery['init']) {
    this.init = init
  }

  /** Signs nothing until the witnesses have said where this chain ends. */
  start(): void {
    this.init.chain.hold(this.run())
  }

  /** Once more, if it came to nothing. Never rejects. */
  async retry(): Promise<void> {
    if (this.state === 'lacking') {
      await this.run().then(
        () => this.init.chain.hold(Promise.resolve()),
        () => {} // said in the log, and tried again
      )
    }
  }

  private async run(): Promise<void> {
    const { chain, healing, moving, changed, log } = this.init
    const { isArriving } = moving
    this.state = 'running'
    try {
      for (let isKnown = false; !isKnown; ) {
        const before = await chain.latest()
        try {
          await recoverHead(before, { ...this.init, ...(isArriving && { patienceMs: FOR_EVER }) })
          isKnown = true
        } catch (error) {
          await healing.start()
          if ((await chain.latest()).healSeq === before.healSeq) {
            throw error // no other branch is in the way
          }
        }
      }
      await (isArriving ? moving.arrive() : undefined)
      this.state = 'over'
      changed()
    } catch (error) {
      this.state = 'lacking'
      log(`The ledger is for looking at only: ${String(error)}`)
      throw error
    }
  }
}

/** The longest that a timer takes. */
const FOR_EVER: Milliseconds = 2 ** 31 - 1

/** A record that this node's key has signed, whoever showed it. */
interface OwnSigned {
  readonly seq: number
  readonly envelope: Signed
}

/**
 * Before a node that has been away signs anything: asks its witnesses how far its chain goes, until a quorum of
 * them has said so, and takes up what it has lost (a profile restored from a copy; another one with the same key),
 * however much that is. Without a quorum for so long as the network is patient it goes on with what it has. What it
 * takes up is stored page by page: who is stopped in the middle goes on from there.
 *
 * @throws CreditError `RECOVERING` when somebody keeps newer records, and those before them cannot be had, or do not
 * follow this chain
 */
export async function recoverHead(state: ChainState, init: RecoveryInit): Promise<void> {
  let asked = state
  while (true) {
    await takeUp(await askHeads(asked, init), init)
    const now = await init.chain.latest()
    if (now.seatSeq === asked.seatSeq) {
      return
    }
    asked = now // a later seat than the one that was asked: its members know more
  }
}

/** What peers keep after this node's head: of the seat, a quorum; of others that are connected, who has said it by then. */
async function askHeads(
  state: ChainState,
  init: RecoveryInit
): Promise<Map<PeerIdString, readonly Signed[]>> {
  const { network, transport, log, within } = init
  const { members, quorum } = state.seat
  const tails = new Map<PeerIdString, readonly Signed[]>()
  const others = new Set<PeerIdString>()
  const heard = () => members.filter((peer) => tails.has(peer)).length
  const enough = Promise.withResolvers<void>()
  const patience = within(init.patienceMs ?? network.parameters.seatPatienceMs)
  patience.addEventListener('abort', () => enough.resolve(), { once: true })
  const ask = async (peer: PeerIdString) => {
    try {
      const question = { t: 'head' as const, author: state.author, after: state.seq - 1 }
      const answer = await transport.call(peer, question, within(ASK_MS, patience))
      if (answer.t === 'head') {
        init.clock?.hear(peer, answer.now, members, quorum)
        tails.set(peer, answer.tail)
      }
    } catch (error) {
      log(`${peer} did not say where this chain ends: ${String(error)}`)
    }
    if (heard() >= quorum) {
      enough.resolve()
    }
  }
  while (heard() < quorum && !patience.aborted) {
    for (const peer of (await transport.voters()).slice(0, SOURCES_MAX)) {
      if (!members.includes(peer) && !others.has(peer)) {
        others.add(peer) // it may sit there by now
        void ask(peer)
      }
    }
    const missing = members.filter((peer) => !tails.has(peer))
    await Promise.race([Promise.all(missing.map(ask)), enough.promise])
    if (heard() < quorum) {
      await Promise.race([enough.promise, new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))])
    }
  }
  if (heard() < quorum && patience.reason instanceof CreditError) {
    throw patience.reason // the ledger was stopped: nobody is to sign now
  }
  if (heard() < quorum) {
    log(`Only ${heard()} of ${quorum} witnesses said where this chain ends: going on without the others.`)
  }
  return tails
}

async function takeUp(
  tails: ReadonlyMap<PeerIdString, readonly Signed[]>,
  init: RecoveryInit
): Promise<void> {
  const { chain } = init
  const { seq: head } = await chain.latest()
  const shown: OwnSigned[] = []
  for (const tail of tails.values()) {
    const own = await ownIn(tail, head, init)
    shown.push(...own)
    await adopt(own, init)
  }
  shown.sort((a, b) => a.seq - b.seq)
  const newest = shown.reduce((most, { seq }) => Math.max(most, seq), head)
  if ((await chain.latest()).seq < newest) {
    await fetchUpTo(newest, [...tails.keys()], init)
    await adopt(shown, init)
  }
  for (const { seq, envelope } of shown) {
    const [kept] = await chain.range(seq, seq + 1)
    ensure(
      kept !== undefined && equals(kept.payload, envelope.payload),
      'RECOVERING',
      'There are newer records of this ledger than this copy has, and those between them are not to be had: nothing is signed until they are. They are asked for again and again.'
    )
  }
}

/** Asks in turn whoever may keep them, a page at a time: who is slow, or sends nothing of use, holds up nobody else. */
async function fetchUpTo(newest: number, heard: readonly PeerIdString[], init: RecoveryInit): Promise<void> {
  const { chain, transport, log, within } = init
  const { seat, sure } = await chain.latest()
  // witnesses first: strangers that are quick to say nothing are as many as somebody likes
  const known = [...seat.members, ...sure.members, ...heard, ...(await transport.voters())]
  const sources = [...new Set(known)].filter((peer) => peer !== chain.peer).slice(0, SOURCES_MAX)
  for (let peer = sources.shift(); peer !== undefined; peer = sources.shift()) {
    const { seq } = await chain.latest()
    if (seq >= newest) {
      return
    }
    try {
      const question = { t: 'records' as const, author: chain.peer, after: seq }
      const answer = await transport.call(peer, question, within(ASK_MS))
      if (answer.t === 'records') {
        await adopt(await ownIn(answer.tail, seq, init), init)
      }
    } catch (error) {
      log(`${peer} gave none of the records that are missing here: ${String(error)}`)
    }
    if ((await chain.latest()).seq > seq) {
      sources.push(peer) // it has more, perhaps
    }
  }
}

/** What this node has signed, from a place on, of what somebody sent: forged records and other people's are nothing. */
async function ownIn(
  tail: readonly Signed[],
  from: number,
  { chain, network, log, verify }: RecoveryInit
): Promise<OwnSigned[]> {
  const own: OwnSigned[] = []
  for (const { envelope, verifying } of openRecords(tail, network, { verify })) {
    try {
      const { record } = await verifying
      if (record.author === chain.peer && record.seq >= from) {
        own.push({ seq: record.seq, envelope })
      }
    } catch (error) {
      log(`A witness sent what is no record of this chain: ${String(error)}`)
    }
  }
  return own.sort((a, b) => a.seq - b.seq)
}

/** Those that follow this chain. What does not, whoever shows it and why, is looked at when all that can be had is here. */
async function adopt(own: readonly OwnSigned[], { chain, log }: RecoveryInit): Promise<void> {
  try {
    await chain.adopt(own.map(({ envelope }) => envelope))
  } catch (error) {
    log(`A record of this chain that a witness sent does not follow it: ${String(error)}`)
  }
}
