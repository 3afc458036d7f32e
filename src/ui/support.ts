import { texts } from './texts/index.ts'

/** What a node cannot do without; looking for a name starts nothing. */
const NEEDED = {
  WebRTC: 'RTCPeerConnection',
  IndexedDB: 'indexedDB',
  WebSocket: 'WebSocket',
  'Web Workers': 'Worker'
} as const

/**
 * @param scope the window
 * @returns why this browser cannot run a node, as a sentence, or undefined if it can
 */
export function whyUnsupported(scope: object): string | undefined {
  const has = (name: string) => Reflect.get(scope, name) !== undefined && Reflect.get(scope, name) !== null
  if (Reflect.get(scope, 'isSecureContext') !== true) return texts.unsupported.insecure
  const missing: string[] = Object.entries(NEEDED)
    .filter(([, name]) => !has(name))
    .map(([label]) => label)
  const navigator: unknown = Reflect.get(scope, 'navigator')
  if (typeof navigator !== 'object' || navigator === null || !('locks' in navigator))
    missing.push('Web Locks')
  return missing.length === 0 ? undefined : texts.unsupported.missing(missing.join(', '))
}
