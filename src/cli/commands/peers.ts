import { Command } from 'commander'
import { type NetworkOptions, withNetwork } from '../connect.ts'
import { look } from '../look.ts'
import { type Terminal, terminal } from '../terminal.ts'

export function peersCommand(done: (status: number) => void): Command {
  const command = new Command('peers').description(
    'who is there, how this machine reaches them, what they serve'
  )
  return withNetwork(command).action(async (flags: NetworkOptions) =>
    done(await peers(flags, terminal(flags)))
  )
}

const peers = (flags: NetworkOptions, term: Terminal): Promise<number> =>
  look(flags, term, undefined, async (swarm) => {
    const found = swarm.status.peers
    const lines = found.map(
      ({ peer, connection, transport, isRelay, skills }) =>
        `${peer}  ${connection.padEnd(7)}  ${transport.padEnd(9)}  ${isRelay ? 'relay' : skills.join(', ')}`
    )
    await term.result(lines.join('\n'), { peers: found })
  })
