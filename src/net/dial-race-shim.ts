/**
 * Works around a race in `@libp2p/webrtc` 6: the dialler waits for `open`, then for `close`, of its `init` data
 * channel. When the other side has closed the channel already, neither event comes again and about one dial in
 * five hangs. Here an `init` channel repeats both to whoever listens too late. Import before `libp2p`.
 */
export function installDialRaceShim(target: { RTCPeerConnection?: typeof RTCPeerConnection }): void {
  const prototype = target.RTCPeerConnection?.prototype
  if (prototype === undefined || patched.has(prototype)) {
    return
  }
  patched.add(prototype)
  const create = prototype.createDataChannel
  prototype.createDataChannel = function (this: RTCPeerConnection, label, options) {
    const channel = create.call(this, label, options)
    return label === 'init' ? withLateEvents(channel) : channel
  }
}

const patched = new WeakSet<object>()

function withLateEvents(channel: RTCDataChannel): RTCDataChannel {
  const listen = channel.addEventListener.bind(channel)
  let opened = false
  listen('open', () => {
    opened = true
  })
  listen('close', () => {
    if (!opened) {
      channel.dispatchEvent(new Event('open'))
    }
  })
  channel.addEventListener = (
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: unknown
  ) => {
    // the overloads of addEventListener do not accept the general signature that the DOM defines
    listen(type as 'open', listener as EventListener, options as AddEventListenerOptions)
    const { readyState } = channel
    const missed =
      (type === 'open' && (readyState === 'closing' || readyState === 'closed')) ||
      (type === 'close' && readyState === 'closed')
    if (missed) {
      queueMicrotask(() => channel.dispatchEvent(new Event(type)))
    }
  }
  return channel
}

installDialRaceShim(globalThis)
