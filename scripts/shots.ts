/** Pictures of the page for README and docs: `npm run shots`. Every view, phone and wide, and the states of each. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, preview } from 'vite'
import { CHROMIUM_FLAGS } from './chromium-flags.ts'
import { findChromium } from './find-chromium.mjs'
import { smallPng } from './shots/small-png.ts'
import { slimLibraries } from './slim-bundle.ts'

const ROOT = join(import.meta.dirname, '..')
const SHOTS = join(ROOT, 'docs', 'shots')
const START = new Date('2026-05-30T14:00:00Z')
/** How long the scene lives before it is taken: the plots show that much. */
const LIFE_MS = 300_000
/** Then the peers have found their places in the picture of the swarm. */
const MOVES_MS = 2_000
const TOTAL_MAX = 1_500_000

const PHONE = { width: 390, height: 844 }
const VIEWS = ['contribute', 'see', 'hire', 'own'] as const

interface Shot {
  readonly name: string
  readonly scene: string
  readonly lang: 'en' | 'zh'
  readonly theme: 'light' | 'dark'
  readonly size: { readonly width: number; readonly height: number }
  /** The tab that is shown; on a wide screen all are. */
  readonly view?: (typeof VIEWS)[number]
  /** The whole page, not only the screen. */
  readonly whole?: boolean
  /** What is scrolled to. */
  readonly at?: string
}

const phone = (scene: string, lang: Shot['lang'], theme: Shot['theme'], view?: Shot['view']): Shot => ({
  name: `phone-${view ?? scene}-${lang}-${theme}`,
  scene,
  lang,
  theme,
  size: PHONE,
  whole: true,
  ...(view === undefined ? {} : { view })
})

/** Where there is most to see of a state. */
const PLACES: Readonly<Record<string, string>> = {
  'reading-see': '#plots',
  'reading-hire': '#quote',
  'empty-see': '#plots',
  'error-see': '#log',
  'error-hire': '#job-form',
  'crowded-hire': '#job',
  'crowded-own': '#own'
}

const state = (scene: string, view: (typeof VIEWS)[number]): Shot => {
  const at = PLACES[`${scene}-${view}`]
  return {
    name: `state-${scene}-${view}`,
    scene,
    lang: 'en',
    theme: 'light',
    size: PHONE,
    view,
    ...(at === undefined ? {} : { at })
  }
}

const SHOT_LIST: readonly Shot[] = [
  ...(['light', 'dark'] as const).flatMap((theme) =>
    (['en', 'zh'] as const).flatMap((lang): Shot[] => [
      { name: `wide-${lang}-${theme}`, scene: 'busy', lang, theme, size: { width: 1280, height: 1400 } },
      {
        name: `wide-consent-${lang}-${theme}`,
        scene: 'consent',
        lang,
        theme,
        size: { width: 1280, height: 860 }
      }
    ])
  ),
  { name: 'widest-en-light', scene: 'busy', lang: 'en', theme: 'light', size: { width: 1760, height: 1200 } },
  ...([undefined, ...VIEWS] as const).flatMap((view) => [
    phone(view === undefined ? 'consent' : 'busy', 'en', 'light', view),
    phone(view === undefined ? 'consent' : 'busy', 'zh', 'dark', view)
  ]),
  { name: 'state-loading-contribute', scene: 'loading', lang: 'en', theme: 'light', size: PHONE },
  ...(['see', 'hire', 'own'] as const).map((view) => ({
    ...state('reading', view),
    name: `state-loading-${view}`
  })),
  ...(['empty', 'error', 'crowded'] as const).flatMap((scene) => VIEWS.map((view) => state(scene, view)))
]

/** Without one the Chinese pictures are full of boxes. */
function refuseWithoutChineseFont(): void {
  const { status, stdout } = spawnSync('fc-list', [':lang=zh'], { encoding: 'utf8' })
  if (status === 0 && stdout.trim() === '') {
    throw new Error('There is no Chinese font here: install one, such as Debian’s fonts-wqy-microhei.')
  }
}

async function main(wanted: readonly string[]): Promise<void> {
  refuseWithoutChineseFont()
  const folder = mkdtempSync(join(tmpdir(), 'shots-'))
  const executablePath = findChromium()
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    publicDir: false,
    plugins: slimLibraries(),
    worker: { format: 'es', plugins: slimLibraries },
    build: {
      target: 'es2022',
      outDir: folder,
      rolldownOptions: { input: join(ROOT, 'scripts/shots/stage.html') }
    }
  })
  const server = await preview({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    preview: { host: '127.0.0.1', port: 0 },
    build: { outDir: folder }
  })
  const browser = await chromium.launch({
    args: [...CHROMIUM_FLAGS],
    ...(executablePath === undefined ? {} : { executablePath })
  })
  try {
    const address = server.httpServer.address()
    if (address === null || typeof address === 'string') throw new Error('The stage has no address.')
    mkdirSync(SHOTS, { recursive: true })
    const shots = SHOT_LIST.filter(
      ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part))
    )
    for (const shot of shots) {
      const png = await take(browser, `http://127.0.0.1:${address.port}/scripts/shots/stage.html`, shot)
      writeFileSync(join(SHOTS, `${shot.name}.png`), png)
      console.log(`${shot.name}.png, ${png.length} bytes`)
    }
    const total = SHOT_LIST.reduce(
      (sum, { name }) => sum + (statSync(join(SHOTS, `${name}.png`), { throwIfNoEntry: false })?.size ?? 0),
      0
    )
    console.log(`${total} bytes in all`)
    if (total > TOTAL_MAX) throw new Error(`The pictures take ${total} bytes; at most ${TOTAL_MAX}.`)
  } finally {
    await browser.close()
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

async function take(browser: Browser, url: string, shot: Shot): Promise<Uint8Array> {
  const { scene, lang, theme, size, view } = shot
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: lang === 'zh' ? 'zh-CN' : 'en-GB'
  })
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => {
      throw error
    })
    await page.clock.install({ time: START })
    await page.goto(`${url}?scene=${scene}&lang=${lang}`)
    await page.evaluate(() => window.staged)
    const lives = scene !== 'loading' && scene !== 'reading'
    if (lives) await page.clock.runFor(LIFE_MS)
    if (view !== undefined && size.width < 896) await page.locator(`#tab-${view}`).click()
    if (shot.at !== undefined) await page.locator(shot.at).evaluate((element) => element.scrollIntoView())
    if (shot.whole === true) {
      const height = await page.evaluate(() => document.documentElement.scrollHeight)
      await page.setViewportSize({ ...size, height })
      await page.screenshot() // what a box that scrolls had below the screen is painted by the next one
    }
    if (lives) {
      await page.screenshot() // what is seen now begins to move
      await page.clock.runFor(MOVES_MS)
    }
    await settle(page)
    return smallPng(await page.screenshot({ animations: 'disabled', caret: 'hide' }))
  } finally {
    await context.close()
  }
}

/** Two frames: what has changed is drawn. */
async function settle(page: Page): Promise<void> {
  await page.clock.runFor(100)
  await page.evaluate(() => document.fonts.ready)
}

await main(process.argv.slice(2))
