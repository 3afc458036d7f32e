import type { Job, OutputPiece, OutputStream } from '../../api.ts'

/** Verified units of a job on their way to one reader. */
export class PieceStream implements OutputStream {
  readonly job: Job<undefined>
  private readonly waiting: OutputPiece[]
  private readonly arrived: { wake: () => void }

  /** @param start begins the job; what it hands over is kept until it is read */
  constructor(start: (accept: (piece: OutputPiece) => void) => Job<undefined>) {
    const waiting: OutputPiece[] = []
    const arrived = { wake: () => {} }
    this.waiting = waiting
    this.arrived = arrived
    this.job = start((piece) => {
      waiting.push(piece)
      arrived.wake()
    })
  }

  async *[Symbol.asyncIterator](): AsyncIterator<OutputPiece> {
    let isOver = false
    const ended = () => {
      isOver = true
      this.arrived.wake()
    }
    this.job.result.then(ended, ended)
    try {
      while (true) {
        const piece = this.waiting.shift()
        if (piece !== undefined) {
          yield piece
        } else if (isOver) {
          break
        } else {
          await new Promise<void>((resolve) => {
            this.arrived.wake = resolve
          })
        }
      }
      await this.job.result // its error is the reader's
    } finally {
      await this.job.cancel() // of a job that is over: nothing
    }
  }
}
