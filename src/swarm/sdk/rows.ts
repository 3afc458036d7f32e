import * as z from 'zod/mini'
import type { JobReceipt, JobState } from '../../api.ts'
import type { Table } from '../../store/index.ts'
import { isPeerIdString, type Milliseconds, type PeerIdString } from '../../wire/index.ts'
import { decodeValue, encodeValue } from './values.ts'

/** Rows of the jobs that outlive a reload, beside the node's other small things. */

const INDEX = 'jobs'
const rowKey = (id: string) => `job/${id}`
const valueKey = (id: string) => `job-value/${id}`

const text = z.string()
const amount = z.bigint()
/** A receipt as it is kept, and as another tab is told of it. */
export const jobReceipt = z.object({
  jobId: text,
  skill: text,
  price: amount,
  paid: amount,
  refund: amount,
  providers: z.array(
    z.object({
      peer: z.custom<PeerIdString>(isPeerIdString),
      units: z.number(),
      rejected: z.number(),
      paid: amount
    })
  ),
  escrows: z.array(text),
  settles: z.array(text),
  certainty: z.enum(['witnessed', 'detection-only', 'pending']),
  split: text
})
const error = z.object({
  code: text,
  message: text,
  retryable: z.boolean(),
  details: z.record(text, z.union([text, z.number(), z.boolean()]))
})
const row = z.object({
  id: text,
  skill: text,
  key: z.optional(text),
  /** SHA-256 of skill and input, in hex: what the key was used for. */
  print: z.optional(text),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  at: z.number(),
  receipt: z.optional(jobReceipt),
  error: z.optional(error),
  hasValue: z.boolean()
})

export type JobRow = Omit<z.output<typeof row>, 'state' | 'at' | 'receipt'> & {
  readonly state: Extract<JobState, 'done' | 'failed' | 'cancelled'> | 'running'
  /** When it was submitted. */
  readonly at: Milliseconds
  readonly receipt?: JobReceipt | undefined
}

/** Rows and values of jobs in a node's store. What cannot be read counts as not there. */
export class JobRows {
  private readonly meta: Table
  private writing: Promise<unknown> = Promise.resolve()

  constructor(meta: Table) {
    this.meta = meta
  }

  /** Oldest first. */
  async load(): Promise<JobRow[]> {
    const ids = z.array(text).safeParse(await this.read(INDEX)).data ?? []
    const rows = await Promise.all(ids.map(async (id) => row.safeParse(await this.read(rowKey(id))).data))
    return rows.flatMap((found) => found ?? [])
  }

  async value(id: string): Promise<unknown> {
    return this.read(valueKey(id))
  }

  /**
   * Writes a row, and the list of all of them.
   *
   * @param ids of all rows, oldest first
   * @param relaxed losing it costs no credit
   */
  put(changed: JobRow, ids: readonly string[], relaxed: boolean): Promise<void> {
    return this.next(async () => {
      await this.meta.put(rowKey(changed.id), encodeValue(changed), { relaxed })
      await this.meta.put(INDEX, encodeValue(ids), { relaxed })
    })
  }

  putValue(id: string, value: Uint8Array): Promise<void> {
    return this.next(() => this.meta.put(valueKey(id), value, { relaxed: true }))
  }

  dropValue(id: string): Promise<void> {
    return this.next(() => this.meta.delete(valueKey(id)))
  }

  forget(id: string): Promise<void> {
    return this.next(async () => {
      await this.meta.delete(valueKey(id))
      await this.meta.delete(rowKey(id))
    })
  }

  /** All writes so far are through, well or not. */
  async flush(): Promise<void> {
    await this.writing
  }

  private next(write: () => Promise<void>): Promise<void> {
    const done = this.writing.then(write)
    this.writing = done.catch(() => {}) // whoever asked for the write hears of it
    return done
  }

  private async read(key: string): Promise<unknown> {
    const bytes = await this.meta.get(key)
    try {
      return bytes && decodeValue(bytes)
    } catch {
      return undefined // written by another version
    }
  }
}
