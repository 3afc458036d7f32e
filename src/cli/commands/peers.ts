import { Command } from 'commander'
import type { Swarm } from '../../index.ts'
import { connect, meetProviders, type NetworkOptions, withNetwork } from '../connect.ts'
import { interruption, STATUS, type Terminal, terminal } from '../terminal.ts'

export function peersCommand(done: (status: number) => void): Command {
  const command = new Command('peers').description(
    'who is there, how this machine reaches them, what they serve'
  )
  return withNetwork(command).action(async (flags: NetworkOptions) =>
    done(await peers(flags, terminal(flags)))
  )
}

async function peers(flags: NetworkOptions, term: Terminal): Promise<number> {
  const { signal, wasInterrupted } = interruption()
  let swarm: Swarm | undefined
  try {
    swarm = await connect(flags, term, signal)
    await meetProviders(swarm, undefined, flags.wait * 1_000, signal)
    const found = swarm.status.peers
    const lines = found.map(
      ({ peer, connection, transport, isRelay, skills }) =>
        `${peer}  ${connection.padEnd(7)}  ${transport.padEnd(9)}  ${isRelay ? 'relay' : skills.join(', ')}`
    )
    await term.result(lines.join('\n'), { peers: found })
    return wasInterrupted() ? STATUS.interrupted : STATUS.done
  } catch (error) {
    if (!signal.aborted) {
      throw error
    }
    return wasInterrupted() ? STATUS.interrupted : STATUS.failed
  } finally {
    await swarm?.stop()
  }
}
