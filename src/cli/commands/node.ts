import { Command } from 'commander'
import type { Swarm, SwarmStatus } from '../../index.ts'
import { parseAddress } from '../../net/index.ts'
import { findRelays } from '../../swarm/host.ts'
import { tellParent } from '../child.ts'
import { HOME_RELAY, type RelayOptions, withRelays } from '../connect.ts'
import {
  type Lifetime,
  lifetime,
  oneOf,
  STATUS,
  type Terminal,
  terminal,
  UsageError,
  wholeNumber
} from '../terminal.ts'

interface NodeFlags extends RelayOptions {
  readonly listen?: readonly string[]
  readonly port?: number
  readonly power: number
  readonly strangers?: number
  readonly backend: 'auto' | 'webgpu' | 'cpu'
  readonly workers?: number
  readonly webrtc: boolean
}

export function nodeCommand(done: (status: number) => void): Command {
  const command = new Command('node')
    .description('serve the swarm from this machine, without a browser, until Ctrl-C')
    .option(
      '--listen <address>',
      'multiaddr to be reached at, such as /ip4/0.0.0.0/tcp/7718/ws; may be repeated',
      (value: string, before: readonly string[] = []) => [...before, value]
    )
    .option(
      '--port <n>',
      'short for --listen /ip4/127.0.0.1/tcp/N/ws (0: any free port)',
      wholeNumber('port', 65_535)
    )
    .option('--power <share>', 'of the time that the device computes, .05 to 1', power, 1)
    .option(
      '--strangers <share>',
      'of an hour, at most, for those whom this node owes nothing, 0 to 1 (default: .1 on main, 1 on local)',
      strangers
    )
    .option(
      '--backend <name>',
      'webgpu (npm webgpu and a driver), cpu, or auto: the GPU where there is one',
      oneOf('backend', ['auto', 'webgpu', 'cpu']),
      'auto'
    )
    .option('--workers <n>', 'on the CPU (default: cores − 1, at most 4)', wholeNumber('workers', 256, 1))
    .option('--no-webrtc', 'WebSocket only: tabs then reach this node only at an address of --listen')
  return withRelays(command).action(async (flags: NodeFlags) => done(await serve(flags, terminal(flags))))
}

function power(text: string): number {
  const share = Number(text)
  if (!(share >= 0.05 && share <= 1)) {
    throw new UsageError(`--power is a share of the device's time, .05 to 1; it is ${text}.`)
  }
  return share
}

function strangers(text: string): number {
  const share = Number(text || Number.NaN)
  if (!(share >= 0 && share <= 1)) {
    throw new UsageError(`--strangers is a share of the compute time, 0 to 1; it is ${text}.`)
  }
  return share
}

/** libp2p names every address with the stack of its error: here is what the system said. */
function cannotListen(error: unknown, listen: readonly string[]): unknown {
  if (!(error instanceof Error && error.name === 'UnsupportedListenAddressesError')) {
    return error
  }
  const [reason = 'no way to listen there'] = /E[A-Z]{4,}: [^\n:]+/.exec(error.message) ?? []
  return new UsageError(
    `Cannot listen on ${listen.join(', ')} (${reason}): choose another address or port, such as /ip4/127.0.0.1/tcp/0/ws.`
  )
}

async function serve(flags: NodeFlags, term: Terminal): Promise<number> {
  const life = lifetime()
  let swarm: Swarm | undefined
  try {
    swarm = await start(flags, life)
    const { device } = swarm.status
    if (!tellParent({ peer: swarm.peer })) {
      await term.result(`${swarm.peer} serves with ${device?.class}; Ctrl-C ends it.`, {
        peer: swarm.peer,
        device
      })
    }
    const end = swarm.on('change', (status) => term.draw(statusText(status)))
    await life.over
    end()
    term.draw('')
    return STATUS.done
  } catch (error) {
    if (swarm !== undefined || !life.signal.aborted) {
      throw error
    }
    return life.wasInterrupted() ? STATUS.interrupted : STATUS.failed
  } finally {
    await swarm?.stop()
  }
}

/** A node that contributes. Interrupted meanwhile it is none. */
async function start(flags: NodeFlags, { signal, failsWith }: Lifetime): Promise<Swarm> {
  const listen = [
    ...(flags.listen ?? []),
    ...(flags.port === undefined ? [] : [`/ip4/127.0.0.1/tcp/${flags.port}/ws`])
  ]
  for (const address of listen) {
    parseAddress(address)
  }
  const given = flags.relay ?? (listen.length > 0 ? [] : [HOME_RELAY])
  const { relays, iceServers } = await findRelays(given, flags.network, signal)
  const { openSwarm } = await import('../../swarm/sdk/index.ts') // as createSwarm, and shows its store
  const swarm = await openSwarm(
    {
      relays,
      iceServers,
      listen,
      network: flags.network,
      backend: flags.backend,
      webrtc: flags.webrtc && relays.length > 0,
      signal,
      ...(flags.workers !== undefined && { workers: flags.workers }),
      ...(flags.data !== undefined && { dataFolder: flags.data })
    },
    { onStore: async ({ failed }) => failsWith(failed) }
  ).catch((error) => {
    throw cannotListen(error, listen)
  })
  try {
    const { power, strangers } = flags
    await swarm.contribute({ power, ...(strangers !== undefined && { strangers }) })
    return swarm
  } catch (error) {
    await swarm.stop()
    throw error
  }
}

const statusText = ({ state, peers, work, balance }: SwarmStatus) =>
  `${state}, ${peers.length} peers; ${work.units} units done, ${work.running} in work; ${balance.settled} µcr`
