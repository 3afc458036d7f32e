import { afterEach, describe, expect, test } from 'vitest'
import { installHangUpShim } from '../../../src/net/hang-up-shim.ts'

installHangUpShim(globalThis)

const open: RTCPeerConnection[] = []
afterEach(() => {
  for (const connection of open.splice(0)) {
    connection.close()
  }
})

/** Two connections with a channel between them, in this page. */
async function connected(): Promise<[RTCPeerConnection, RTCPeerConnection]> {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()]
  open.push(a, b)
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate)
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate)
  const channel = a.createDataChannel('test')
  const opened = new Promise((resolve) => channel.addEventListener('open', resolve))
  await a.setLocalDescription(await a.createOffer())
  if (a.localDescription !== null) {
    await b.setRemoteDescription(a.localDescription)
  }
  await b.setLocalDescription(await b.createAnswer())
  if (b.localDescription !== null) {
    await a.setRemoteDescription(b.localDescription)
  }
  await opened
  return [a, b]
}

/** Milliseconds until the connection says that it is closed. */
async function closedAfter(connection: RTCPeerConnection, close: () => void): Promise<number> {
  const begun = performance.now()
  const closed = new Promise<void>((resolve) => {
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'closed') {
        resolve()
      }
    }
  })
  close()
  await closed
  return performance.now() - begun
}

describe('when one side closes, the other is told within a second', () => {
  test('the side that answered', async () => {
    const [a, b] = await connected()
    expect(await closedAfter(b, () => a.close())).toBeLessThan(1_000)
  })

  test('the side that offered', async () => {
    const [a, b] = await connected()
    expect(await closedAfter(a, () => b.close())).toBeLessThan(1_000)
  })
})
