import type { FoundProvider, SwarmRegistry } from '../registry/index.ts'
import type { Considered, SwarmRouter, Task } from '../router/index.ts'
import type { Milliseconds, PeerIdString } from '../wire/index.ts'
import { GATHER } from './constants.ts'
import { JobError } from './errors.ts'
import { orAborted, paused } from './waiting.ts'

export interface ProviderSearch {
  readonly registry: SwarmRegistry
  readonly router: SwarmRouter
  readonly task: Task
  /** Only these, if given. */
  readonly only?: readonly PeerIdString[] | undefined
  /** How many are wanted. */
  readonly count: number
  /** How long to wait for the first; undefined: until the signal is aborted. */
  readonly waitMs: Milliseconds | undefined
  /** Between two searches, when no advert comes by itself. */
  readonly pauseMs: Milliseconds
  readonly signal: AbortSignal
}

/**
 * Waits until there is at least one eligible provider, then a moment for more; looks at every advert that comes
 * in meanwhile.
 *
 * @returns all that were looked at: those chosen first, best first
 * @throws JobError `NO_PROVIDER`, or the signal's reason
 */
export async function searchProviders(search: ProviderSearch): Promise<Considered[]> {
  const { registry, router, task, count, waitMs } = search
  const only = search.only === undefined ? undefined : new Set(search.only)
  const found = new Map<PeerIdString, FoundProvider>()
  const ready = Promise.withResolvers<void>()
  const decide = () => router.decide([...found.values()], task, count)
  const note = (provider: FoundProvider) => {
    if (only?.has(provider.advert.peer) === false) {
      return
    }
    found.set(provider.advert.peer, provider)
    const chosen = decide().filter((considered) => considered.chosen !== undefined).length
    if (chosen >= count) {
      ready.resolve()
    } else if (chosen > 0) {
      setTimeout(ready.resolve, GATHER)
    }
  }
  const over = new AbortController()
  const onAdvert = (event: CustomEvent<FoundProvider>) => note(event.detail)
  registry.addEventListener('advert', onAdvert)
  const timer =
    waitMs === undefined ? undefined : setTimeout(() => ready.reject(noProvider(task.skill, waitMs)), waitMs)
  try {
    void searchOn(registry, task.skill, note, search.pauseMs, over.signal)
    await orAborted(ready.promise, search.signal)
    return decide()
  } finally {
    clearTimeout(timer)
    over.abort()
    registry.removeEventListener('advert', onAdvert)
  }
}

async function searchOn(
  registry: SwarmRegistry,
  skill: string,
  note: (provider: FoundProvider) => void,
  pauseMs: Milliseconds,
  signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    for await (const provider of registry.find(skill, { signal })) {
      note(provider)
    }
    await paused(pauseMs, signal).catch(() => {}) // over: the loop's condition ends it
  }
}

function noProvider(skill: string, waitedMs: Milliseconds): JobError {
  return new JobError(
    'NO_PROVIDER',
    `No peer offered ${skill} within ${waitedMs} ms. Try again, or open a tab elsewhere that contributes.`,
    { retryable: true, details: { skill, waitedMs } }
  )
}
