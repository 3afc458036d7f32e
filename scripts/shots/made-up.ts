import type { PeerIdString, PeerInfo } from '../../src/api.ts'
import type { LedgerRow } from '../../src/core.ts'
import { peerId } from '../../test/fixtures/fake-swarm.ts'

/** What the pictures show. Made up, and always the same. */

export const HOSTILE = '<img src=x onerror=alert(1)><b>a skill of a stranger</b>'

const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const SKILLS = ['mandelbrot', 'render-tile', 'matmul-i8', 'knn-i8', 'matmul-f32']

/** Numbers that look random (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function names(count: number, seed: number): PeerIdString[] {
  const random = numbers(seed)
  const letter = () => LETTERS[Math.floor(random() * LETTERS.length)] ?? 'A'
  return Array.from({ length: count }, () => peerId(`12D3KooW${Array.from({ length: 44 }, letter).join('')}`))
}

/** A relay, then providers, the last two of them relayed. */
export function somePeers(count: number): PeerInfo[] {
  return names(count, 7).map((peer, index) => ({
    peer,
    connection: index >= count - 2 ? 'relayed' : 'direct',
    transport: index === 0 || index >= count - 2 ? 'websocket' : 'webrtc',
    isRelay: index === 0,
    skills: index === 0 ? [] : SKILLS.slice(index % 3, (index % 3) + 3)
  }))
}

export function crowd(count: number): PeerInfo[] {
  return names(count, 11).map((peer, index) => ({
    peer,
    connection: index % 4 === 3 ? 'relayed' : 'direct',
    transport: index % 4 === 3 ? 'websocket' : 'webrtc',
    isRelay: index < 2,
    rttMs: 5 + ((index * 37) % 900),
    skills: [HOSTILE, ...SKILLS, ...Array.from({ length: 12 }, (_, extra) => `another-skill-${extra}`)]
  }))
}

export function ledgerRows(count: number, witnesses: readonly PeerIdString[]): LedgerRow[] {
  const kinds = ['escrow', 'settle', 'claim', 'claim'] as const
  let balance = 10_000_000n
  return Array.from({ length: count }, (_, seq): LedgerRow => {
    const kind = seq === 0 ? 'genesis' : (kinds[seq % 4] ?? 'claim')
    const change =
      seq === 0 ? balance : kind === 'escrow' ? -430_000n : kind === 'settle' ? 21_000n : 450_000n
    if (seq > 0) balance += change
    return {
      seq,
      id: `bafy${seq}`,
      kind,
      at: 1_790_000_000_000 + seq * 97_000,
      change,
      balance,
      witnesses: seq % 4 === 1 ? witnesses.slice(0, 2) : []
    }
  })
}

/**
 * Escape times of z² + c, as a picture.
 *
 * @param share of the picture that is there, from the top
 */
export function escapeTimes(width: number, height: number, x: number, y: number, span: number, share = 1) {
  const counts = new Uint32Array(width * height)
  for (let at = 0; at < counts.length * share; at++) {
    const cx = x + ((at % width) / width - 0.5) * span
    const cy = y + (0.5 - Math.floor(at / width) / height) * span * (height / width)
    let [zx, zy, count] = [0, 0, 0]
    while (zx * zx + zy * zy < 4 && count < 500) {
      ;[zx, zy] = [zx * zx - zy * zy + cx, 2 * zx * zy + cy]
      count++
    }
    counts[at] = count
  }
  return { counts, width, height }
}
