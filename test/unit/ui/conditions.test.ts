import { afterEach, describe, expect, it } from 'vitest'
import { type ConditionsWatch, watchConditions } from '../../../src/ui/conditions.ts'
import { type Conditions, FIRST_RULES, type RestReason, restReason } from '../../../src/ui/pause-rules.ts'

type Hear = (records: ReadonlyArray<{ readonly state: string }>) => void

class Battery extends EventTarget {
  charging = true
}
class Connection extends EventTarget {
  saveData = false
  type: string | undefined
}

/** A window whose device the test sets. */
class Device extends EventTarget {
  readonly battery = new Battery()
  readonly connection = new Connection()
  readonly navigator: object
  readonly PressureObserver: unknown
  readonly pressure: { hear: Hear; source?: string; isOver?: boolean } = { hear: () => {} }

  constructor({ isBare = false, isDenied = false } = {}) {
    super()
    const { battery, connection, pressure } = this
    const denied = async () => {
      throw new DOMException('No.', 'NotAllowedError')
    }
    this.navigator = isBare ? {} : { connection, getBattery: isDenied ? denied : async () => battery }
    this.PressureObserver = isBare
      ? undefined
      : class {
          constructor(hear: Hear) {
            pressure.hear = hear
          }
          async observe(source: string) {
            if (isDenied) await denied()
            pressure.source = source
          }
          disconnect() {
            pressure.isOver = true
          }
        }
  }
}

let watched: ConditionsWatch | undefined
afterEach(() => watched?.stop())

function watch(device: Device) {
  let heard = 0
  // the test's window: it has what conditions.ts looks for
  const watch = watchConditions(device as unknown as Window, () => heard++)
  watched = watch
  const rules = { ...FIRST_RULES, onHeat: true, profile: 'idle' } as const
  return {
    stop: () => watch.stop(),
    heard: () => heard,
    now: (): Conditions => watch.now,
    why: (): RestReason | undefined => restReason(rules, watch.now, new Set())
  }
}
const tell = (target: EventTarget, type: string) => target.dispatchEvent(new Event(type))

describe('what the device tells', () => {
  it.each([
    ['battery', ({ battery }) => tell(Object.assign(battery, { charging: false }), 'chargingchange')],
    ['metered', ({ connection }) => tell(Object.assign(connection, { saveData: true }), 'change')],
    ['metered', ({ connection }) => tell(Object.assign(connection, { type: 'cellular' }), 'change')],
    ['heat', ({ pressure }) => pressure.hear([{ state: 'fair' }, { state: 'critical' }])],
    ['used', (device) => tell(device, 'pointermove')]
  ] satisfies Array<[RestReason, (device: Device) => void]>)(
    'is why it rests: %s',
    async (reason, change) => {
      const device = new Device()
      const { why, heard } = watch(device)
      await Promise.resolve() // the battery's answer
      expect(why()).toBeUndefined()
      const before = heard()
      change(device)
      expect(heard()).toBe(before + 1)
      expect(why()).toBe(reason)
    }
  )

  it('is asked of the processor, and heat that is less than critical is none', () => {
    const device = new Device()
    const { now, why } = watch(device)
    expect(device.pressure.source).toBe('cpu')
    for (const state of ['nominal', 'fair', 'serious']) device.pressure.hear([{ state }])
    expect(now().hot).toBe(false)
    expect(why()).toBeUndefined()
  })

  it.each([{ isBare: true }, { isDenied: true }])(
    'is nothing where %o, and the page goes on',
    async (how) => {
      const device = new Device(how)
      const { now, why } = watch(device)
      await Promise.resolve()
      expect(now()).toMatchObject({ battery: undefined, hot: undefined })
      expect(now().metered).toBe(how.isBare ? undefined : false)
      expect(why()).toBeUndefined()
    }
  )

  it('is heard no more once it was stopped', async () => {
    const device = new Device()
    const { stop, heard } = watch(device)
    await Promise.resolve()
    stop()
    const before = heard()
    tell(device.battery, 'chargingchange')
    tell(device.connection, 'change')
    tell(device, 'keydown')
    expect(heard()).toBe(before)
    expect(device.pressure.isOver).toBe(true)
  })
})
