import { wantsMore } from '../router/index.ts'
import { REINFORCE_LOOK, REINFORCE_PAUSE } from './constants.ts'
import type { Hired, Hiring } from './hiring.ts'
import type { JobContext } from './job-context.ts'
import type { Round } from './round.ts'
import { paused } from './waiting.ts'

export interface ReinforcementsInit {
  readonly job: JobContext
  readonly round: Round
  readonly hiring: Hiring
  /** As many providers as the job may have. */
  readonly wanted: () => number
  /** A further escrow was made. */
  readonly onHired: (hired: Hired) => void
  /** The round is over. */
  readonly signal: AbortSignal
  readonly log: (format: string, ...details: unknown[]) => void
}

/**
 * While a round runs: further escrows, within the budget, for providers that come later. In place of those that were
 * lost or are far too slow, and wherever long work has fewer providers than it may have. Never rejects.
 */
export async function reinforce(init: ReinforcementsInit): Promise<void> {
  const { signal, log } = init
  while (!signal.aborted) {
    try {
      await paused(REINFORCE_LOOK, signal)
      if (isWanted(init)) {
        await hireMore(init)
      }
    } catch (error) {
      if (!signal.aborted) {
        log('nobody was hired beside those at work - %e', error)
        await paused(REINFORCE_PAUSE, signal).catch(() => {}) // over: the loop's condition ends it
      }
    }
  }
}

const isWanted = ({ round, wanted }: ReinforcementsInit) => wantsMore(round.crew(wanted()))

async function hireMore(init: ReinforcementsInit): Promise<void> {
  const { job, round, hiring, wanted, signal, onHired } = init
  const peers = await hiring.find({
    count: wanted() - round.crew(wanted()).working,
    excluded: { has: (peer) => job.excluded.has(peer) || round.employs(peer) },
    pauseMs: REINFORCE_PAUSE,
    signal
  })
  if (!isWanted(init)) {
    return // it may have taken long to find somebody
  }
  await round.expect(async () => {
    const limit = job.outlay.left(round.committed)
    const hired = await hiring.open(peers, { units: round.waiting, limit, isPartial: true, signal })
    if (hired !== undefined) {
      onHired(hired)
      round.hire(hired.contract.escrow, hired.channels)
    }
  })
}
