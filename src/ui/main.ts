/**
 * The entry of the page. Before consent it loads Lit and these components, reads one record and starts nothing;
 * `../core.ts` (libp2p, kernels, ledger) is a chunk of its own that a consent loads.
 *
 * For the console, the demo and the tests: `window.swarmharness` is the running `Swarm`; the ids and `data-`
 * attributes of the components (`#consent-start`, `#state[data-state]`, `#balance-settled[data-microcredits]`,
 * `#job[data-state]`, `#job-receipt[data-paid]`, …) are kept stable.
 */

import type { SwarmCore } from '../api.ts'
import { SwarmApp } from './app.ts'
import { browserData } from './browser-data.ts'
import { watchConditions } from './conditions.ts'
import { CONSENT_KEY, ConsentStore } from './consent.ts'
import { RulesStore } from './contributor.ts'
import { offlineCopy } from './offline-copy.ts'
import { parseQuery } from './query.ts'
import { page, tokens } from './styles.ts'
import { whyUnsupported } from './support.ts'
import { language, onLanguage, setLanguage } from './texts/index.ts'

declare global {
  interface Window {
    swarmharness?: SwarmCore
  }
}

for (const { styleSheet } of [tokens, page]) {
  if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet)
}
const query = parseQuery(location.search)
if (query.options.lang !== undefined) setLanguage(query.options.lang)
document.documentElement.lang = language
// The address keeps the choice: before consent nothing may be stored.
onLanguage(() => {
  document.documentElement.lang = language
  const address = new URL(location.href)
  address.searchParams.set('lang', language)
  history.replaceState(history.state, '', address)
})

const app = new SwarmApp()
app.init = {
  load: async () => {
    const [swarm] = await Promise.all([import('../core.ts'), import('./live.ts')])
    return swarm
  },
  consents: new ConsentStore(() => localStorage),
  rules: new RulesStore(() => localStorage),
  watch: (changed) => watchConditions(window, changed),
  locks: navigator.locks,
  keepStorage: async () => navigator.storage.persist(),
  isKept: async () => navigator.storage.persisted(),
  data: browserData(window),
  offline: offlineCopy(window, () => location.reload()),
  isOnline: () => navigator.onLine,
  hostTime: async () => {
    const { headers } = await fetch('/relay.json', { method: 'HEAD', cache: 'no-store' })
    const date = headers.get('date')
    return date === null ? undefined : Date.parse(date)
  },
  query,
  publish: (swarm) => {
    if (swarm === undefined) delete window.swarmharness
    else window.swarmharness = swarm
  },
  reload: () => location.reload(),
  unsupported: () => whyUnsupported(window)
}
document.body.append(app)

// Not on `visibilitychange`: a hidden tab goes on computing.
addEventListener('pagehide', () => app.leave())
// A page that comes back from the back/forward cache has a stopped node: start from the record again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
addEventListener('online', () => app.online())
addEventListener('beforeunload', (event) => {
  if (app.holdsFile) event.preventDefault()
})
// Another tab has changed over to a new version: what this one would load next is gone.
navigator.serviceWorker?.addEventListener('controllerchange', () => {
  if (!app.isAtWork) location.reload()
})
addEventListener('storage', (event) => {
  const forgotten = event.key === null || (event.key === CONSENT_KEY && event.newValue === null)
  if (forgotten) void app.withdraw()
})
