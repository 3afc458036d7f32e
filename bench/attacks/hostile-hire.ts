import { chunkHashes, partHash } from '../../src/jobs/chunks.ts'
import { kernelHash, skillByName } from '../../src/skills/index.ts'
import type { PeerIdString } from '../../src/wire/index.ts'
import { type HostilePeer, SKILL } from '../../test/fixtures/hostile-peer.ts'

const SIDE = 8
/** The product's second matrix, which all units share, and the rows of one. */
const shared = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => i)
const rows = new Uint8Array(SIDE * SIDE).fill(1)
const ANSWER_MS = 10_000

/** A job stream that a hostile requester has opened at a provider, on a true escrow. */
export interface Hire {
  /** Has one more unit computed. @returns false: it was not, and the stream is over */
  unit(): Promise<boolean>
  /** Receipts so much in all, by a true statement: sent so many times. @returns false: the stream was cut */
  receipt(amount: bigint, times?: number): Promise<boolean>
  end(): Promise<void>
}

/** @returns undefined if the provider takes no job of it */
export async function hireFrom(odd: HostilePeer, to: PeerIdString, max = 1_000n): Promise<Hire | undefined> {
  const { escrow, jobId } = await odd.openEscrow([to], max)
  const { framed, reader } = await odd.jobStream(to)
  const kernel = await kernelHash(skillByName(SKILL))
  const chunks = await chunkHashes(shared)
  const hash = await partHash(chunks)
  let index = 0

  /** The next frame of that kind; undefined: the stream ended without one. */
  const next = async (kind: string) => {
    try {
      const late = AbortSignal.timeout(ANSWER_MS)
      const over = new Promise<undefined>((resolve) =>
        late.addEventListener('abort', () => resolve(undefined))
      )
      for (;;) {
        const frame = await Promise.race([reader.next(), over])
        if (frame === undefined || frame.done === true || frame.value.t === kind) {
          return frame?.value
        }
      }
    } catch {
      return undefined // cut off: as it should be
    }
  }
  const tell = async (frame: object) => {
    try {
      await framed.send(frame)
      return true
    } catch {
      return false // as above
    }
  }

  await tell({ t: 'open', jobId, skill: SKILL, kernel, rate: 1_000, escrow, parts: [] })
  if ((await next('accepted')) === undefined) {
    return undefined
  }
  await tell({ t: 'part', hash, size: shared.length, chunks })
  await tell({ t: 'chunk', hash, offset: 0, bytes: shared })
  return {
    unit: async () =>
      (await tell({
        t: 'unit',
        index: index++,
        params: [SIDE, SIDE, SIDE],
        parts: [hash],
        size: rows.length,
        bytes: rows
      })) && (await next('result')) !== undefined,
    receipt: async (amount, times = 1) => {
      const receipt = await odd.ledger.receipt(escrow, to, amount)
      for (let i = 0; i < times; i++) {
        if (!(await tell({ t: 'receipt', receipt })) || (await next('window')) === undefined) {
          return false
        }
      }
      return true
    },
    end: async () => {
      framed.abort(new Error('It leaves.'))
      await odd.settleAll()
    }
  }
}
