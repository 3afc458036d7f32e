/** Whoever holds it runs the one node of this origin: two would sign two chains. */
export const LOCK_NAME = 'swarmharness'

// A page that was just reloaded may still hold the lock for a moment.
const GRACE_MS = 300

/** @returns what releases the lock, or undefined if another tab holds it */
export function takeLock(locks: LockManager): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(
        LOCK_NAME,
        { signal: AbortSignal.timeout(GRACE_MS) },
        () => new Promise<void>((release) => resolve(release))
      )
      .catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'TimeoutError') resolve(undefined)
        else reject(error)
      })
  })
}

/** Resolves when nobody holds the lock; does not keep it. */
export async function lockFreed(locks: LockManager, signal: AbortSignal): Promise<void> {
  await locks.request(LOCK_NAME, { signal }, () => {})
}
