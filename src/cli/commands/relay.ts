import { Command } from 'commander'
import type { RelayOptions } from '../../../relay/index.ts'
import { NETWORKS, type NetworkName, networkOf } from '../../wire/index.ts'
import { tellParent } from '../child.ts'
import {
  explain,
  folderName,
  lifetime,
  oneOf,
  STATUS,
  type Terminal,
  terminal,
  UsageError,
  wholeNumber
} from '../terminal.ts'

interface RelayFlags {
  readonly json?: boolean
  readonly host: string
  readonly port: number
  readonly network: NetworkName
  readonly data?: string
  readonly static?: string
  readonly announce?: readonly string[]
  readonly ice?: readonly string[]
  readonly trustProxy: boolean
  readonly perAddress: number
  readonly connections: number
  readonly reservations: number
  readonly metrics?: number
  readonly metricsHost: string
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function relayCommand(done: (status: number) => void): Command {
  return new Command('relay')
    .description(
      'introduce peers to each other, until Ctrl-C: a relay sees no task data and keeps no state but its key'
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port (0: any free one)', wholeNumber('port', 65_535), 7717)
    .option('--network <name>', 'local or main', oneOf('network', ['local', 'main']), 'local')
    .option(
      '--data <folder>',
      'where its key and its votes are kept (default: nowhere, a new identity each time)',
      folderName
    )
    .option('--static <folder>', 'a built page to serve')
    .option(
      '--announce <address>',
      'public multiaddr, such as /dns4/relay.example/tcp/443/tls/ws; may be repeated',
      collect
    )
    .option(
      '--ice <url>',
      'STUN or TURN server told to whoever asks /relay.json (stun:…, turn:user:secret@host, : and @ in these as %3A and %40); may be repeated',
      collect
    )
    .option('--trust-proxy', 'believe X-Forwarded-For: only behind a proxy that writes it', false)
    .option('--per-address <n>', 'connections of one address', wholeNumber('per-address', 65_536, 1), 64)
    .option('--connections <n>', 'connections in all', wholeNumber('connections', 65_536, 1), 4_096)
    .option('--reservations <n>', 'peers reachable through it', wholeNumber('reservations', 65_536, 1), 1_024)
    .option(
      '--metrics <port>',
      'serve /metrics for Prometheus on this port (0: any free one)',
      wholeNumber('metrics', 65_535)
    )
    .option(
      '--metrics-host <host>',
      'where that port listens: another interface only where no stranger reaches it',
      '127.0.0.1'
    )
    .option('--json', 'the result as one line of JSON')
    .action(async (flags: RelayFlags) => done(await relay(flags, terminal(flags))))
}

async function relay(flags: RelayFlags, term: Terminal): Promise<number> {
  const { over } = lifetime()
  const options: RelayOptions = {
    network: await networkOf(NETWORKS[flags.network]),
    host: flags.host,
    port: flags.port,
    announce: flags.announce ?? [],
    iceServers: (flags.ice ?? []).map(iceServer),
    trustProxy: flags.trustProxy,
    connectionsPerAddress: flags.perAddress,
    maxConnections: flags.connections,
    circuits: { reservations: flags.reservations },
    ...(flags.metrics !== undefined && { metricsPort: flags.metrics, metricsHost: flags.metricsHost }),
    ...(flags.data !== undefined && { dataFolder: flags.data }),
    ...(flags.static !== undefined && { staticFolder: flags.static })
  }
  const { createRelay } = await import('../../../relay/index.ts')
  const running = await createRelay(options)
  void running.failed.then((error) => sayFailed(error, term.json))
  try {
    const { origin, multiaddrs, peer, metricsUrl } = running
    const said = { origin, multiaddrs, peer, metricsUrl }
    if (!tellParent(said)) {
      await term.result(`${origin}/\n${multiaddrs.join('\n')}\nCtrl-C ends it.`, said)
    }
    await over
  } finally {
    await running.stop()
  }
  return STATUS.done
}

/** Peers need not suffer for a full disk: whoever looks after the relay is told. */
export function sayFailed(error: unknown, json: boolean): void {
  explain(error, json)
  if (!json) {
    console.error('The relay goes on introducing peers, and votes no more until it is started again.')
  }
}

/**
 * `turn:user:secret@host:3478` carries its credentials as addresses of other protocols do. A browser refuses to connect
 * anybody at all with a server that it cannot read: so it is read here.
 *
 * @throws UsageError
 */
export function iceServer(text: string): RTCIceServer {
  const [, kind, rest] = /^(stuns?|turns?):([^\s]+)$/.exec(text) ?? []
  const [, username, credential, host] = /^([^:@]+):([^@]+)@(.+)$/.exec(rest ?? '') ?? []
  if (kind?.startsWith('stun') && rest !== undefined && HOST.test(rest)) {
    return { urls: text }
  }
  if (kind?.startsWith('turn') && username && credential && host !== undefined && HOST.test(host)) {
    return {
      urls: `${kind}:${host}`,
      username: decoded(username, text),
      credential: decoded(credential, text)
    }
  }
  throw badIce(text)
}

const badIce = (text: string) =>
  new UsageError(`--ice is stun:host:3478 or turn:user:secret@host:3478; it is ${text}.`)

/** Credentials that expire have a colon in their name (`1790000000:ann`): here it is %3A. */
function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badIce(text)
  }
}

/** A name or an address, perhaps a port, perhaps how to get there (RFC 7064, 7065). */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?(\?transport=(udp|tcp))?$/i
