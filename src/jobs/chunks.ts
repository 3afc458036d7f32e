import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { CHUNK_MAX, sha256 } from '../wire/index.ts'
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

/** SHA-256 of each chunk. */
export function chunkHashes(bytes: Uint8Array): Promise<Uint8Array[]> {
  return Promise.all([...chunksOf(bytes)].map((chunk) => sha256(chunk.bytes)))
}

/** The name of a shared part: SHA-256 over the hashes of its chunks, in order. */
export const partHash = (chunks: readonly Uint8Array[]): Promise<Uint8Array> => sha256(concat([...chunks]))

/** A shared part on its way: each chunk is checked as it arrives, so that a bad one ends it at once. */
export class ArrivingPart {
  private readonly chunks: readonly Uint8Array[]
  private readonly whole: Reassembly
  private next = 0

  private constructor(size: number, chunks: readonly Uint8Array[]) {
    this.chunks = chunks
    this.whole = new Reassembly(size)
  }

  /** @throws JobError `PROTOCOL` if the chunks are not those of `hash`, or not as many as `size` needs */
  static async announced(
    hash: Uint8Array,
    size: number,
    chunks: readonly Uint8Array[]
  ): Promise<ArrivingPart> {
    const count = Math.max(1, Math.ceil(size / CHUNK_MAX))
    if (chunks.length !== count || !equals(await partHash(chunks), hash)) {
      throw new JobError('PROTOCOL', 'The hashes of a part’s chunks do not make its hash.')
    }
    return new ArrivingPart(size, chunks)
  }

  get bytes(): Uint8Array {
    return this.whole.bytes
  }

  get isComplete(): boolean {
    return this.next === this.chunks.length
  }

  /** @throws JobError `PROTOCOL` for a chunk out of order, of another length, or that does not match its hash */
  async add(offset: number, chunk: Uint8Array): Promise<void> {
    const wanted = this.chunks[this.next]
    const length = Math.min(CHUNK_MAX, this.whole.bytes.byteLength - offset)
    if (wanted === undefined || chunk.byteLength !== length) {
      throw new JobError('PROTOCOL', 'A chunk of a part has another length than its place asks for.')
    }
    if (!equals(await sha256(chunk), wanted)) {
      throw new JobError('PROTOCOL', `Chunk ${this.next} of a part does not match its hash.`)
    }
    this.whole.add(offset, chunk)
    this.next += 1
  }
}
