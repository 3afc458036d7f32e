import type { Connection, Stream } from '@libp2p/interface'
import type { SwarmNode } from '../../src/net/index.ts'

/** libp2p streams with nothing of ours on them. */

const ECHO = '/bench/echo/1.0.0'
const SINK = '/bench/sink/1.0.0'
const SOURCE = '/bench/source/1.0.0'
/** As large as a chunk of the job protocol. */
const PIECE = new Uint8Array(256 * 1024)

export async function serve(node: SwarmNode): Promise<void> {
  await node.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => stream.send(data))
  })
  await node.handle(SINK, async (stream) => {
    const size = sizeOf(await next(stream))
    await received(stream, size)
    stream.send(Uint8Array.of(1))
  })
  await node.handle(SOURCE, async (stream) => {
    await pour(stream, sizeOf(await next(stream)))
  })
}

/** Round trips one after the other (ms each). */
export async function roundTrips(connection: Connection, count: number, bytes: number): Promise<number[]> {
  const stream = await connection.newStream(ECHO)
  const message = new Uint8Array(bytes)
  const trips: number[] = []
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    const back = received(stream, bytes)
    stream.send(message)
    await back
    trips.push(performance.now() - begun)
  }
  await stream.close()
  return trips
}

/** Echoes a second, with `window` messages on their way. */
export async function echoRate(
  connection: Connection,
  count: number,
  bytes: number,
  window: number
): Promise<number> {
  const stream = await connection.newStream(ECHO)
  const message = new Uint8Array(bytes)
  const begun = performance.now()
  const { promise, resolve } = Promise.withResolvers<void>()
  let sent = 0
  let back = 0
  const fill = () => {
    for (; sent < count && sent * bytes - back < window * bytes; sent++) {
      stream.send(message)
    }
  }
  stream.addEventListener('message', ({ data }) => {
    back += data.byteLength
    if (back >= count * bytes) {
      resolve()
    } else {
      fill()
    }
  })
  fill()
  await promise
  const seconds = (performance.now() - begun) / 1_000
  await stream.close()
  return count / seconds
}

/** MB/s to the other side, which confirms the last byte. */
export async function send(connection: Connection, bytes: number): Promise<number> {
  const stream = await connection.newStream(SINK)
  const confirmed = next(stream)
  const begun = performance.now()
  stream.send(sizeMessage(bytes))
  await pour(stream, bytes)
  await confirmed
  const seconds = (performance.now() - begun) / 1_000
  await stream.close()
  return bytes / 1e6 / seconds
}

/** MB/s from the other side, asked for by the first message. */
export async function receive(connection: Connection, bytes: number): Promise<number> {
  const stream = await connection.newStream(SOURCE)
  const begun = performance.now()
  const all = received(stream, bytes)
  stream.send(sizeMessage(bytes))
  await all
  const seconds = (performance.now() - begun) / 1_000
  await stream.close()
  return bytes / 1e6 / seconds
}

async function pour(stream: Stream, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= PIECE.byteLength) {
    const piece = left < PIECE.byteLength ? PIECE.subarray(0, left) : PIECE
    if (!stream.send(piece)) {
      await stream.onDrain()
    }
  }
}

function received(stream: Stream, bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = bytes
  const onMessage = ({ data }: { data: { byteLength: number } }) => {
    left -= data.byteLength
    if (left <= 0) {
      stream.removeEventListener('message', onMessage)
      resolve()
    }
  }
  stream.addEventListener('message', onMessage)
  return promise
}

function next(stream: Stream): Promise<Uint8Array> {
  return new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => resolve(data.subarray()), { once: true })
  })
}

const sizeMessage = (bytes: number) => new Uint8Array(Uint32Array.of(bytes).buffer)
const sizeOf = (message: Uint8Array) => new DataView(message.buffer, message.byteOffset).getUint32(0, true)
