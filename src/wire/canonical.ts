import { CID } from 'multiformats/cid'
import { Digest } from 'multiformats/hashes/digest'

/** Not plainly canonical: no item decodes to it. */
const NO = Symbol('not plainly canonical')
/** More deeply than any schema nests. */
const DEPTH_MAX = 32
const ASCII_END = 0x80
/** Up to here text is shorter than what a TextDecoder costs; engines take so many arguments. */
const SHORT_TEXT = 64
/** A CIDv1 of DAG-CBOR by SHA-256, up to its digest; and with tag 42 and 37 bytes before it, as it is encoded. */
const CID_PREFIX = [0x01, 0x71, 0x12, 0x20]
const CID_HEAD = [0xd8, 0x2a, 0x58, 0x25, 0x00, ...CID_PREFIX]
const DIGEST_LENGTH = 32
const MULTIHASH_LENGTH = 2 + DIGEST_LENGTH
const CID_LENGTH = 2 + MULTIHASH_LENGTH
/** A key that makes no member of a JavaScript object, and so is lost when it is decoded. */
const LOST_KEY = '__proto__'

const decoder = new TextDecoder()
/** Short texts by a hash of theirs: most are keys, kinds and peer ids, which come again and again. */
const knownTexts = new Map<number, string>()
const KNOWN_TEXTS_MAX = 1_024

/** Bytes, and the place that is read next. */
interface Reader {
  readonly bytes: Uint8Array
  at: number
}

/**
 * Decodes bytes that are plainly the canonical DAG-CBOR of what they decode to: one walk says both, where a decoder,
 * an encoder and a comparison would take several times as long. Undefined for all others, and for what this project's
 * formats hardly use (negative integers, text beyond ASCII, other CIDs): then only encoding again tells.
 *
 * @param bytes not changed any more: byte strings and CIDs are views of them
 * @returns what `@ipld/dag-cbor` decodes
 */
export function decodePlainly(bytes: Uint8Array): { readonly value: unknown } | undefined {
  const reader = { bytes, at: 0 }
  const value = readItem(reader, 0)
  return value === NO || reader.at !== bytes.byteLength ? undefined : { value }
}

function readItem(reader: Reader, depth: number): unknown {
  const head = reader.bytes[reader.at] ?? 0xff
  const major = head >> 5
  if (major === 6) {
    return readCid(reader)
  }
  reader.at += 1
  if (major === 7) {
    return simple(head)
  }
  const info = head & 31
  const value = info < 24 ? info : readArgument(reader, info)
  if (value === NO || depth > DEPTH_MAX) {
    return NO
  }
  switch (major) {
    case 0:
      return value
    case 2:
      return readBytes(reader, value)
    case 3:
      return readText(reader, value)
    case 4:
      return readList(reader, value, depth)
    case 5:
      return readMap(reader, value, depth)
    default:
      return NO
  }
}

function simple(head: number): boolean | null | typeof NO {
  switch (head) {
    case 0xf4:
      return false
    case 0xf5:
      return true
    case 0xf6:
      return null
    default:
      return NO
  }
}

/** The integer in 1, 2, 4 or 8 bytes, if it needs as many. */
function readArgument(reader: Reader, info: number): number | typeof NO {
  const { bytes, at } = reader
  const size = 1 << (info - 24)
  if (info > 27 || at + size > bytes.byteLength) {
    return NO
  }
  let value = 0
  for (let i = 0; i < size; i++) {
    value = value * 256 + (bytes[at + i] ?? 0)
  }
  reader.at += size
  const least = size === 1 ? 24 : 2 ** (4 * size)
  return value >= least && value <= Number.MAX_SAFE_INTEGER ? value : NO
}

function readBytes(reader: Reader, length: number): Uint8Array | typeof NO {
  const { bytes, at } = reader
  const end = at + length
  if (end > bytes.byteLength) {
    return NO
  }
  reader.at = end
  return bytes.subarray(at, end)
}

function readText(reader: Reader, length: number): string | typeof NO {
  const { bytes, at } = reader
  const end = at + length
  if (end > bytes.byteLength) {
    return NO
  }
  let [bits, hash] = [0, 0]
  for (let i = at; i < end; i++) {
    const byte = bytes[i] ?? 0
    bits |= byte
    hash = (Math.imul(hash, 31) + byte) & 0x3fff_ffff
  }
  if (bits >= ASCII_END) {
    return NO
  }
  reader.at = end
  if (length > SHORT_TEXT) {
    return decoder.decode(bytes.subarray(at, end))
  }
  const known = knownTexts.get(hash)
  return known?.length === length && isAt(known, bytes, at) ? known : learnText(hash, bytes.subarray(at, end))
}

function isAt(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[at + i]) {
      return false
    }
  }
  return true
}

function learnText(hash: number, bytes: Uint8Array): string {
  const text = Reflect.apply(String.fromCharCode, null, bytes)
  if (knownTexts.size >= KNOWN_TEXTS_MAX) {
    knownTexts.clear()
  }
  knownTexts.set(hash, text)
  return text
}

function readList(reader: Reader, count: number, depth: number): unknown[] | typeof NO {
  const list: unknown[] = []
  for (let i = 0; i < count; i++) {
    const item = readItem(reader, depth + 1)
    if (item === NO) {
      return NO
    }
    list.push(item)
  }
  return list
}

/** Keys are short text here; each comes after the one before it: first by length, then by bytes. */
function readMap(reader: Reader, count: number, depth: number): Record<string, unknown> | typeof NO {
  const map: Record<string, unknown> = {}
  let [before, length] = ['', 0]
  for (let i = 0; i < count; i++) {
    const next = (reader.bytes[reader.at] ?? 0) - 0x60
    if (next < length || next > 23) {
      return NO
    }
    reader.at += 1
    const key = readText(reader, next)
    if (key === NO || key === LOST_KEY || (next === length && key <= before)) {
      return NO
    }
    const item = readItem(reader, depth + 1)
    if (item === NO) {
      return NO
    }
    map[key] = item
    before = key
    length = next
  }
  return map
}

function readCid(reader: Reader): CID | typeof NO {
  const { bytes, at } = reader
  const end = at + CID_HEAD.length + DIGEST_LENGTH
  if (end > bytes.byteLength) {
    return NO
  }
  for (let i = 0; i < CID_HEAD.length; i++) {
    if (bytes[at + i] !== CID_HEAD[i]) {
      return NO
    }
  }
  reader.at = end
  return viewCid(bytes.subarray(end - CID_LENGTH, end))
}

/** A CID over its own bytes: a CIDv1 of DAG-CBOR by SHA-256. */
function viewCid(bytes: Uint8Array): CID {
  const multihash = bytes.subarray(CID_LENGTH - MULTIHASH_LENGTH)
  const digest = bytes.subarray(CID_LENGTH - DIGEST_LENGTH)
  return new CID(1, 0x71, new Digest(0x12, DIGEST_LENGTH, digest, multihash), bytes)
}

/** Room for the next CIDs: memory for each by itself takes longer than all the rest of making one. */
let room = new Uint8Array()
const CIDS_A_ROOM = 16

/** The CIDv1 of DAG-CBOR whose SHA-256 this is. */
export function cidOfDigest(digest: Uint8Array): CID {
  if (room.byteLength < CID_LENGTH) {
    room = new Uint8Array(CIDS_A_ROOM * CID_LENGTH)
  }
  const bytes = room.subarray(0, CID_LENGTH)
  room = room.subarray(CID_LENGTH)
  bytes.set(CID_PREFIX)
  bytes.set(digest, CID_PREFIX.length)
  return viewCid(bytes)
}
