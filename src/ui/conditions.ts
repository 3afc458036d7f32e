import type { Conditions } from './pause-rules.ts'

/** What TypeScript's DOM types lack: used where a browser has it, never needed. */
interface Battery extends EventTarget {
  readonly charging: boolean
}
interface Connection extends EventTarget {
  readonly saveData?: boolean
  readonly type?: string
}
interface PressureObserverLike {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>
  disconnect(): void
}
type PressureObserverClass = new (
  hear: (records: ReadonlyArray<{ readonly state: string }>) => void
) => PressureObserverLike

export interface ConditionsWatch {
  readonly now: Conditions
  stop(): void
}

const LOOK_EVERY_MS = 15_000
const PRESSURE_EVERY_MS = 5_000
const HANDS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

/**
 * Watches what the device tells. Started after consent only.
 *
 * @param changed is called when something may have changed, and now and then for the clock
 */
export function watchConditions(scope: Window, changed: () => void): ConditionsWatch {
  const ended = new AbortController()
  const { signal } = ended
  let battery: boolean | undefined
  let hot: boolean | undefined
  let usedAt = performance.now() - 86_400_000
  const connection: Connection | undefined = Reflect.get(scope.navigator, 'connection')
  const getBattery: (() => Promise<Battery>) | undefined = Reflect.get(scope.navigator, 'getBattery')
  const Pressure: PressureObserverClass | undefined = Reflect.get(scope, 'PressureObserver')

  const watchBattery = async () => {
    const found = await getBattery?.call(scope.navigator)
    if (found === undefined || signal.aborted) return
    const read = () => {
      battery = !found.charging
      changed()
    }
    found.addEventListener('chargingchange', read, { signal })
    read()
  }
  let observer: PressureObserverLike | undefined
  const watchPressure = async () => {
    if (Pressure === undefined) return
    observer = new Pressure((records) => {
      const { state } = records.at(-1) ?? {}
      hot = state === 'critical'
      changed()
    })
    await observer.observe('cpu', { sampleInterval: PRESSURE_EVERY_MS })
  }
  // A browser that has it and denies it tells nothing.
  watchBattery().catch(() => {})
  watchPressure().catch(() => {})
  connection?.addEventListener('change', changed, { signal })
  for (const type of HANDS) {
    scope.addEventListener(
      type,
      () => {
        const wasIdle = performance.now() - usedAt > LOOK_EVERY_MS
        usedAt = performance.now()
        if (wasIdle) changed()
      },
      { signal, passive: true, capture: true }
    )
  }
  const timer = setInterval(changed, LOOK_EVERY_MS)
  return {
    get now() {
      return {
        battery,
        metered:
          connection === undefined
            ? undefined
            : connection.saveData === true || connection.type === 'cellular',
        hot,
        idleMs: performance.now() - usedAt,
        hour: new Date().getHours()
      }
    },
    stop: () => {
      ended.abort()
      clearInterval(timer)
      observer?.disconnect()
    }
  }
}
