import type { Job, OutputPiece, OutputStream } from '../../api.ts'
import { JobError, type PieceReader } from '../../jobs/index.ts'

/**
 * Verified units of a job on their way to one reader. What waits, the piece that the reader has, and what is still on
 * its way are together at most the window: a reader that is slow, or stops, holds the providers back.
 */
export class PieceStream implements OutputStream {
  readonly job: Job<undefined>
  private readonly queue: PieceQueue
  private isTaken = false

  /**
   * @param start begins the job
   * @param window bytes; one piece may always be on its way
   */
  constructor(start: (reader: PieceReader) => Job<undefined>, window: number) {
    this.queue = new PieceQueue(window)
    this.job = start(this.queue)
    this.job.result.then(
      () => this.queue.end(),
      () => this.queue.end()
    )
  }

  [Symbol.asyncIterator](): AsyncIterator<OutputPiece> {
    if (this.isTaken) {
      throw new JobError('BAD_OPTION', 'A stream is read once: its pieces are not kept.')
    }
    this.isTaken = true
    return this.read()
  }

  private async *read(): AsyncGenerator<OutputPiece, void> {
    try {
      for (let piece = await this.queue.next(); piece !== undefined; piece = await this.queue.next()) {
        yield piece
        this.queue.free(piece)
      }
      await this.job.result // its error is the reader's
    } finally {
      await this.job.cancel() // of a job that is over: nothing
    }
  }
}

/** The pieces of one job that have come. */
class PieceQueue implements PieceReader {
  private readonly window: number
  private readonly waiting: OutputPiece[] = []
  /** Of those that wait, and of the one that the reader has. */
  private bytes = 0
  private isOver = false
  private arrived = Promise.withResolvers<void>()
  private readonly listeners = new Set<() => void>()

  constructor(window: number) {
    this.window = window
  }

  accept(piece: OutputPiece): void {
    this.bytes += piece.bytes.byteLength
    this.waiting.push(piece)
    this.arrived.resolve()
  }

  hasRoom(underWay: number, bytes: number): boolean {
    const held = this.bytes + underWay
    return held === 0 || held + bytes <= this.window
  }

  onRead(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Nothing more comes. */
  end(): void {
    this.isOver = true
    this.arrived.resolve()
  }

  /** Undefined: there are no more. */
  async next(): Promise<OutputPiece | undefined> {
    while (this.waiting.length === 0 && !this.isOver) {
      this.arrived = Promise.withResolvers()
      await this.arrived.promise
    }
    return this.waiting.shift()
  }

  /** The reader has done with it. */
  free({ bytes }: OutputPiece): void {
    this.bytes -= bytes.byteLength
    for (const listener of this.listeners) {
      listener()
    }
  }
}
