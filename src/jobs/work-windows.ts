import type { CID } from 'multiformats/cid'
import type { MicroCredits, Milliseconds } from '../wire/index.ts'
import { WINDOWS_MAX } from './constants.ts'
import { WorkWindow } from './work-window.ts'

/** What pays this node. */
interface Contract {
  readonly escrow: CID
  readonly max: MicroCredits
  /** So far. */
  readonly receipted: MicroCredits
  readonly tClose: Milliseconds
}

interface Kept {
  readonly window: WorkWindow
  readonly tClose: Milliseconds
}

/**
 * The window of each escrow, until that closes: a further job stream on it goes on where the last one ended. After a
 * restart one begins at a single unit, with what was receipted.
 */
export class WorkWindows {
  private readonly kept = new Map<string, Kept>()

  of(contract: Contract, now: Milliseconds): WorkWindow {
    const key = contract.escrow.toString()
    const { window } = this.kept.get(key) ?? this.open(key, contract, now)
    window.receive(contract.receipted)
    return window
  }

  private open(key: string, contract: Contract, now: Milliseconds): Kept {
    for (const [old, { tClose }] of this.kept) {
      if (tClose <= now || this.kept.size >= WINDOWS_MAX) {
        this.kept.delete(old) // beyond the limit: for as many escrows of one unit each somebody gets one more
      }
    }
    const kept = { window: new WorkWindow(contract), tClose: contract.tClose }
    this.kept.set(key, kept)
    return kept
  }
}
