import { type ChildProcess, spawn } from 'node:child_process'

export interface ChildResult {
  /** Exit status, or 1 if a signal ended it. */
  readonly status: number
  readonly seconds: number
  readonly timedOut: boolean
}

const running = new Set<ChildProcess>()
/** How long a child may take to end by itself once asked to. */
const GRACE_MS = 5_000

/**
 * Runs a program to its end, its output passed on. It leads a process group of its own, so that ending it
 * also ends what it started (a Chromium, a dev server).
 */
export function runChild(
  command: string,
  args: readonly string[],
  options: { readonly limitMs: number; readonly env?: NodeJS.ProcessEnv }
): Promise<ChildResult> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...options.env },
      detached: true
    })
    running.add(child)
    let timedOut = false
    const limit = setTimeout(() => {
      timedOut = true
      endChild(child)
    }, options.limitMs)
    child.once('error', (error) => {
      clearTimeout(limit)
      running.delete(child)
      reject(error)
    })
    child.once('exit', (code) => {
      clearTimeout(limit)
      running.delete(child)
      signalGroup(child, 'SIGKILL')
      resolve({ status: code ?? 1, seconds: (performance.now() - started) / 1000, timedOut })
    })
  })
}

/** On Ctrl-C or SIGTERM ends all children and what they started, then this process, with status 130 or 143. */
export function endChildrenOnSignal(): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    process.once(signal, () => {
      const left = [...running]
      if (left.length === 0) {
        process.exit(status)
      }
      for (const child of left) {
        child.once('exit', () => {
          if (left.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)) {
            process.exit(status)
          }
        })
        endChild(child)
      }
    })
  }
}

function endChild(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM')
  const impatience = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS)
  child.once('exit', () => clearTimeout(impatience))
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) {
    return
  }
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error // ESRCH: the whole group is gone already, which is what was asked for
    }
  }
}
