import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface HelperInit {
  readonly relay: string
  readonly network: string
  /** Each helper keeps its identity and ledger in a folder of its own below it. */
  readonly dataFolder: string
  readonly count: number
}

export interface Helper {
  readonly peer: string
  stop(): Promise<void>
}

const STOP_GRACE_MS = 3_000

/** Starts providers in Node, each a process of its own, and waits until they contribute. */
export async function startHelpers({ relay, network, dataFolder, count }: HelperInit): Promise<Helper[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const data = join(dataFolder, `helper-${i + 1}`)
      await mkdir(data, { recursive: true })
      const args = [
        'node',
        '--relay',
        relay,
        '--network',
        network,
        '--data',
        data,
        '--port',
        '0',
        '--no-webrtc'
      ]
      const child = fork(new URL('./bin.ts', import.meta.url), args, {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc']
      })
      return { peer: await readyPeer(child), stop: () => stop(child) }
    })
  )
}

async function readyPeer(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.once('message', (message: { peer?: unknown }) => resolve(String(message.peer)))
  child.once('exit', (code) => reject(new Error(`A helper ended with status ${code} before it was ready.`)))
  return promise
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
