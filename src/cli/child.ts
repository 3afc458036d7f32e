import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { SwarmError } from '../wire/index.ts'

/** A command of this program in a process of its own, that is up. It ends when this process does, however that goes. */
export interface Child {
  /** What the command says when it is up: that of `--json`. */
  readonly result: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

const STOP_GRACE_MS = 3_000

/** @throws SwarmError `NOT_STARTED` if it ends before it is up: it has said why on standard error */
export async function startChild(args: readonly string[]): Promise<Child> {
  const child = fork(new URL('./bin.ts', import.meta.url), [...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const ready = Promise.withResolvers<Child['result']>()
  // `tellParent` below sends it
  child.once('message', (message) => ready.resolve(message as Child['result']))
  child.once('exit', (code) =>
    ready.reject(
      new SwarmError('NOT_STARTED', `"${args[0]}" ended with status ${code} before it was up: see above.`)
    )
  )
  return { result: await ready.promise, stop: () => stop(child) }
}

/** Says to the process that started this one that it is up. @returns false: a person did */
export function tellParent(result: object): boolean {
  process.send?.({ ready: true, ...result })
  return process.send !== undefined
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return
  }
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}
