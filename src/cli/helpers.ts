import { join } from 'node:path'
import { startChild } from './child.ts'

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

/** Starts providers in Node, each a process of its own, and waits until they contribute. */
export async function startHelpers({ relay, network, dataFolder, count }: HelperInit): Promise<Helper[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const data = join(dataFolder, `helper-${i + 1}`)
      const common = ['--relay', relay, '--network', network, '--data', data]
      const { result, stop } = await startChild(['node', ...common, '--port', '0', '--no-webrtc'])
      return { peer: String(result.peer), stop }
    })
  )
}
