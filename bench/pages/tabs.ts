import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { build, loadConfigFromFile, mergeConfig, type PluginOption } from 'vite'
import { createRelay } from '../../relay/index.ts'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export interface TwoTabs {
  /** Calls; has dialled the other. */
  readonly requester: Page
  readonly provider: Page
}

/** Two isolated tabs on a page of the benches' own, built for the occasion, directly connected. */
export function withTwoTabs<T>(
  measure: (tabs: TwoTabs) => Promise<T>,
  log: (text: string) => void
): Promise<T> {
  return withTabs({ count: 2, log }, async ([requester, provider], relays) => {
    if (requester === undefined || provider === undefined) {
      throw new Error('There are no two tabs.')
    }
    const [caller, called] = await Promise.all(
      [requester, provider].map((page) => page.evaluate((list) => window.peer?.start(list), relays))
    )
    log('connecting')
    await requester.evaluate((to) => window.peer?.connect(to ?? ''), called)
    await provider.evaluate((to) => window.peer?.connect(to ?? ''), caller)
    return measure({ requester, provider })
  })
}

/** Isolated tabs on that page, with `window.peer` there and not started, and the addresses of a relay. */
export async function withTabs<T>(
  { count, log }: { readonly count: number; readonly log: (text: string) => void },
  measure: (tabs: readonly Page[], relays: string[]) => Promise<T>
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-bench-'))
  try {
    log('building the page')
    await buildPage(folder, join(ROOT, 'bench', 'pages'), 'peer.html')
    const network = await networkOf(NETWORKS.local)
    const relay = await createRelay({ network, staticFolder: folder })
    const browser = await launchChromium()
    try {
      const tabs = await Promise.all(
        Array.from({ length: count }, async () => {
          const context = await browser.newContext()
          const page = await context.newPage()
          page.on('pageerror', (error) => log(`page error: ${error.message}`))
          await page.goto(`${relay.origin}/peer.html`)
          await page.waitForFunction(() => window.peer !== undefined)
          return page
        })
      )
      return await measure(tabs, [...relay.multiaddrs])
    } finally {
      await browser.close()
      await relay.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Plugins that know the product's own skills only: a bench may have one of its own. */
const OF_OWN_SKILLS = ['kernel-hashes', 'kernels-in-workers-only']

/** As the product's page is built: the same libraries, minified in the same way. */
export async function buildPage(outDir: string, root: string, page: string): Promise<void> {
  const env = { command: 'build', mode: 'production' } as const
  const product = await loadConfigFromFile(env, join(ROOT, 'vite.config.ts'))
  await build(
    mergeConfig(
      { ...product?.config, plugins: product?.config.plugins?.filter(isForAll) },
      {
        configFile: false,
        root,
        publicDir: false,
        logLevel: 'error',
        build: {
          target: 'es2022',
          outDir,
          emptyOutDir: true,
          rolldownOptions: { input: join(root, page) }
        }
      }
    )
  )
}

const isForAll = (plugin: PluginOption) =>
  !(plugin && 'name' in plugin && OF_OWN_SKILLS.includes(plugin.name))
