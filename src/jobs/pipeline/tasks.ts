import type { SwarmRouter } from '../../router/index.ts'
import type { Channel } from '../channel.ts'
import type { Task } from './round-init.ts'

/** The units that are out, by the number under which a channel's hands hold them. */
export class Tasks {
  private readonly router: Pick<SwarmRouter, 'dispatched' | 'returned'>
  private readonly out = new Map<number, Task>()
  private count = 0

  constructor(router: Pick<SwarmRouter, 'dispatched' | 'returned'>) {
    this.router = router
  }

  get size(): number {
    return this.out.size
  }

  get(index: number): Task | undefined {
    return this.out.get(index)
  }

  /** @returns its number */
  begin(channel: Channel, task: Task): number {
    const index = this.count++
    this.out.set(index, task)
    task.lane.out += 1
    this.router.dispatched(channel.peer)
    return index
  }

  /** It is out of the channel's hands. Undefined if it was before. */
  end(channel: Channel, index: number): Task | undefined {
    const task = this.out.get(index)
    if (channel.sent.has(index)) {
      this.router.returned(channel.peer)
    }
    channel.hands.delete(index)
    if (task !== undefined && this.out.delete(index) && task.epoch === task.lane.epoch) {
      task.lane.out -= 1
    }
    return task
  }
}
