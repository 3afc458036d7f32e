import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { watchClock } from '../../../src/ui/clock-watch.ts'

/** A device whose clock the test sets, and a host that is right, or away. */
class Device {
  steady = 0
  /** The device's clock less the right one. */
  off = 0
  isHostAway = false
  asked = 0
  readonly compared: number[] = []
  readonly end: () => void
  #look: () => void = () => {}

  constructor() {
    this.end = watchClock({
      hostTime: async () => {
        this.asked++
        if (this.isHostAway) throw new TypeError('Failed to fetch')
        return 1_800_000_000_000 + this.steady
      },
      device: () => 1_800_000_000_000 + this.steady + this.off,
      steady: () => this.steady,
      every: (_, look) => {
        this.#look = look
        return () => {
          this.#look = () => {}
        }
      },
      onCompared: (off) => this.compared.push(off)
    })
  }

  /** So many seconds pass, with a look in each. */
  async pass(seconds: number): Promise<void> {
    await answered()
    for (let second = 0; second < seconds; second++) {
      this.steady += 1_000
      this.#look()
      await answered()
    }
  }
}

async function answered(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

describe('the watch over the clock', () => {
  it('asks the host at first, and then only when the clock has jumped, to and fro', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -9_000_000, max: 9_000_000 }), { maxLength: 6 }),
        async (jumps) => {
          const device = new Device()
          await device.pass(600)
          expect([device.asked, device.compared]).toEqual([1, [0]])
          for (const jump of jumps.filter((ms) => Math.abs(ms) >= 2_000)) {
            const { asked } = device
            device.off += jump
            await device.pass(1)
            expect(device.compared.at(-1)).toBe(Math.abs(device.off))
            await device.pass(100)
            expect(device.asked).toBe(asked + 1)
          }
          device.end()
        }
      )
    )
  })

  it('asks a host that does not answer once a minute, until it does', async () => {
    const device = new Device()
    await device.pass(10)
    device.isHostAway = true
    device.off = 3_600_000
    await device.pass(180)
    expect(device.asked).toBe(4)
    expect(device.compared).toEqual([0])
    device.isHostAway = false
    await device.pass(60)
    expect(device.compared).toEqual([0, 3_600_000])
  })

  it('ended asks nobody', async () => {
    const device = new Device()
    await device.pass(1)
    device.end()
    device.off = 3_600_000
    await device.pass(100)
    expect(device.asked).toBe(1)
  })
})
