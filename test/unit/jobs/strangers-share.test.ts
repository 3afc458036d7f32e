import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StrangersShare, type StrangersUnit } from '../../../src/jobs/strangers-share.ts'
import { memoryStore, type Table } from '../../../src/store/index.ts'
import { NETWORKS, type PeerIdString } from '../../../src/wire/index.ts'

// Over restarts, also those that a stranger brings about.

const network = NETWORKS.main
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = 1_800_000_000_000

/** The text of an Ed25519 id, of no key that anybody has. */
function nameOf(i: number): PeerIdString {
  const key = Uint8Array.of(0, 36, 8, 1, 18, 32, ...new Uint8Array(28), i >> 24, i >> 16, i >> 8, i)
  return base58btc.encode(key).slice(1) as PeerIdString // without the multibase prefix
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }))
afterEach(() => void vi.useRealTimers())

async function live(kept: Table, share?: number): Promise<StrangersShare> {
  const strangers = new StrangersShare({ network, now: Date.now, kept })
  strangers.share = share
  await strangers.load()
  return strangers
}

test('a node that was stopped or killed gives no fresh share, and a whole one when the hour is over', async () => {
  const kept = memoryStore().table('meta')
  const first = await live(kept, 1) // 36 s of an hour
  first.end(first.begin(nameOf(1), 1))
  first.begin(nameOf(1), 1)
  await vi.advanceTimersByTimeAsync(20_000)
  vi.clearAllTimers() // it is killed here
  const second = await live(kept, 1)
  const unit = second.begin(nameOf(2), 1)
  await vi.advanceTimersByTimeAsync(36_000)
  expect(unit.cut.signal.aborted).toBe(true)
  second.end(unit)
  await second.stop()
  const third = await live(kept, 1)
  expect(third.allows(nameOf(3), 1)).toBe(false)
  await vi.advanceTimersByTimeAsync(HOUR + MINUTE)
  expect((await live(kept, 1)).allows(nameOf(3), 1)).toBe(true)
  vi.setSystemTime(NOW - 24 * HOUR) // the clock was a day ahead
  expect((await live(kept, 1)).allows(nameOf(3), 1)).toBe(true)
})

test('of names without number few are kept, and all that they were given', async () => {
  const kept = memoryStore().table('meta')
  const first = await live(kept)
  for (let i = 0; i < 3_000; i++) {
    const unit = first.begin(nameOf(i), 1)
    vi.advanceTimersByTime(i < 2 ? 30_000 : 110)
    first.end(unit)
  }
  await first.stop()
  const [, row = new Uint8Array()] = (await kept.entries())[0] ?? []
  expect(row.byteLength).toBeLessThan(32 * 1024)
  const second = await live(kept)
  expect(second.allows(nameOf(9_999), 1)).toBe(false)
  const mayNow = async (name: number) => (await live(kept, 100)).allows(nameOf(name), 1)
  expect([await mayNow(1), await mayNow(2_999)]).toEqual([true, true])
  const again = await live(kept, 100)
  const unit = again.begin(nameOf(1), 1) // half of its minute is over
  await vi.advanceTimersByTimeAsync(30_001)
  expect(unit.cut.signal.aborted).toBe(true)
})

test('on a network that gives strangers everything nothing is written', async () => {
  const kept = memoryStore().table('meta')
  const strangers = new StrangersShare({ network: NETWORKS.local, now: Date.now, kept })
  strangers.end(strangers.begin(nameOf(1), 1))
  await strangers.stop()
  expect(await kept.entries()).toEqual([])
})

test('whatever is begun, ended and killed, all together get no more than the share of any hour', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          act: fc.constantFrom('begin', 'begin', 'end', 'kill'),
          name: fc.nat(4),
          pause: fc.nat(40_000)
        }),
        { maxLength: 40 }
      ),
      async (acts) => {
        vi.setSystemTime(NOW)
        const kept = memoryStore().table('meta')
        const lanes = 2
        let strangers = await live(kept)
        let running: Array<{ unit: StrangersUnit; begun: number }> = []
        let given = 0
        const over = ({ unit, begun }: (typeof running)[number], isKilled: boolean) => {
          given += Date.now() - begun
          if (!isKilled) {
            strangers.end(unit)
          }
        }
        for (const { act, name, pause } of acts) {
          if (act === 'begin' && running.length < lanes && strangers.allows(nameOf(name), lanes)) {
            const started = { unit: strangers.begin(nameOf(name), lanes), begun: Date.now() }
            running.push(started)
            started.unit.cut.signal.addEventListener('abort', () => {
              if (running.includes(started)) {
                running = running.filter((each) => each !== started)
                over(started, false)
              }
            })
          } else if (act === 'end') {
            const [first, ...rest] = running
            running = rest
            if (first) {
              over(first, false)
            }
          } else if (act === 'kill') {
            vi.clearAllTimers()
            for (const each of running.splice(0)) {
              over(each, true)
            }
            strangers = await live(kept)
          }
          await vi.advanceTimersByTimeAsync(pause)
        }
        for (const each of running) {
          given += Date.now() - each.begun
        }
        vi.clearAllTimers()
        // 40 acts of 40 s at most are half an hour: one share
        expect(given).toBeLessThanOrEqual(0.1 * lanes * HOUR + lanes)
      }
    )
  ))
