import { afterEach, describe, expect, it } from 'vitest'
import { skillList } from '../../../src/swarm/offered-skills.ts'
import { parseQuery } from '../../../src/ui/query.ts'
import { whyUnsupported } from '../../../src/ui/support.ts'
import { en } from '../../../src/ui/texts/en.ts'
import { language, pickLanguage, setLanguage } from '../../../src/ui/texts/index.ts'
import { zh } from '../../../src/ui/texts/zh.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { PEERS } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(async () => {
  setLanguage('en')
  await unmountAll()
})

/** Paths of all texts, with the number of words that are filled in. */
function shapeOf(texts: unknown, path = ''): string[] {
  if (typeof texts === 'function') return [`${path}(${texts.length})`]
  if (typeof texts !== 'object' || texts === null) return [path]
  return Object.entries(texts).flatMap(([name, part]) => shapeOf(part, `${path}.${name}`))
}

const WRONG = [
  undefined,
  null,
  -1,
  0,
  1.5,
  1e9,
  5e8,
  Number.NaN,
  '',
  'x',
  '1e-300',
  '9',
  [],
  {},
  true,
  new Int8Array(3)
]

/** An input with any one part of it wrong in many ways, or two. */
function changesOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return WRONG
  const inside = Object.entries(value).flatMap(([name, part]) =>
    changesOf(part).map((changed) =>
      Array.isArray(value) ? value.with(Number(name), changed) : { ...value, [name]: changed }
    )
  )
  const many = Array.isArray(value) && value.length > 0 ? [Array.from({ length: 300 }, () => value[0])] : []
  return [...inside, ...many, ...WRONG]
}

function choose(root: ParentNode, tag: string): void {
  const select = find(root, '#language')
  if (!(select instanceof HTMLSelectElement)) throw new Error('no choice of languages')
  select.value = tag
  select.dispatchEvent(new Event('change'))
}

describe('the languages', () => {
  it('say the same things, each in its own words', () => {
    expect(shapeOf(zh)).toEqual(shapeOf(en))
    const words = (texts: unknown): string[] =>
      typeof texts === 'string'
        ? [texts]
        : typeof texts === 'function'
          ? [String(texts('①', '②', '③'))]
          : Object.values(Object(texts)).flatMap(words)
    const [english, chinese] = [words(en), words(zh)]
    expect(chinese.every((text) => text.trim() !== '')).toBe(true)
    // Names, units of measure and formulas are alike in both.
    const alike = english.filter((text, index) => chinese[index] === text)
    expect(alike.filter((text) => /[a-z]{3,} [a-z]{3,}/i.test(text))).toEqual([])
    for (const [index, text] of english.entries()) {
      const filled = (each: string) => ['①', '②', '③'].filter((mark) => each.includes(mark))
      expect(filled(chinese[index] ?? ''), text).toEqual(filled(text))
    }
  })

  it('say what the schemas say of an input, each in its own words', () => {
    const seen = new Set<string>()
    for (const skill of skillList()) {
      for (const change of changesOf(skill.example()))
        for (const { message } of skill.check(change)) seen.add(message)
    }
    expect(seen.size).toBeGreaterThan(25)
    for (const message of seen) {
      const said = zh.hire.invalid.issue(message)
      const names = /^[\w.]+: |\w+Array|NaN|from|'\w+'|\d+(\.\d+)?e-?\d+/g
      expect(said.replaceAll(names, ''), message).not.toMatch(/[a-z]{2,}/i)
      expect(en.hire.invalid.issue(message)).toMatch(/^\S.*\.$/)
      const numbers = said.match(/\d+/g) ?? []
      const isExample = said.includes('-0.75')
      expect(isExample || numbers.every((number) => message.includes(number)), message).toBe(true)
    }
    expect(zh.hire.invalid.issue('must be blue')).toBe('无效（must be blue）。')
  })

  it('are picked by what the browser asks for, or by the address', () => {
    expect(pickLanguage(['fr', 'zh-Hans-CN', 'en'])).toBe('zh')
    expect(pickLanguage(['__proto__', 'constructor'])).toBe('en')
    expect(parseQuery('?lang=zh').options).toEqual({ lang: 'zh' })
    expect(parseQuery('?lang=__proto__')).toMatchObject({ options: {}, ignored: [{ name: 'lang' }] })
  })
})

describe('the choice', () => {
  it('is there before consent, and stores nothing', async () => {
    const { app, module } = mount()
    await shown(app, '#consent-start')
    const before = localStorage.length
    choose(app, 'zh')
    await shown(app, '#consent-start', (button) => textOf(button) === zh.consent.start)
    expect(language).toBe('zh')
    expect(localStorage.length).toBe(before)
    expect(module.loads).toBe(0)
  })

  it('changes every part of a running page, and loses nothing that was typed', async () => {
    const { app, swarm } = await running()
    await shown(app, '#job-form')
    fill(app, '#m', '77')
    choose(app, 'zh')
    await shown(app, '#run-sample', (button) => textOf(button) === zh.hire.sample)
    const field = find(app, '#m')
    expect(field instanceof HTMLInputElement ? field.value : '').toBe('77')
    for (const [selector, text] of [
      ['#submit-job', zh.hire.submit],
      ['#pause', zh.node.pause],
      ['#withdraw', zh.withdraw.button],
      ['#rules > summary', zh.serve.rules]
    ] as const) {
      await shown(app, selector, (element) => textOf(element) === text)
    }
    expect(swarm.calls).toEqual(['contribute 0.6'])
  })

  it('changes what a job has said, and why it has failed', async () => {
    const { app, swarm } = await running()
    await click(app, '#run-sample')
    await shown(app, '#job')
    const provider = PEERS[1]?.peer
    if (provider === undefined) throw new Error('no peer')
    swarm.submitted[0]?.emit({ type: 'retried', unit: 0, provider, reason: 'PEER_LOST: No sign of life.' })
    swarm.submitted[0]?.fail(new SwarmError('NO_PROVIDER', 'Nobody came.'))
    expect(textOf(await shown(app, '#job-error'))).toContain('Nobody came.')
    choose(app, 'zh')
    const words = zh.error.said('NO_PROVIDER', '')
    await shown(app, '#job-error', (note) => textOf(note).includes(words))
    const [line] = [...(await shown(app, '#job-log')).children].map((each) => textOf(each))
    expect(line).toContain(zh.error.said('PEER_LOST', ''))
    expect(textOf(await shown(app, '#job-error'))).not.toContain('Nobody came.')
  })

  it('changes why the browser cannot join', async () => {
    const { app } = mount({ init: { unsupported: () => whyUnsupported({ isSecureContext: false }) } })
    await shown(app, '#unsupported', (card) => textOf(card).includes(en.unsupported.insecure))
    choose(app, 'zh')
    await shown(app, '#unsupported', (card) => textOf(card).includes(zh.unsupported.insecure))
  })
})
