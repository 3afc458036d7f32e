/** An RTCDataChannel with nothing around it: what WebRTC itself carries between these two tabs. */

/** As libp2p splits: larger messages are not faster. */
const PIECE = new Uint8Array(16 * 1024)
const BUFFER_MAX = 2 * 1024 * 1024

let connection: RTCPeerConnection
let channel: RTCDataChannel
let opened: Promise<void>

/** The offer, with all candidates in it. */
export async function offer(): Promise<string> {
  open()
  return described(await connection.createOffer())
}

export async function answer(remote: string): Promise<string> {
  open()
  await connection.setRemoteDescription({ type: 'offer', sdp: remote })
  return described(await connection.createAnswer())
}

export async function accept(remote: string): Promise<void> {
  await connection.setRemoteDescription({ type: 'answer', sdp: remote })
  await opened
}

/** MB/s to the other side, which must be in `receive`. */
export async function send(bytes: number): Promise<number> {
  const confirmed = received(1)
  const begun = performance.now()
  for (let left = bytes; left > 0; left -= PIECE.byteLength) {
    if (channel.bufferedAmount > BUFFER_MAX) {
      await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }))
    }
    channel.send(left < PIECE.byteLength ? PIECE.subarray(0, left) : PIECE)
  }
  await confirmed
  return bytes / 1e6 / ((performance.now() - begun) / 1_000)
}

/** Takes that many bytes and confirms them. */
export async function receive(bytes: number): Promise<void> {
  await received(bytes)
  channel.send(Uint8Array.of(1))
}

function open(): void {
  connection = new RTCPeerConnection({ iceServers: [] })
  channel = connection.createDataChannel('raw', { negotiated: true, id: 0 })
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = BUFFER_MAX / 2
  opened = new Promise((resolve) => channel.addEventListener('open', () => resolve(), { once: true }))
}

async function described(description: RTCSessionDescriptionInit): Promise<string> {
  const gathered = new Promise<void>((resolve) => {
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') {
        resolve()
      }
    })
  })
  await connection.setLocalDescription(description)
  await gathered
  return connection.localDescription?.sdp ?? ''
}

function received(bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes
    const onMessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      left -= data.byteLength
      if (left <= 0) {
        channel.removeEventListener('message', onMessage)
        resolve()
      }
    }
    channel.addEventListener('message', onMessage)
  })
}
