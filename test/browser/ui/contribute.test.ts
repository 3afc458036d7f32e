import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RULES_KEY } from '../../../src/ui/contributor.ts'
import {
  type Conditions,
  FIRST_RULES,
  parseChange,
  parseRules,
  type RestReason,
  type RulesChange,
  restReason,
  stillOverridden,
  withChange
} from '../../../src/ui/pause-rules.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { PEERS } from '../../fixtures/fake-swarm.ts'
import { click, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const CALM: Conditions = { battery: false, metered: false, hot: false, idleMs: 1e9, hour: 12 }
const none: ReadonlySet<RestReason> = new Set()

describe('the rule', () => {
  it('rests for each reason, and for none that is switched off or not told', () => {
    const told = { battery: true, metered: true, hot: true }
    expect(restReason(FIRST_RULES, CALM, none)).toBeUndefined()
    expect(restReason(FIRST_RULES, { ...CALM, battery: true }, none)).toBe('battery')
    expect(restReason(FIRST_RULES, { ...CALM, metered: true }, none)).toBe('metered')
    expect(restReason(FIRST_RULES, { ...CALM, clockOff: true }, none)).toBe('clock')
    expect(restReason({ ...FIRST_RULES, onHeat: true }, { ...CALM, hot: true }, none)).toBe('heat')
    // a processor that is busy, with this page's own work perhaps, is no reason unless the person says so
    expect(restReason(FIRST_RULES, { ...CALM, hot: true }, none)).toBeUndefined()
    const careless = { ...FIRST_RULES, onBattery: false, onMetered: false, onHeat: false }
    expect(restReason(careless, { ...CALM, ...told }, none)).toBeUndefined()
    const silent = { battery: undefined, metered: undefined, hot: undefined }
    expect(restReason(FIRST_RULES, { ...CALM, ...silent }, none)).toBeUndefined()
    const idle = { ...FIRST_RULES, profile: 'idle' as const }
    expect(restReason(idle, { ...CALM, idleMs: 59_999 }, none)).toBe('used')
    expect(restReason(idle, { ...CALM, idleMs: 60_000 }, none)).toBeUndefined()
  })

  it('keeps to its hours, past midnight too', () => {
    const hour = fc.integer({ min: 0, max: 23 })
    fc.assert(
      fc.property(hour, hour, hour, (from, to, now) => {
        const reason = restReason({ ...FIRST_RULES, schedule: { from, to } }, { ...CALM, hour: now }, none)
        let open = from === to
        for (let at = from; at !== to; at = (at + 1) % 24) open ||= at === now
        expect(reason).toBe(open ? undefined : 'schedule')
      })
    )
  })

  it('is overridden for as long as its reason lasts', () => {
    const unplugged = { ...CALM, battery: true, hot: true }
    const overridden = new Set<RestReason>(['battery'])
    const rules = { ...FIRST_RULES, onHeat: true }
    expect(restReason(rules, unplugged, overridden)).toBe('heat')
    expect(stillOverridden(rules, unplugged, overridden)).toEqual(overridden)
    expect(stillOverridden(rules, CALM, overridden)).toEqual(none)
  })

  it('is read from any record, and a damaged one is as at first', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { rate, without, schedule } = parseRules(text)
        expect(rate).toBeGreaterThanOrEqual(100)
        expect(without.every((name) => typeof name === 'string')).toBe(true)
        expect(schedule === undefined || schedule.from < 24).toBe(true)
      })
    )
    expect(parseRules('{"onBattery":"no","rate":-1,"schedule":{"from":25,"to":1}}')).toEqual(FIRST_RULES)
    const rules = { ...FIRST_RULES, profile: 'idle' as const, rate: 2000, schedule: { from: 22, to: 7 } }
    expect(parseRules(JSON.stringify(rules))).toEqual(rules)
  })
})

describe('a change of the rules', () => {
  const hour = fc.integer({ min: 0, max: 23 })
  const changes: fc.Arbitrary<RulesChange> = fc.oneof(
    fc.record({ profile: fc.constantFrom('while' as const, 'idle' as const) }),
    fc.record({ onBattery: fc.boolean() }),
    fc.record({ onMetered: fc.boolean() }),
    fc.record({ onHeat: fc.boolean() }),
    fc.record({ rate: fc.integer({ min: 100, max: 100_000 }) }),
    fc.record({ strangers: fc.option(fc.nat(100)) }),
    fc.record({ schedule: fc.oneof(fc.constant(null), fc.record({ from: hour }), fc.record({ to: hour })) }),
    fc.record({
      serve: fc.record({ name: fc.constantFrom('mandelbrot', 'knn-i8'), isServed: fc.boolean() })
    })
  )
  const touches = (change: RulesChange) => Object.keys(change).join() + (change.serve?.name ?? '')

  it('leaves the others as they are: two in any order come to the same', () => {
    fc.assert(
      fc.property(changes, changes, (one, other) => {
        fc.pre(touches(one) !== touches(other))
        const sorted = (rules: typeof FIRST_RULES) => ({ ...rules, without: rules.without.toSorted() })
        const both = withChange(withChange(FIRST_RULES, one), other)
        expect(sorted(both)).toEqual(sorted(withChange(withChange(FIRST_RULES, other), one)))
      })
    )
  })

  it('is the same after its way from another tab, and what is none changes nothing', () => {
    fc.assert(
      fc.property(changes, (change) => {
        expect(parseChange(structuredClone(change))).toEqual(change)
      })
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.dictionary(fc.constantFrom('rate', 'schedule', 'serve', 'strangers'), fc.anything())
        ),
        (value) => {
          const change = parseChange(value) ?? {}
          const rules = withChange(FIRST_RULES, change)
          expect(parseRules(JSON.stringify(rules))).toEqual(rules)
        }
      )
    )
    expect(parseChange('rate')).toBeUndefined()
  })

  it('to no hours at all is of the whole day, and one end of them keeps the other', () => {
    const night = withChange(FIRST_RULES, { schedule: {} })
    expect(night.schedule).toEqual({ from: 22, to: 7 })
    expect(withChange(night, { schedule: { to: 9 } }).schedule).toEqual({ from: 22, to: 9 })
    expect(withChange(night, { schedule: null }).schedule).toBeUndefined()
  })
})

describe('contributing', () => {
  it('rests on battery, says why, runs anyway, and rests again the next time', async () => {
    const { app, swarm, tell } = await running()
    await shown(app, '#contributing[data-contributing="true"]')
    tell({ battery: true })
    expect(textOf(await shown(app, '#contributing[data-paused="battery"]'))).toContain('on battery')
    await shown(app, '#contributing[data-contributing="false"]')
    await click(app, '#run-anyway')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(find(app, '#run-anyway')).toBeUndefined()
    tell({ battery: false })
    tell({ battery: true })
    await shown(app, '#run-anyway')
    tell({ battery: false })
    await shown(app, '#contributing[data-contributing="true"]')
    const expected = ['contribute 0.6', 'pause', 'contribute 0.6', 'pause', 'contribute 0.6']
    expect(swarm.calls).toEqual(expected)
  })

  it.each([
    ['metered', { metered: true }, { metered: false }, undefined, 'metered'],
    ['heat', { hot: true }, { hot: false }, '#rest-onHeat', 'fully busy'],
    ['schedule', { hour: 12 }, { hour: 23 }, '#schedule', 'outside your hours'],
    ['used', { idleMs: 0 }, { idleMs: 60_000 }, '#profile-idle', 'you use this page']
  ] as const)(
    'rests for %s, says so, and runs anyway until that is over',
    async (reason, on, off, rule, words) => {
      const { app, swarm, tell } = await running()
      await shown(app, '#contributing[data-contributing="true"]')
      tell(off)
      if (rule !== undefined) await click(app, rule)
      const rests = `#contributing[data-paused="${reason}"][data-contributing="false"]`
      tell(on)
      expect(textOf(await shown(app, rests))).toContain(words)
      expect(swarm.status.contributing).toBe(false)
      await click(app, '#run-anyway')
      await shown(app, '#contributing[data-contributing="true"]')
      tell(off)
      tell(on)
      await shown(app, rests)
      tell(off)
      await shown(app, '#contributing[data-contributing="true"]')
      expect(find(app, '#run-anyway')).toBeUndefined()
      localStorage.removeItem(RULES_KEY)
    }
  )

  it('rests while the clock is wrong by the host, says how much, and goes on when it is set right', async () => {
    let off = 0
    const page = mount({ init: { hostTime: async () => Date.now() + off } })
    await click(page.app, '#consent-start')
    await shown(page.app, '#contributing[data-contributing="true"]')
    const { now } = Date
    const clock = vi.spyOn(Date, 'now')
    for (const hours of [3, -3]) {
      clock.mockImplementation(() => now() + hours * 3_600_000)
      off = -hours * 3_600_000
      expect(textOf(await shown(page.app, '#clock-off'))).toContain('3 h away')
      await shown(page.app, '#contributing[data-paused="clock"]')
      await click(page.app, '#run-sample')
      await shown(page.app, '#submit-error', (element) => textOf(element).includes('wrong time'))
      clock.mockImplementation(now)
      off = 0
      await shown(page.app, '#contributing[data-contributing="true"]')
      expect(find(page.app, '#clock-off')).toBeUndefined()
    }
    clock.mockRestore()
    const one = ['pause', 'contribute 0.6']
    expect(page.swarm.calls).toEqual(['contribute 0.6', ...one, ...one])
    expect(page.swarm.submitted).toEqual([])
  })

  it('paused by hand stays so, whatever the device tells', async () => {
    const { app, swarm, tell } = await running()
    await click(app, '#pause[aria-disabled="false"]')
    await shown(app, '#contributing[data-contributing="false"]')
    tell({ battery: true })
    tell({ battery: false })
    await shown(app, '#run[aria-disabled="false"]')
    expect(swarm.calls).toEqual(['contribute 0.6', 'pause'])
  })

  it('started on battery begins at rest', async () => {
    const { app, swarm, tell } = await running()
    await click(app, '#pause[aria-disabled="false"]')
    await shown(app, '#run[aria-disabled="false"]')
    tell({ battery: true })
    await click(app, '#run')
    await shown(app, '#run-anyway')
    expect(swarm.calls).toEqual(['contribute 0.6', 'pause'])
    await click(app, '#pause[aria-disabled="false"]')
    await shown(app, '#run[aria-disabled="false"]')
    expect(find(app, '#run-anyway')).toBeUndefined()
  })

  it('serves the chosen skills at the chosen price, strangers as much as is wished, and remembers it', async () => {
    const { app, swarm } = await running()
    await shown(app, '#contributing[data-contributing="true"]')
    await click(app, '#serve-mandelbrot')
    await expect.poll(() => swarm.contributed?.skills).not.toContain('mandelbrot')
    const rate = await shown(app, '#rate')
    if (!(rate instanceof HTMLInputElement)) throw new Error('no field')
    rate.value = '1e9'
    rate.dispatchEvent(new Event('change'))
    expect(textOf(await shown(app, '#rate-error', (element) => textOf(element) !== ''))).toContain(
      'whole number'
    )
    rate.value = '250'
    rate.dispatchEvent(new Event('change'))
    await expect.poll(() => swarm.contributed?.rate).toBe(2500)
    expect(swarm.contributed).not.toHaveProperty('strangers')
    const strangers = await shown(app, '#strangers')
    if (!(strangers instanceof HTMLSelectElement)) throw new Error('no choice')
    strangers.value = '25'
    strangers.dispatchEvent(new Event('change'))
    await expect.poll(() => swarm.contributed?.strangers).toBe(0.25)
    expect(parseRules(localStorage.getItem(RULES_KEY))).toMatchObject({
      rate: 2500,
      strangers: 25,
      without: ['mandelbrot']
    })
    await app.withdraw()
    expect(localStorage.getItem(RULES_KEY)).toBeNull()
  })

  it('cannot serve nothing: the last skill stays', async () => {
    const { app, swarm } = await running()
    for (const { name } of swarm.skills.slice(1)) {
      await click(app, `#serve-${name}`)
      // as nobody clicks faster: two in one frame may each start from what was rendered before
      await new Promise((resolve) => requestAnimationFrame(resolve))
    }
    await shown(app, `#serve-${swarm.skills[0]?.name}:disabled`)
  })

  it('rests and says so where no skill is left to serve, whatever the rules allow, until one is switched on', async () => {
    const without = mount().swarm.skills.map(({ name }) => name)
    await unmountAll()
    localStorage.setItem(RULES_KEY, JSON.stringify({ ...FIRST_RULES, without }))
    const { app, swarm, tell } = await running()
    expect(textOf(await shown(app, '#contributing[data-paused="unserved"]'))).toContain('no skill')
    tell({ battery: true })
    expect(find(app, '#run-anyway')).toBeUndefined()
    tell({ battery: false })
    expect(swarm.calls).toEqual([])
    await click(app, '#serve-mandelbrot')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(swarm.contributed?.skills).toEqual(['mandelbrot'])
    localStorage.removeItem(RULES_KEY)
  })

  it('shows what is computed now, for whom', async () => {
    const { app, swarm } = await running()
    const requester = PEERS[1]?.peer
    if (requester === undefined) throw new Error('there is one')
    const now = [{ skill: 'mandelbrot', requester, units: 3 }]
    swarm.update({ work: { units: 0, running: 3, verifiedUnits: 0, now } })
    const text = textOf(await shown(app, 'ul#now'))
    expect(text).toContain('3 units of “Mandelbrot set” for …1prov001')
  })

  it('that a change of conditions cannot start says so', async () => {
    const { app, swarm, tell } = await running()
    tell({ battery: true })
    await shown(app, '#run-anyway')
    swarm.failNext = new SwarmError('DEVICE_LOST', 'The device was lost. Run again.')
    tell({ battery: false })
    expect(textOf(await shown(app, '#node-error'))).toContain('DEVICE_LOST')
  })
})
