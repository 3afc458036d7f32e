import type { SwarmCore } from '../../src/index.ts'

/** What runs in the pages of the bench `start`. Each function is sent as text, so it uses nothing from outside. */

declare global {
  interface Window {
    /** When the provider's page first did what; ms since the epoch, on the clock that all pages share. */
    startTimes?: Record<string, number>
  }
}

/** Runs before the provider's page: notes the click, and what the browser is asked to do after it. */
export function observe(): void {
  const times: Record<string, number> = {}
  window.startTimes = times
  const note = (step: string) => {
    times[step] ??= performance.timeOrigin + performance.now()
  }
  addEventListener('click', () => note('click'), { capture: true, once: true })

  new PerformanceObserver((list) => {
    for (const { name, responseEnd } of list.getEntries() as PerformanceResourceTiming[]) {
      if (/\/assets\/src-/.test(name)) {
        times.code ??= performance.timeOrigin + responseEnd
      }
    }
  }).observe({ type: 'resource', buffered: true })

  // Writes that the disk has: identity, receipts ('contracts'), claims (the third record of the chain).
  let written = 0
  const open = IDBDatabase.prototype.transaction
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    const transaction = open.call(this, names, mode, options)
    if (mode === 'readwrite') {
      const stores = [names].flat()
      transaction.addEventListener('complete', () => {
        if (stores.includes('identity')) {
          note('identity')
        }
        if (stores.includes('chain')) {
          written += 1
          note(written === 1 ? 'genesis' : 'claimed')
        }
      })
    }
    return transaction
  }

  const Socket = WebSocket
  window.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      this.addEventListener('open', () => note('relayConnected'))
    }
  }
  const Connection = RTCPeerConnection
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      note('dialling')
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') {
          note('direct')
        }
      })
    }
  }

  let swarm: SwarmCore | undefined
  const look = () => {
    const { status } = swarm ?? {}
    if (status === undefined) {
      return
    }
    if (status.device !== undefined) {
      note('device')
    }
    if (status.state === 'relayed' || status.state === 'direct') {
      note('reserved')
    }
    if (status.work.verifiedUnits > 0) {
      note('receipted')
    }
  }
  Object.defineProperty(window, 'swarmharness', {
    configurable: true,
    get: () => swarm,
    set: (started: SwarmCore) => {
      swarm = started
      note('node')
      setInterval(look, 5)
    }
  })
}

export function isDone(): boolean {
  const { receipted, claimed } = window.startTimes ?? {}
  return receipted !== undefined && claimed !== undefined
}

/** Runs in the requester: a job of one unit, submitted before there is anyone to do it. */
export async function waitForUnit() {
  const { swarmharness: swarm } = window
  if (swarm === undefined) {
    throw new Error('No node runs in this tab.')
  }
  const times: Record<string, number> = {}
  const note = (step: string) => {
    times[step] ??= performance.timeOrigin + performance.now()
  }
  const input = { a: Int8Array.of(1, 2, 3, 4, 5, 6), b: Int8Array.of(1, 0, -1, 2, 1, -128), m: 2, k: 3, n: 2 }
  const job = swarm.submit<{ c: Int32Array }>('matmul-i8', input, { providerWaitMs: 60_000, units: 1 })
  const watch = setInterval(() => {
    if (swarm.status.peers.some(({ skills }) => skills.includes('matmul-i8'))) {
      note('advert')
    }
    if (job.state === 'running') {
      note('certified')
    }
  }, 5)
  try {
    for await (const { type } of job) {
      if (type === 'assigned') {
        note('sent')
      } else if (type === 'verified') {
        note('verified')
      }
    }
    const { value } = await job.result
    // [1 2 3; 4 5 6] x [1 0; -1 2; 1 -128]
    return { times, isRight: value.c.join() === '2,-380,5,-758' }
  } finally {
    clearInterval(watch)
  }
}
