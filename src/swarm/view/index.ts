/** One node in several tabs of a browser: the tab that runs it shares it, the others view it. */

import { LOBBY, type LobbyMessage, lobbyMessage, placeOf, told, VERSION } from './messages.ts'
import { RemoteSwarm, type View } from './view.ts'

export { ViewError, type ViewErrorCode } from './errors.ts'
export { type Share, type ShareInit, shareSwarm } from './share.ts'
export type { View } from './view.ts'

export interface ViewInit {
  readonly locks: LockManager
  /** Ends the waiting, and later the view. */
  readonly signal: AbortSignal
  /** The tab that runs the node runs another version of this code: there will be no view of it. */
  readonly onDiffers: () => void
}

/**
 * Meets the tab that runs the node, now or when there is one.
 *
 * @throws the signal's reason
 */
export async function viewSwarm({ locks, signal, onDiffers }: ViewInit): Promise<View> {
  signal.throwIfAborted()
  const guest = crypto.randomUUID()
  const leave = await holdLock(locks, placeOf(guest))
  const channel = new BroadcastChannel(placeOf(guest))
  const meeting = new AbortController()
  try {
    const view = await new Promise<View>((resolve, reject) => {
      const { signal: met } = meeting
      channel.addEventListener(
        'message',
        ({ data }) => {
          const { data: message } = told.safeParse(data)
          if (message?.t === 'welcome') {
            resolve(new RemoteSwarm(channel, message, leave))
          } else if (message === undefined) {
            onDiffers()
          }
        },
        { signal: met }
      )
      signal.addEventListener('abort', () => reject(signal.reason), { signal: met })
      sayHello(guest, met, onDiffers)
    })
    if (signal.aborted) {
      await view.stop()
      signal.throwIfAborted()
    }
    signal.addEventListener('abort', () => void view.stop(), { once: true })
    return view
  } catch (error) {
    channel.close()
    leave()
    throw error
  } finally {
    meeting.abort()
  }
}

/** Now, and to each tab that begins to run the node. */
function sayHello(guest: string, signal: AbortSignal, onDiffers: () => void): void {
  const lobby = new BroadcastChannel(LOBBY)
  const say = (message: LobbyMessage) => lobby.postMessage(message)
  lobby.addEventListener('message', ({ data }) => {
    const { data: message } = lobbyMessage.safeParse(data)
    if (message?.t === 'here') {
      say({ t: 'hello', v: VERSION, guest })
    } else if (message?.t === 'differs' && message.guest === guest) {
      onDiffers()
    }
  })
  signal.addEventListener('abort', () => lobby.close())
  say({ t: 'hello', v: VERSION, guest })
}

function holdLock(locks: LockManager, name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    locks.request(name, () => new Promise<void>((release) => resolve(release))).catch(reject)
  })
}
