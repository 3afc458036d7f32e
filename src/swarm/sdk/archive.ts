import type { Job } from '../../api.ts'
import { typedError } from '../../jobs/index.ts'
import type { Table } from '../../store/index.ts'
import type { Milliseconds } from '../../wire/index.ts'
import { PastJob } from './past-job.ts'
import { type JobRow, JobRows } from './rows.ts'
import { encodeValue } from './values.ts'

/** Jobs that are kept; beyond it the oldest goes. */
const JOBS_KEPT = 256
/** Values: one, and all together. */
const VALUE_BYTES = 4 * 1024 * 1024
const ALL_VALUE_BYTES = 32 * 1024 * 1024

export interface Begun {
  readonly id: string
  readonly skill: string
  readonly key: string | undefined
  readonly print: string | undefined
}

interface Entry {
  row: JobRow
  valueBytes: number
}

/** Remembers jobs by id and key, over a reload. */
export class JobArchive {
  private readonly rows: JobRows
  private readonly now: () => Milliseconds
  private readonly following = new Set<Promise<void>>()
  /** By id, oldest first. */
  private readonly entries = new Map<string, Entry>()

  constructor(meta: Table, now: () => Milliseconds) {
    this.rows = new JobRows(meta)
    this.now = now
  }

  async load(): Promise<void> {
    for (const row of await this.rows.load()) {
      this.entries.set(row.id, { row, valueBytes: row.hasValue ? VALUE_BYTES : 0 })
    }
  }

  /** As it was kept; the node itself knows those that run. */
  job(id: string): Job | undefined {
    const entry = this.entries.get(id)
    return entry && new PastJob({ row: entry.row, readValue: () => this.rows.value(id) })
  }

  /** Oldest first. */
  get ids(): string[] {
    return [...this.entries.keys()]
  }

  /** The last job with this key. */
  byKey(key: string): JobRow | undefined {
    return [...this.entries.values()].map(({ row }) => row).findLast((row) => row.key === key)
  }

  /**
   * Before anything is paid. A job with a key must be known after a crash, or a retry would pay again: such a row
   * is on the disk when this resolves.
   */
  async begin({ id, skill, key, print }: Begun): Promise<void> {
    const row: JobRow = { id, skill, key, print, state: 'running', at: this.now(), hasValue: false }
    this.entries.set(id, { row, valueBytes: 0 })
    const written = this.write(row, key === undefined)
    await (key === undefined ? tolerate(written) : written)
    for (const old of [...this.entries.keys()].slice(0, Math.max(0, this.entries.size - JOBS_KEPT))) {
      this.entries.delete(old)
      await tolerate(this.rows.forget(old))
    }
  }

  /** Follows a job of this life to its end. */
  follow(job: Job): void {
    const following: Promise<void> = tolerate(this.end(job)).finally(() => this.following.delete(following))
    this.following.add(following)
  }

  /** All jobs that have ended are kept. */
  async flush(): Promise<void> {
    await Promise.all(this.following)
    await this.rows.flush()
  }

  private async end(job: Job): Promise<void> {
    let receipt: JobRow['receipt']
    for await (const event of job) {
      receipt = event.type === 'settled' ? event.receipt : receipt
    }
    const entry = this.entries.get(job.id)
    if (entry === undefined) {
      return // so many came after it that it is forgotten
    }
    const outcome = await job.result.then(
      ({ value }) => ({ value }),
      (thrown: unknown) => {
        const { code, message, retryable, details } = typedError(thrown)
        return { error: { code, message, retryable, details } }
      }
    )
    if ('error' in outcome) {
      const state = outcome.error.code === 'CANCELLED' ? 'cancelled' : 'failed'
      entry.row = { ...entry.row, state, error: outcome.error, receipt }
    } else {
      entry.row = { ...entry.row, state: 'done', receipt }
      entry.valueBytes = await this.keepValue(job.id, outcome.value)
      entry.row = { ...entry.row, hasValue: entry.valueBytes > 0 }
    }
    await this.write(entry.row, entry.row.key === undefined)
    await this.makeRoom()
  }

  /** @returns its bytes, 0 if it is not kept */
  private async keepValue(id: string, value: unknown): Promise<number> {
    if (value === undefined || dataBytes(value) > VALUE_BYTES) {
      return 0
    }
    try {
      const bytes = encodeValue(value)
      await this.rows.putValue(id, bytes)
      return bytes.byteLength
    } catch {
      return 0 // no plain data, or a full disk: the row says that there is none
    }
  }

  /** Values go before rows do: the oldest first. */
  private async makeRoom(): Promise<void> {
    let sum = [...this.entries.values()].reduce((total, { valueBytes }) => total + valueBytes, 0)
    for (const entry of this.entries.values()) {
      if (sum <= ALL_VALUE_BYTES) {
        return
      }
      if (entry.valueBytes > 0) {
        sum -= entry.valueBytes
        entry.valueBytes = 0
        entry.row = { ...entry.row, hasValue: false }
        // the row is never gone: a key whose row a crash has taken would be paid again
        await this.write(entry.row, entry.row.key === undefined)
        await this.rows.dropValue(entry.row.id)
      }
    }
  }

  private write(row: JobRow, relaxed: boolean): Promise<void> {
    return this.rows.put(row, [...this.entries.keys()], relaxed)
  }
}

/** A full disk: the ledger says so, and a job goes on without being remembered. */
async function tolerate(writing: Promise<void>): Promise<void> {
  await writing.catch(() => {})
}

/** Of all arrays in it: nearly its size, without a copy. */
function dataBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) {
    return value.byteLength
  }
  return typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, part) => sum + dataBytes(part), 0)
    : 0
}
