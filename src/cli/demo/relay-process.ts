import { fileURLToPath } from 'node:url'
import { startChild } from '../child.ts'

/** `swarmharness relay` with the built page, as everybody runs it: another process, of which nothing is left when it stops. */
export interface RelayProcess {
  readonly origin: string
  /** What it passed on, by its own `/metrics`. */
  traffic(): Promise<{ readonly circuitBytes: number; readonly jobStreams: number }>
  stop(): Promise<void>
}

export async function startRelay(network: string): Promise<RelayProcess> {
  const page = fileURLToPath(new URL('../../../dist', import.meta.url))
  const { result, stop } = await startChild([
    'relay',
    '--port',
    '0',
    '--network',
    network,
    '--static',
    page,
    '--metrics',
    '0'
  ])
  return {
    origin: String(result.origin),
    async traffic() {
      const text = await (await fetch(String(result.metricsUrl))).text()
      const read = (name: string) =>
        Number(new RegExp(`^swarmharness_relay_${name}_total (\\d+)$`, 'm').exec(text)?.[1])
      return { circuitBytes: read('circuit_bytes'), jobStreams: read('job_streams') }
    },
    stop
  }
}
