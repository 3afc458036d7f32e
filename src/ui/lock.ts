import { PageError } from './failure.ts'
import { texts } from './texts/index.ts'

/** Whoever holds it runs the one node of this origin: two would sign two chains. */
export const LOCK_NAME = 'swarmharness'

// A page that was just reloaded may still hold the lock for a moment.
const GRACE_MS = 300

/**
 * @returns what releases the lock, or undefined if another tab holds it
 * @throws PageError where the browser denies locks, as it does where it lets a page keep nothing
 */
export async function takeLock(locks: LockManager): Promise<(() => void) | undefined> {
  // A free lock is waited for as long as a busy browser takes to give it: only one that is held may run out of time.
  return (
    (await request(locks, { ifAvailable: true })) ??
    (await request(locks, { signal: AbortSignal.timeout(GRACE_MS) }))
  )
}

function request(locks: LockManager, options: LockOptions): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(LOCK_NAME, options, (lock) =>
        lock === null ? resolve(undefined) : new Promise<void>((release) => resolve(release))
      )
      .catch((error: unknown) => {
        const name = error instanceof DOMException ? error.name : ''
        if (name === 'TimeoutError') resolve(undefined)
        // who blocks site data denies locks first, and says so of no word that helps
        else reject(name === 'SecurityError' ? new PageError(texts.error.denied) : error)
      })
  })
}

/** Resolves when nobody holds the lock; does not keep it. */
export async function lockFreed(locks: LockManager, signal: AbortSignal): Promise<void> {
  await locks.request(LOCK_NAME, { signal }, () => {})
}
