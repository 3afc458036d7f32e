import type { Command } from 'commander'
import type { Swarm } from '../index.ts'
import { findRelays } from '../swarm/host.ts'
import { SwarmError } from '../wire/index.ts'
import { folderName, oneOf, type Terminal, wholeNumber } from './terminal.ts'

/** What every command that runs a node takes. */
export interface RelayOptions {
  readonly json?: boolean
  readonly relay?: readonly string[]
  readonly network: 'local' | 'main'
  readonly data?: string
}

/** Of those that look for others, and end. */
export interface NetworkOptions extends RelayOptions {
  /** Seconds. */
  readonly wait: number
}

/** That of `npm start`, and of `relay` as it is. */
export const HOME_RELAY = 'http://127.0.0.1:7717'

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function withRelays(command: Command): Command {
  return command
    .option(
      '--relay <address>',
      `multiaddr of a relay, or the web address of its page; may be repeated (default ${HOME_RELAY})`,
      collect
    )
    .option(
      '--network <name>',
      'local (strangers are welcome) or main',
      oneOf('network', ['local', 'main']),
      'local'
    )
    .option(
      '--data <folder>',
      'where identity and ledger are kept (default: nowhere, a new identity each time)',
      folderName
    )
    .option('--json', 'the result as one line of JSON')
}

export const withNetwork = (command: Command): Command =>
  withRelays(command).option(
    '--wait <seconds>',
    'how long to look for others',
    wholeNumber('wait', 3_600, 1),
    10
  )

/**
 * Starts a node and waits until a relay has let it in.
 *
 * @param signal ends the wait, not the node: its books stay open as long as a job's are
 * @throws SwarmError `NO_RELAY` if none does; WireError `WRONG_NETWORK`; NetError `BAD_ADDRESS`; anything once `signal` is
 *   aborted
 */
export async function connect(
  options: NetworkOptions,
  term: Terminal,
  signal = new AbortController().signal
): Promise<Swarm> {
  const meeting = await findRelays(options.relay ?? [HOME_RELAY], options.network, signal)
  const { createSwarm } = await import('../index.ts') // on demand: "--help" must not wait for it
  const swarm = await createSwarm({
    ...meeting,
    network: options.network,
    backend: 'cpu',
    ...(options.data !== undefined && { dataFolder: options.data })
  })
  try {
    term.say(`Node ${swarm.peer}, network ${options.network}; looking for the relay …`)
    await joined(swarm, options.wait * 1_000, signal)
    return swarm
  } catch (error) {
    await swarm.stop()
    throw error
  }
}

async function joined(swarm: Swarm, waitMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted() // while the node started
  const met = Promise.withResolvers<void>()
  const look = () => {
    if (swarm.status.peers.some(({ isRelay }) => isRelay)) {
      met.resolve()
    }
  }
  const end = swarm.on('change', look)
  const timer = setTimeout(() => {
    met.reject(
      new SwarmError(
        'NO_RELAY',
        `No relay answered within ${waitMs / 1_000} s: is --relay right, is it running, is there a network?`,
        { retryable: true }
      )
    )
  }, waitMs)
  const abort = () => met.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  look()
  try {
    await met.promise
  } finally {
    end()
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** Resolves when this many providers of the skill are known, or the time is over. @returns how many are */
export async function meetProviders(
  swarm: Swarm,
  skill: string | undefined,
  waitMs: number,
  signal: AbortSignal
): Promise<number> {
  const count = () =>
    swarm.status.peers.filter(({ skills }) =>
      skill === undefined ? skills.length > 0 : skills.includes(skill)
    ).length
  const met = Promise.withResolvers<void>()
  const look = () => {
    if (count() > 0) {
      met.resolve()
    }
  }
  const end = swarm.on('change', look)
  const timer = setTimeout(met.resolve, waitMs)
  signal.addEventListener('abort', () => met.resolve(), { once: true })
  look()
  await met.promise
  end()
  clearTimeout(timer)
  return count()
}
