import type { Swarm } from '../index.ts'
import { connect, meetProviders, type NetworkOptions } from './connect.ts'
import { interruption, STATUS, type Terminal } from './terminal.ts'

/**
 * A command that only looks: joins, waits for providers of the skill, tells what it sees, leaves.
 *
 * @param skill undefined: any
 * @returns its status
 */
export async function look(
  flags: NetworkOptions,
  term: Terminal,
  skill: string | undefined,
  tell: (swarm: Swarm) => Promise<void>
): Promise<number> {
  const { signal, wasInterrupted } = interruption()
  let swarm: Swarm | undefined
  try {
    swarm = await connect(flags, term, signal)
    await meetProviders(swarm, skill, flags.wait * 1_000, signal)
    await tell(swarm)
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
