/** Discrete events in order of time (a binary heap); equal times in no particular but always the same order. */
export class EventLoop {
  /** Simulated time in seconds. */
  now = 0
  private readonly times: number[] = []
  private readonly tasks: Array<() => void> = []

  /** @param delay seconds from now, 0 or more */
  after(delay: number, task: () => void): void {
    const { times, tasks } = this
    const time = this.now + delay
    let at = times.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = times[parent] as number // parent < length
      if (above <= time) {
        break
      }
      times[at] = above
      tasks[at] = tasks[parent] as () => void
      at = parent
    }
    times[at] = time
    tasks[at] = task
  }

  /** Runs events until `isDone` or none is left. */
  run(isDone: () => boolean): void {
    while (this.times.length > 0 && !isDone()) {
      this.now = this.times[0] as number // there is one
      this.pop()()
    }
  }

  private pop(): () => void {
    const { times, tasks } = this
    const first = tasks[0] as () => void // run() looked
    const time = times.pop() as number
    const task = tasks.pop() as () => void
    const size = times.length
    if (size > 0) {
      let at = 0
      for (let child = 1; child < size; child = 2 * at + 1) {
        const right = child + 1
        const least = right < size && (times[right] as number) < (times[child] as number) ? right : child
        if ((times[least] as number) >= time) {
          break
        }
        times[at] = times[least] as number
        tasks[at] = tasks[least] as () => void
        at = least
      }
      times[at] = time
      tasks[at] = task
    }
    return first
  }
}
