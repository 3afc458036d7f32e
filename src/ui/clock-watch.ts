export interface ClockWatchInit {
  /** By the clock of the host that the page came from, in ms since 1970; undefined: it does not say. */
  readonly hostTime: () => Promise<number | undefined>
  /** @default Date.now */
  readonly device?: () => number
  /** A clock that nobody sets; it may stand still while the device sleeps. @default performance.now */
  readonly steady?: () => number
  /** Calls back every so many ms. @default setInterval @returns what ends it */
  readonly every?: (ms: number, look: () => void) => () => void
  /** How far the device's clock is off by the host's (ms), after each comparison. */
  readonly onCompared: (off: number) => void
}

const LOOK_EVERY_MS = 1_000
/** Less is a clock that is kept right, or the network's delay. */
const JUMP_MS = 2_000
/** A host that does not answer is asked again after so long. */
const AGAIN_MS = 60_000

/**
 * Compares the device's clock with the host's: at first, and whenever it has jumped since (it was set, or the device
 * slept). Between jumps nothing is asked.
 *
 * @returns what ends it
 */
export function watchClock({
  hostTime,
  device = () => Date.now(),
  steady = () => performance.now(),
  every = onInterval,
  onCompared
}: ClockWatchInit): () => void {
  let lead = Number.NaN
  let nextAt = 0
  let isOver = false
  const look = async () => {
    const now = device() - steady()
    const hasJumped = !(Math.abs(now - lead) < JUMP_MS)
    if (!hasJumped && steady() < nextAt) return
    lead = now
    nextAt = steady() + AGAIN_MS
    const theirs = await hostTime().catch(() => undefined) // offline
    if (isOver || theirs === undefined || lead !== now) return
    nextAt = Number.POSITIVE_INFINITY
    onCompared(Math.abs(theirs - device()))
  }
  const end = every(LOOK_EVERY_MS, () => void look())
  void look()
  return () => {
    isOver = true
    end()
  }
}

function onInterval(ms: number, look: () => void): () => void {
  const timer = setInterval(look, ms)
  return () => clearInterval(timer)
}
