import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { Ledger } from '../credit/index.ts'
import type { FramedStream } from '../net/index.ts'
import type { Skill } from '../skills/index.ts'
import type { JobRequestFrame, JobResponseFrame, PeerIdString } from '../wire/index.ts'
import type { PartShelf } from './part-store.ts'
import type { Pull } from './steps.ts'
import type { WorkQueue } from './work-queue.ts'
import type { WorkWindow } from './work-window.ts'

export type ProviderStream = FramedStream<JobRequestFrame, JobResponseFrame>

export interface SessionInit {
  readonly stream: ProviderStream
  /** The stream's reader, after `open`. */
  readonly frames: AsyncIterator<Exclude<JobRequestFrame, { t: 'ack' | 'beat' | 'bye' }>>
  readonly skill: Skill
  /** All that this node knows: of a pipeline's stage before, too. */
  readonly skills: ReadonlyMap<string, Skill>
  /** Fetches parts from other providers. */
  readonly pull: Pull
  /** The stream's shared inputs. The session closes it. */
  readonly parts: PartShelf
  /** Hashes that `open` asked for. */
  readonly asked: readonly Uint8Array[]
  readonly queue: WorkQueue
  readonly escrow: CID
  /** The escrow's, over all its streams. */
  readonly window: WorkWindow
  /** What is paid, in thousandths of the published cost. */
  readonly rate: number
  readonly payer: PeerIdString
  readonly key: PrivateKey
  readonly self: PeerIdString
  readonly ledger: Ledger
  /** 0 (idle) to 100 (full). */
  readonly load: () => number
  /** A unit was computed, and its result goes out. */
  readonly onComputed: (params: readonly number[], result: Uint8Array) => void
  readonly onChange: () => void
  readonly isFinishing: () => boolean
}
