import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type BenchOptions, type BenchResult, row } from './report.ts'

export const title =
  'A relay in a process of its own: what 300 reservations and their signalling take (--runs: how many)'

const CLIENTS = 300
/** Reservations asked for at once: a lab whose tabs open together. */
const TOGETHER = 10
const PER_RESERVATION_MAX_MS = 50
const WAIT_MS = 60_000

type Client = Libp2p<{ identify: Identify; ping: Ping }>

export async function run({ runs = CLIENTS, log }: BenchOptions): Promise<BenchResult> {
  const { child, address } = await startRelay(runs)
  const clients: Client[] = []
  try {
    for (let i = 0; i < runs; i++) {
      clients.push(await startClient())
    }
    const before = residentKb(child)
    const cpuBefore = cpuMs(child)
    log(`${runs} nodes ask for a reservation, ${TOGETHER} at a time …`)
    const times: number[] = []
    let refused = 0
    const started = performance.now()
    await inTurns(clients, async (client) => {
      const asked = performance.now()
      if (await reserve(client, address)) {
        times.push(performance.now() - asked)
      } else {
        refused += 1
      }
    })
    const each = (performance.now() - started) / runs
    const kb = (residentKb(child) - before) / runs
    const cpu = (cpuMs(child) - cpuBefore) / runs
    log('each reaches the next one through the relay …')
    const signals: number[] = []
    await inTurns(clients, async (client) => {
      const next = clients[(clients.indexOf(client) + 1) % clients.length]
      const asked = performance.now()
      try {
        await client.services.ping.ping(throughRelay(address, next), { signal: AbortSignal.timeout(WAIT_MS) })
        signals.push(performance.now() - asked)
      } catch {
        refused += 1
      }
    })
    return {
      rows: [
        row('relay.ms-per-reservation', 'ms', [each]),
        row('relay.cpu-per-reservation', 'ms', [cpu]),
        row('relay.reservation', 'ms', times),
        row('relay.signal', 'ms', signals),
        row('relay.kb-per-reservation', 'kB', [kb]),
        row('relay.refused', 'refused', [refused])
      ],
      ratios: [],
      failures: [
        ...(refused > 0 ? [`${refused} of ${2 * runs} were refused; none may be`] : []),
        ...(each > PER_RESERVATION_MAX_MS
          ? [`${each.toFixed(1)} ms a reservation; at most ${PER_RESERVATION_MAX_MS}`]
          : [])
      ]
    }
  } finally {
    await Promise.allSettled(clients.map((client) => client.stop()))
    child.kill('SIGTERM')
  }
}

/** As the command line starts it, with room for them all at one address. */
async function startRelay(clients: number): Promise<{ child: ChildProcess; address: Multiaddr }> {
  const bin = fileURLToPath(new URL('../src/cli/bin.ts', import.meta.url))
  const room = String(2 * clients)
  const args = ['relay', '--port', '0', '--json', '--per-address', room, '--reservations', room]
  const child = fork(bin, args, { stdio: 'inherit' })
  const [ready] = await once(child, 'message')
  const { multiaddrs }: { multiaddrs: string[] } = ready // what `cli/child.ts` tells a parent
  return { child, address: multiaddr(multiaddrs[0]) }
}

const startClient = (): Promise<Client> =>
  createLibp2p({
    transports: [webSockets(), circuitRelayTransport()],
    addresses: { listen: ['/p2p-circuit'] },
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() }
  })

/** @returns whether the relay has let it in */
async function reserve(client: Client, address: Multiaddr): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const look = () => {
    if (client.getMultiaddrs().some((own) => own.toString().includes('/p2p-circuit'))) {
      resolve(true)
    }
  }
  client.addEventListener('transport:listening', look)
  const timer = setTimeout(() => resolve(false), WAIT_MS)
  await client.dial(address).catch(() => resolve(false))
  look()
  const isIn = await promise
  clearTimeout(timer)
  client.removeEventListener('transport:listening', look)
  return isIn
}

const throughRelay = (relay: Multiaddr, to: Client | undefined) =>
  multiaddr(`${relay}/p2p-circuit/p2p/${to?.peerId}`)

async function inTurns(clients: readonly Client[], work: (client: Client) => Promise<void>): Promise<void> {
  const waiting = [...clients]
  const worker = async () => {
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) {
      await work(client)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
}

/** Time on processors of the process alone, in clock ticks of 10 ms: those of a whole run count. */
function cpuMs({ pid }: ChildProcess): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user, system] = fields.split(' ').slice(11, 13)
  return (Number(user) + Number(system)) * 10
}

/** 1 kB = 1,000 bytes, as everywhere here; /proc counts in KiB. */
function residentKb({ pid }: ChildProcess): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return (Number(kib) * 1_024) / 1_000
}
