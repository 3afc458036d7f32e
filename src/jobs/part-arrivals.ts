import type { PartRef } from '../compute/index.ts'
import type { JobRequestFrame } from '../wire/index.ts'
import { ArrivingPart } from './chunks.ts'
import { JobError } from './errors.ts'
import type { PartShelf } from './part-store.ts'
import { hex } from './plan.ts'

type Of<T extends JobRequestFrame['t']> = Extract<JobRequestFrame, { t: T }>

/** The shared inputs of one job stream as they come, chunk by chunk, onto its shelf. */
export class PartArrivals {
  private readonly shelf: PartShelf
  private readonly arriving = new Map<string, ArrivingPart>()
  private isOver = false

  constructor(shelf: PartShelf) {
    this.shelf = shelf
  }

  /** @throws JobError `PROTOCOL`, `BUSY` */
  async announce({ hash, size, chunks }: Of<'part'>): Promise<void> {
    const key = hex(hash)
    if (this.arriving.has(key)) {
      throw new JobError('PROTOCOL', 'A part is announced twice.')
    }
    this.shelf.expect(key, size)
    const part = await ArrivingPart.announced(hash, size, chunks)
    if (!this.isOver) {
      this.arriving.set(key, part)
    }
  }

  /** @throws JobError `PROTOCOL` */
  async add({ hash, offset, bytes }: Of<'chunk'>): Promise<void> {
    const key = hex(hash)
    const part = this.arriving.get(key)
    if (part === undefined) {
      throw new JobError('PROTOCOL', 'A chunk came of a part that was not announced.')
    }
    await part.add(offset, bytes)
    if (part.isComplete && this.arriving.delete(key)) {
      // else the stream has ended meanwhile
      this.shelf.keep(key, part.bytes)
    }
  }

  /** @throws JobError `PROTOCOL` for one that has not come */
  named(hashes: readonly Uint8Array[]): PartRef[] {
    return hashes.map((hash) => {
      const key = hex(hash)
      const bytes = this.shelf.get(key)
      if (bytes === undefined) {
        throw new JobError('PROTOCOL', 'A unit names a part that was not sent.')
      }
      return { hash: key, bytes }
    })
  }

  /** The stream is over: nothing of it is held any more. */
  close(): void {
    this.isOver = true
    this.arriving.clear()
    this.shelf.close()
  }
}
