import { type AppInit, SwarmApp } from '../../../src/ui/app.ts'
import { CONSENT_KEY, ConsentStore } from '../../../src/ui/consent.ts'
import { RulesStore } from '../../../src/ui/contributor.ts'
import '../../../src/ui/live.ts'
import type { Conditions } from '../../../src/ui/pause-rules.ts'
import { PLANE_KEY } from '../../../src/ui/plane-book.ts'
import { parseQuery } from '../../../src/ui/query.ts'
import { FakeModule, type FakeSwarm } from '../../fixtures/fake-swarm.ts'

export interface Mounted {
  readonly app: SwarmApp
  readonly module: FakeModule
  readonly swarm: FakeSwarm
  readonly published: Array<unknown>
  readonly reloads: () => number
  /** Changes what the device tells. */
  readonly tell: (change: Partial<Conditions>) => void
}

const mounted: SwarmApp[] = []

/** The app on the page, with a swarm that the test drives. */
export function mount(
  options: { search?: string; module?: FakeModule; init?: Partial<AppInit> } = {}
): Mounted {
  const module = options.module ?? new FakeModule()
  const published: unknown[] = []
  let reloads = 0
  let now: Conditions = { battery: undefined, metered: undefined, hot: undefined, idleMs: 1e9, hour: 12 }
  const heard = new Set<() => void>()
  const app = new SwarmApp()
  app.init = {
    load: module.load,
    consents: new ConsentStore(() => localStorage),
    rules: new RulesStore(() => localStorage),
    watch: (changed) => {
      heard.add(changed)
      return {
        get now() {
          return now
        },
        stop: () => heard.delete(changed)
      }
    },
    locks: navigator.locks,
    query: parseQuery(options.search ?? ''),
    publish: (swarm) => published.push(swarm),
    reload: () => reloads++,
    keepStorage: async () => true,
    isKept: async () => true,
    data: { eraseNode: async () => {}, eraseAll: async () => {} },
    offline: { keep: () => {}, drop: async () => {} },
    isOnline: () => true,
    hostTime: async () => undefined,
    unsupported: () => undefined,
    ...options.init
  }
  document.body.append(app)
  mounted.push(app)
  const tell = (change: Partial<Conditions>) => {
    now = { ...now, ...change }
    for (const changed of heard) changed()
  }
  return { app, module, swarm: module.swarm, published, reloads: () => reloads, tell }
}

/** Ends every app of the test and forgets what it stored. */
export async function unmountAll(): Promise<void> {
  for (const app of mounted.splice(0)) {
    await app.withdraw()
    app.remove()
  }
  for (const key of [CONSENT_KEY, PLANE_KEY]) localStorage.removeItem(key)
}

/** The first match below `root`, in any open shadow root too. */
export function find(root: ParentNode, selector: string): HTMLElement | undefined {
  const here = root.querySelector(selector)
  if (here instanceof HTMLElement) return here
  const hosts = root instanceof Element ? [root, ...root.querySelectorAll('*')] : root.querySelectorAll('*')
  for (const { shadowRoot } of hosts) {
    const inside = shadowRoot === null ? undefined : find(shadowRoot, selector)
    if (inside !== undefined) return inside
  }
  return undefined
}

/** Resolves when `selector` matches (and `accept` agrees), after the render that made it so. */
export async function shown(
  root: ParentNode,
  selector: string,
  accept: (element: HTMLElement) => boolean = () => true
): Promise<HTMLElement> {
  for (let frames = 0; frames < 1_200; frames++) {
    const element = find(root, selector)
    if (element !== undefined && accept(element)) return element
    await new Promise((resolve) => requestAnimationFrame(resolve))
  }
  throw new Error(`"${selector}" was not shown`)
}

export async function click(root: ParentNode, selector: string): Promise<void> {
  const element = await shown(root, selector)
  element.click()
}

/** Types into a field of the form as a user would see it there. */
export function fill(root: ParentNode, selector: string, value: string): void {
  const input = find(root, selector)
  if (!(input instanceof HTMLInputElement)) throw new Error(`"${selector}" is not an input`)
  input.value = value
  input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
}

export async function running(search = '', module = new FakeModule()): Promise<Mounted> {
  const page = mount({ search, module })
  await click(page.app, '#consent-start')
  await shown(page.app, '#state')
  await shown(page.app, 'own-panel') // the last part of it
  return page
}

export function textOf(element: Element): string {
  return (element.textContent ?? '').replace(/\s+/g, ' ').trim()
}
