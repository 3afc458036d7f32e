import type { CID } from 'multiformats/cid'
import type { EscrowBody, Network } from '../wire/index.ts'
import type { OwnChain } from './own-chain.ts'
import { serial } from './serial.ts'
import { followStanding, type Standing } from './standing.ts'
import { type VerifiedRecord, verifyRecords } from './verify.ts'

/** Records that are read at once. */
const PAGE = 256
/** What this node has verified before it stored it. */
const TRUSTED = { signatures: false }

/** What this node's own chain shows of it at others, as whoever follows it works it out: read once, then as it grows. */
export class OwnStanding {
  private readonly chain: Pick<OwnChain, 'range'>
  private readonly network: Network
  private readonly inTurn = serial()
  private standing: Standing = new Map()
  private readonly escrows = new Map<string, EscrowBody>()
  private last: { readonly seq: number; readonly id: CID } | undefined
  private isWhole = true

  constructor(init: { chain: Pick<OwnChain, 'range'>; network: Network }) {
    this.chain = init.chain
    this.network = init.network
  }

  /** As it stands now; undefined where the store has the chain from some later record on only. */
  now(): Promise<Standing | undefined> {
    return this.inTurn(async () => {
      await this.read()
      return this.isWhole ? this.standing : undefined
    })
  }

  private async read(): Promise<void> {
    let from = this.last?.seq ?? 0
    for (;;) {
      const page = await this.chain.range(from, from + PAGE)
      for (const { verifying } of verifyRecords(page, this.network, TRUSTED)) {
        const verified = await verifying
        if (verified.record.seq !== this.last?.seq) {
          this.follow(verified)
        } else if (!verified.id.equals(this.last.id)) {
          return this.readAnew() // another branch was the longer one
        }
      }
      if (page.length < PAGE) {
        return
      }
      from += PAGE
    }
  }

  private readAnew(): Promise<void> {
    this.standing = new Map()
    this.escrows.clear()
    this.last = undefined
    return this.read()
  }

  private follow(verified: VerifiedRecord): void {
    const { id, record } = verified
    this.isWhole = this.last === undefined ? record.seq === 0 : this.isWhole
    for (const { id, record } of 'branch' in verified ? verified.branch : [verified]) {
      if (record.kind === 'escrow') {
        this.escrows.set(id.toString(), record.body)
      }
    }
    const ended = record.kind === 'settle' ? record.body.escrow.toString() : ''
    this.standing = followStanding(this.standing, verified, this.escrows.get(ended))
    this.escrows.delete(ended)
    this.last = { seq: record.seq, id }
  }
}
