import { CHUNK_MAX } from '../wire/index.ts'
import { JobError } from './errors.ts'

/** Cuts bytes into frames of at most `CHUNK_MAX`; an empty array is one empty chunk. */
export function* chunksOf(bytes: Uint8Array, from = 0): Generator<{ offset: number; bytes: Uint8Array }> {
  for (let offset = from; offset < bytes.byteLength || offset === 0; offset += CHUNK_MAX) {
    yield { offset, bytes: bytes.subarray(offset, offset + CHUNK_MAX) }
  }
}

/** Puts chunks together again: in order, without gaps, up to the announced size. */
export class Reassembly {
  readonly bytes: Uint8Array<ArrayBuffer>
  private received = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  get isComplete(): boolean {
    return this.received === this.bytes.byteLength
  }

  /** @throws JobError `PROTOCOL` for a chunk out of order or beyond the size */
  add(offset: number, chunk: Uint8Array): void {
    if (offset !== this.received || offset + chunk.byteLength > this.bytes.byteLength) {
      throw new JobError('PROTOCOL', 'A chunk came out of order or beyond the announced size.')
    }
    this.bytes.set(chunk, offset)
    this.received += chunk.byteLength
  }
}
