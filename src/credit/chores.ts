/**
 * What a part does by itself, with nobody waiting for it: what fails is said in the log and tried again at its time, and
 * who stops waits until nothing runs that could still write.
 */
export class Chores {
  private readonly running = new Set<Promise<void>>()
  private readonly log: (message: string) => void

  constructor(log: (message: string) => void) {
    this.log = log
  }

  /** Never rejects. @param name for the log */
  do(name: string, task: () => Promise<unknown>): Promise<void> {
    const chore = this.run(name, task).finally(() => this.running.delete(chore))
    this.running.add(chore)
    return chore
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.running.size > 0) {
      await Promise.all(this.running)
    }
  }

  private async run(name: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task()
    } catch (error) {
      this.log(`${name} has to wait: ${String(error)}`)
    }
  }
}
