import * as z from 'zod/mini'
import { type NetworkName, SwarmError } from '../wire/index.ts'

/** What can be told from where the code runs: the defaults of `createSwarm()`. */

const PRIVATE_HOST = /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?::1\]?$|.*\.local$)/

/** `local` in Node, on localhost and on a LAN; `main` on a public page. */
export function defaultNetwork(): NetworkName {
  return typeof location === 'undefined' || PRIVATE_HOST.test(location.hostname) ? 'local' : 'main'
}

/** `/relay.json`, as the relay that serves this code publishes it. */
const hostConfiguration = z.object({
  relays: z.array(z.string()).check(z.maxLength(16)),
  iceServers: z.optional(
    z.array(
      z.object({
        urls: z.union([z.string(), z.array(z.string())]),
        username: z.optional(z.string()),
        credential: z.optional(z.string())
      })
    )
  )
})

export type HostConfiguration = z.output<typeof hostConfiguration>

/**
 * Asks the host that serves this code for its relays and ICE servers. Nothing in Node: a program names its own.
 *
 * @throws SwarmError `NO_RELAY`
 */
export async function askHost(signal?: AbortSignal): Promise<HostConfiguration> {
  if (typeof location === 'undefined') {
    return { relays: [] }
  }
  const url = new URL(/* @vite-ignore */ '/relay.json', import.meta.url)
  let cause: unknown
  try {
    const response = await fetch(url, { signal: signal ?? null, cache: 'no-store' })
    const parsed = hostConfiguration.safeParse(await response.json())
    if (parsed.success) {
      return parsed.data
    }
    cause = parsed.error
  } catch (error) {
    signal?.throwIfAborted()
    cause = error
  }
  throw new SwarmError('NO_RELAY', `The relays could not be read from ${url.href}. Is the relay running?`, {
    retryable: true,
    cause
  })
}
