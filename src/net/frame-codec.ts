import { concat } from 'uint8arrays/concat'
import { encode, WireError } from '../wire/index.ts'

/** Bytes of the largest length prefix: an unsigned varint below 2^28. */
const PREFIX_MAX = 4

/**
 * A frame's bytes on the wire: an unsigned varint of the length, then DAG-CBOR.
 *
 * @throws WireError `TOO_LARGE` if the DAG-CBOR exceeds `limit`
 */
export function encodeFrame(frame: unknown, limit: number): Uint8Array {
  const body = encode(frame)
  if (body.byteLength > limit) {
    throw new WireError('TOO_LARGE', `A frame of ${body.byteLength} bytes exceeds its limit of ${limit}.`)
  }
  const prefix: number[] = []
  let rest = body.byteLength
  while (rest > 0x7f) {
    prefix.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  prefix.push(rest)
  const bytes = new Uint8Array(prefix.length + body.byteLength)
  bytes.set(prefix)
  bytes.set(body, prefix.length)
  return bytes
}

/** What one WebRTC message takes: frames that fit in it together are written together. */
const TOGETHER_MAX = 16 * 1024

/** Frames as few writes: neighbours that are small enough become one. */
export function encodeFrames(frames: readonly unknown[], limit: number): Uint8Array[] {
  const writes: Uint8Array[] = []
  for (const frame of frames) {
    const bytes = encodeFrame(frame, limit)
    const last = writes.at(-1)
    if (last !== undefined && last.byteLength + bytes.byteLength <= TOGETHER_MAX) {
      writes[writes.length - 1] = concat([last, bytes])
    } else {
      writes.push(bytes)
    }
  }
  return writes
}

/**
 * Cuts a stream of chunks into frame bodies. Holds at most one frame: a body that lies whole in its chunk is
 * passed on without a copy, one that spans chunks is copied once. (The decoders of `@libp2p/utils` throw and
 * catch an error at each chunk's end, which costs more than the frame.)
 */
export class FrameDecoder {
  readonly #limit: number
  #length = 0
  #shift = 0
  #body: Uint8Array | undefined
  #filled = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** True in the middle of a frame. */
  get partial(): boolean {
    return this.#body !== undefined || this.#shift > 0
  }

  /**
   * @param onFrame called with the body and its size on the wire, prefix included; false stops
   * @throws WireError `TOO_LARGE` or `MALFORMED` for a bad length
   */
  push(chunk: Uint8Array, onFrame: (body: Uint8Array, wireSize: number) => boolean): void {
    let offset = 0
    while (offset < chunk.byteLength) {
      if (this.#body === undefined) {
        const byte = chunk[offset++] ?? 0
        if (!this.#takePrefixByte(byte)) {
          continue
        }
        if (chunk.byteLength - offset >= this.#length) {
          const body = chunk.subarray(offset, offset + this.#length)
          offset += this.#length
          if (!this.#emit(body, onFrame)) {
            return
          }
        } else {
          this.#body = new Uint8Array(this.#length)
          this.#filled = 0
        }
        continue
      }
      const part = chunk.subarray(offset, offset + this.#length - this.#filled)
      this.#body.set(part, this.#filled)
      this.#filled += part.byteLength
      offset += part.byteLength
      if (this.#filled === this.#length && !this.#emit(this.#body, onFrame)) {
        return
      }
    }
  }

  /** True when the prefix is complete. */
  #takePrefixByte(byte: number): boolean {
    this.#length += (byte & 0x7f) * 2 ** this.#shift
    this.#shift += 7
    if (byte > 0x7f) {
      if (this.#shift >= 7 * PREFIX_MAX) {
        throw new WireError('MALFORMED', 'A frame starts with a length that is too long to be one.')
      }
      return false
    }
    if (this.#length === 0 || (byte === 0 && this.#shift > 7)) {
      throw new WireError('MALFORMED', 'A frame is empty, or its length is not written in the shortest form.')
    }
    if (this.#length > this.#limit) {
      throw new WireError(
        'TOO_LARGE',
        `A frame of ${this.#length} bytes exceeds its limit of ${this.#limit}.`
      )
    }
    return true
  }

  #emit(body: Uint8Array, onFrame: (body: Uint8Array, wireSize: number) => boolean): boolean {
    const wireSize = this.#length + this.#shift / 7
    this.#body = undefined
    this.#length = 0
    this.#shift = 0
    return onFrame(body, wireSize)
  }
}
