import axe from 'axe-core'
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import type { AppInit } from '../../../src/ui/app.ts'
import { IdentityPanel } from '../../../src/ui/identity-panel.ts'
import { OwnPanel } from '../../../src/ui/own-panel.ts'
import { type Language, setLanguage } from '../../../src/ui/texts/index.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { FakeModule, ME, PEERS, peerId } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, type Mounted, mount, shown, unmountAll } from './mount.ts'

/** WCAG 2.2 AA and what axe calls best practice, on every view: both themes, both languages, phone and wide. */

/** axe looks at each of a live page's views by itself, some tenths of a second each. */
const PATIENCE_MS = 180_000
const THEMES = ['light', 'dark'] as const
const LANGUAGES = ['en', 'zh'] as const
const SIZES = { phone: [390, 844], wide: [1440, 900] } as const

type Look = readonly [theme: (typeof THEMES)[number], language: Language, size: keyof typeof SIZES]

const EVERY: readonly Look[] = THEMES.flatMap((theme) =>
  LANGUAGES.flatMap((language) =>
    (['phone', 'wide'] as const).map((size) => [theme, language, size] as const)
  )
)
/** Each two of the three go together in one of these; nightly all eight. */
const PAIRS: readonly Look[] = [
  ['light', 'en', 'wide'],
  ['dark', 'zh', 'wide'],
  ['dark', 'en', 'phone'],
  ['light', 'zh', 'phone']
]
const LOOKS = inject('propertyRuns') > 50 ? EVERY : PAIRS

afterEach(async () => {
  await unmountAll()
  setLanguage('en')
  document.documentElement.style.removeProperty('color-scheme')
  await page.viewport(414, 896)
})

async function violations(): Promise<string[]> {
  const { violations } = await axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  })
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.flat().join(' ')}\n${failureSummary}`)
  )
}

/** Drawn, and no colour on its way to another. */
async function atRest(root: Element): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  for (const each of shadowsOf(root)) for (const animation of each.getAnimations()) animation.finish()
}

function shadowsOf(root: ParentNode): ShadowRoot[] {
  return [...root.querySelectorAll('*'), ...(root instanceof Element ? [root] : [])].flatMap(
    ({ shadowRoot }) => (shadowRoot === null ? [] : [shadowRoot, ...shadowsOf(shadowRoot)])
  )
}

async function looksRight({ app }: Mounted, views: readonly string[] = VIEWS): Promise<void> {
  for (const [theme, language, size] of LOOKS) {
    document.documentElement.style.colorScheme = theme
    app.style.colorScheme = theme
    document.documentElement.lang = language
    setLanguage(language)
    const [width, height] = SIZES[size]
    await page.viewport(width, height)
    await app.updateComplete
    await atRest(app)
    for (const view of size === 'phone' && find(app, '[role="tab"]') !== undefined ? views : ['all']) {
      if (view !== 'all') await click(app, `#tab-${view}`)
      await atRest(app)
      expect(await violations(), `${theme} ${language} ${size} ${view}`).toEqual([])
      const { scrollWidth, clientWidth } = document.documentElement
      expect(scrollWidth, `${theme} ${language} ${size} ${view}: nothing to scroll sideways`).toBe(
        clientWidth
      )
    }
  }
}

const VIEWS = ['contribute', 'see', 'hire', 'own']

async function running(
  consent: '#consent-start' | '#consent-hire',
  init: Partial<AppInit> = {}
): Promise<Mounted> {
  const mounted = mount({ init })
  await click(mounted.app, consent)
  await shown(mounted.app, '#state')
  return mounted
}

/** All that folds is open. */
async function unfold({ app }: Mounted): Promise<void> {
  const own = await shown(app, 'own-panel')
  if (own instanceof OwnPanel) {
    const at = 1_700_000_000_000
    own.reader = async () => ({
      readLedger: async () => [
        {
          seq: 0,
          id: 'bafy0',
          kind: 'genesis',
          at,
          balance: 10_000_000n,
          change: 10_000_000n,
          witnesses: [ME]
        }
      ],
      readEscrows: async () => [{ id: 'bafy1', at, amount: 5n, payees: [{ peer: ME, max: 5n }], frees: at }],
      checkLedger: async () => undefined,
      encodeLedgerFile: () => new Uint8Array(),
      openLedgerFile: () => ({ network: 'local', peer: ME, records: [] })
    })
  }
  const folds = () => shadowsOf(app).flatMap((shadow) => [...shadow.querySelectorAll('details')])
  for (const fold of folds()) fold.open = true
  for (const id of ['#records', '#log-lines', '#job-log', '#plot-work']) await shown(app, id)
  expect(folds().filter(({ open }) => !open)).toEqual([])
}

/** An identity file is looked into. */
async function foundIdentity({ app }: Mounted): Promise<void> {
  const panel = await shown(app, 'identity-panel')
  if (!(panel instanceof IdentityPanel)) throw new Error('no panel')
  const peer = peerId('12D3KooWProv11111111111111111111111111111111prov001')
  panel.found = { identity: Uint8Array.of(7), peer, network: 'local', records: 12, balance: 3_000_000n }
  await shown(app, '#found')
}

describe('no rule of axe is broken', () => {
  it('where consent is asked, after a pause too', async () => {
    await looksRight(mount())
    await unmountAll()
    localStorage.setItem('swarmharness.consent', '{"v":1,"mode":"hire","power":60,"auto":false}')
    await looksRight(mount({ search: '?backend=abacus' }))
  })

  it('where the browser cannot join', () =>
    looksRight(mount({ init: { unsupported: () => 'No WebRTC here.' } })))

  it('where another tab has the node', async () => {
    const held = Promise.withResolvers<void>()
    const holding = navigator.locks.request('swarmharness', () => held.promise)
    const mounted = mount()
    await click(mounted.app, '#consent-hire')
    await shown(mounted.app, '#elsewhere')
    await looksRight(mounted)
    held.resolve()
    await holding
  })

  it('while the node starts, and where it could not', async () => {
    const starting = mount({ init: { load: () => new Promise(() => {}) } })
    await click(starting.app, '#consent-start')
    await shown(starting.app, '#starting')
    await looksRight(starting)
    await unmountAll()
    const module = new FakeModule()
    module.failWith = new SwarmError('DENIED', 'This browser lets the page keep nothing.')
    const failed = mount({ module })
    await click(failed.app, '#consent-start')
    await shown(failed.app, '#start-error')
    await looksRight(failed)
  })

  it('while it rests with a wrong clock, without a relay, and a new version waits', async () => {
    const module = new FakeModule()
    module.hasRelay = false
    const mounted = mount({
      module,
      init: {
        hostTime: async () => Date.now() + 3_600_000,
        offline: { keep: (onUpdate) => onUpdate(() => {}), drop: async () => {} }
      }
    })
    await click(mounted.app, '#consent-start')
    for (const id of ['#update', '#offline', '#clock-off', '#run-anyway']) await shown(mounted.app, id)
    await looksRight(mounted, ['contribute'])
  })

  it('in a second tab', async () => {
    const first = await running('#consent-start')
    const second = mount()
    await shown(second.app, '#viewing')
    first.app.style.display = 'none'
    await looksRight(second, ['contribute'])
  })

  it(
    'while it contributes: a crowd of peers, a quote, a picture, an identity found, all folds open',
    async () => {
      const mounted = await running('#consent-start')
      const crowd = Array.from({ length: 8 }, (_, index) => ({
        peer: peerId(`12D3KooWPeer${index}`),
        connection: 'direct' as const,
        transport: 'webrtc' as const,
        isRelay: false,
        skills: ['matmul-i8']
      }))
      mounted.swarm.update({ state: 'direct', peers: [...PEERS, ...crowd] })
      mounted.swarm.quoteNext = {
        price: 1_234n,
        units: 9,
        providers: 2,
        measured: 1,
        etaMs: 2_000,
        localEtaMs: 30_000,
        fasterAtHome: true
      }
      await click(mounted.app, '#skill-mandelbrot')
      await shown(mounted.app, '#iterations')
      await click(mounted.app, '#get-quote')
      await shown(mounted.app, '#quote[data-price="1234"]')
      await click(mounted.app, '#submit-job')
      await shown(mounted.app, '#job')
      const counts = new Uint32Array(640 * 400).fill(4)
      mounted.swarm.submitted[0]?.succeed({ counts, width: 640, height: 400 })
      await shown(mounted.app, '#zoom-in')
      await foundIdentity(mounted)
      await unfold(mounted)
      await looksRight(mounted)
    },
    PATIENCE_MS
  )

  it(
    'while it only hires, with a bad form and a job that failed',
    async () => {
      const mounted = await running('#consent-hire')
      await click(mounted.app, '#run-sample')
      await shown(mounted.app, '#job')
      mounted.swarm.submitted[0]?.fail(new SwarmError('NO_PROVIDER', 'Nobody came.'))
      await shown(mounted.app, '#job[data-state="failed"]')
      const side = find(mounted.app, '#m')
      if (side instanceof HTMLInputElement) {
        side.value = '0'
        side.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
      }
      await click(mounted.app, '#submit-job')
      await looksRight(mounted, ['contribute', 'hire'])
    },
    PATIENCE_MS
  )

  it('where an identity has moved away, or all is erased', async () => {
    const moved = await running('#consent-hire')
    fill(moved.app, '#move-passphrase', 'long enough!')
    fill(moved.app, '#move-repeat', 'long enough!')
    const saved = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {})
    await click(moved.app, '#move')
    await shown(moved.app, '#moved')
    await looksRight(moved)
    saved.mockRestore()
    await unmountAll()
    setLanguage('en')
    const erased = await running('#consent-hire')
    fill(erased.app, '#erase-word', 'ERASE')
    await click(erased.app, '#erase:enabled')
    await shown(erased.app, '#erased')
    await looksRight(erased)
  })
})
