/** Of what is neither, or not plainly. */
const NO = -1
const ASCII_END = 0x80
/** Tag 42 with the 37 bytes of a CIDv1 of DAG-CBOR by SHA-256, up to its digest. */
const CID_HEAD = [0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01, 0x71, 0x12, 0x20]
const CID_LENGTH = CID_HEAD.length + 32
/** A key that makes no member of a JavaScript object, and so is lost when it is decoded. */
const LOST_KEY = '__proto__'

/**
 * Whether bytes are the canonical DAG-CBOR of what they decode to, found without encoding that again. False too for
 * what this project's formats hardly use (negative integers, text beyond ASCII, other CIDs): then only encoding tells.
 *
 * @param bytes not nested more deeply than a schema allows
 */
export const isPlainlyCanonical = (bytes: Uint8Array): boolean => endOf(bytes, 0) === bytes.byteLength

/** The place behind the item that begins at `at`; -1 where it is not plainly canonical. */
function endOf(bytes: Uint8Array, at: number): number {
  const head = bytes[at] ?? 0xff
  const major = head >> 5
  if (major === 6) {
    return endOfCid(bytes, at)
  }
  if (major === 7) {
    return head >= 0xf4 && head <= 0xf6 ? at + 1 : NO // false, true, null
  }
  const info = head & 31
  const start = at + 1 + (info < 24 ? 0 : 1 << (info - 24))
  const value = info < 24 ? info : argumentOf(bytes, at + 1, info)
  if (value === NO) {
    return NO
  }
  switch (major) {
    case 0:
      return start
    case 2:
      return start + value <= bytes.byteLength ? start + value : NO
    case 3:
      return endOfText(bytes, start, value)
    case 4:
      return endOfList(bytes, start, value)
    case 5:
      return endOfMap(bytes, start, value)
    default:
      return NO
  }
}

/** The integer in 1, 2, 4 or 8 bytes, if it needs as many. */
function argumentOf(bytes: Uint8Array, at: number, info: number): number {
  const size = 1 << (info - 24)
  if (info > 27 || at + size > bytes.byteLength) {
    return NO
  }
  let value = 0
  for (let i = 0; i < size; i++) {
    value = value * 256 + (bytes[at + i] ?? 0)
  }
  const least = size === 1 ? 24 : 2 ** (4 * size)
  return value >= least && value <= Number.MAX_SAFE_INTEGER ? value : NO
}

function endOfText(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length
  if (end > bytes.byteLength) {
    return NO
  }
  for (let i = start; i < end; i++) {
    if ((bytes[i] ?? ASCII_END) >= ASCII_END) {
      return NO
    }
  }
  return end
}

function endOfList(bytes: Uint8Array, start: number, count: number): number {
  let at = start
  for (let i = 0; i < count && at !== NO; i++) {
    at = endOf(bytes, at)
  }
  return at
}

/** Keys are short text here; each comes after the one before it: first by length, then by bytes. */
function endOfMap(bytes: Uint8Array, start: number, count: number): number {
  let at = start
  let [before, length] = [0, NO]
  for (let i = 0; i < count; i++) {
    const next = (bytes[at] ?? 0) - 0x60
    const end = next >= 0 && next < 24 ? endOfText(bytes, at + 1, next) : NO
    const isInOrder = next > length || (next === length && isBefore(bytes, before, at + 1, length))
    if (end === NO || !isInOrder || isLost(bytes, at + 1, next)) {
      return NO
    }
    before = at + 1
    length = next
    at = endOf(bytes, end)
    if (at === NO) {
      return NO
    }
  }
  return at
}

function isBefore(bytes: Uint8Array, one: number, two: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const [a = 0, b = 0] = [bytes[one + i], bytes[two + i]]
    if (a !== b) {
      return a < b
    }
  }
  return false
}

function isLost(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== LOST_KEY.charCodeAt(i)) {
      return false
    }
  }
  return length === LOST_KEY.length
}

function endOfCid(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < CID_HEAD.length; i++) {
    if (bytes[at + i] !== CID_HEAD[i]) {
      return NO
    }
  }
  return at + CID_LENGTH <= bytes.byteLength ? at + CID_LENGTH : NO
}
