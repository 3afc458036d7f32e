import type { View, ViewInit } from '../core.ts'
import { lockFreed } from './lock.ts'

export interface OtherTabInit {
  readonly locks: LockManager
  readonly signal: AbortSignal
  /** Loads what is needed to see the node of another tab. */
  readonly load: () => Promise<{ viewSwarm(init: ViewInit): Promise<View> }>
  /** There is nothing to see: the lock is held or free, and `differs`: by another version of this page. */
  readonly onWait: (free: boolean, differs: boolean) => void
  /** The node of the other tab, now and after each change; undefined: it is gone. */
  readonly onView: (view: View | undefined) => void
}

/**
 * Shows the node of the tab that holds the lock until that tab is gone, and then that of whichever tab takes it next.
 *
 * @returns when the lock is free and no node ever ran there: this page's former self went late, or that tab never came up
 * @throws the signal's reason
 */
export async function followOtherTab({ locks, signal, load, onWait, onView }: OtherTabInit): Promise<void> {
  const over = new AbortController()
  const whole = AbortSignal.any([signal, over.signal])
  let hasAnswered = false
  onWait(false, false)
  let freed: Promise<void> = lockFreed(locks, signal)
  freed.catch(() => {}) // awaited below, unless nothing can be loaded
  const { viewSwarm } = await load()
  const onDiffers = () => {
    hasAnswered = true
    onWait(false, true)
  }
  const meet = () => viewSwarm({ locks, signal: whole, onDiffers })
  for (let meeting = meet(); ; meeting = meet()) {
    const view = await Promise.race([meeting, freed.then(() => undefined)])
    if (view === undefined && !hasAnswered) {
      meeting.catch(() => {}) // given up
      over.abort()
      return
    }
    hasAnswered = true
    if (view === undefined) onWait(true, false)
    await showUntilGone(view ?? (await meeting), { locks, signal, onWait, onView })
    onWait(true, false)
    freed = new Promise(() => {}) // it is free: only a tab that takes it is waited for
  }
}

async function showUntilGone(view: View, init: Omit<OtherTabInit, 'load'>): Promise<void> {
  const { locks, signal, onWait, onView } = init
  const show = () => {
    if (view.status.state === 'stopped') onWait(false, true)
    else onView(view)
  }
  view.addEventListener('change', show)
  show()
  await lockFreed(locks, signal)
  view.removeEventListener('change', show)
  view.lost()
  onView(undefined)
}
