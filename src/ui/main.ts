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
import { CONSENT_KEY, ConsentStore } from './consent.ts'
import { parseQuery } from './query.ts'
import { page, tokens } from './styles.ts'
import { whyUnsupported } from './support.ts'
import { language } from './texts/index.ts'

declare global {
  interface Window {
    swarmharness?: SwarmCore
  }
}

for (const { styleSheet } of [tokens, page]) {
  if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet)
}
document.documentElement.lang = language

const app = new SwarmApp()
app.init = {
  load: async () => {
    const [swarm] = await Promise.all([import('../core.ts'), import('./live.ts')])
    return swarm
  },
  consents: new ConsentStore(() => localStorage),
  locks: navigator.locks,
  keepStorage: async () => navigator.storage.persist(),
  query: parseQuery(location.search),
  publish: (swarm) => {
    if (swarm === undefined) delete window.swarmharness
    else window.swarmharness = swarm
  },
  reload: () => location.reload(),
  unsupported: whyUnsupported(window)
}
document.body.append(app)

// Not on `visibilitychange`: a hidden tab goes on computing.
addEventListener('pagehide', () => app.leave())
// A page that comes back from the back/forward cache has a stopped node: start from the record again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
addEventListener('storage', (event) => {
  const forgotten = event.key === null || (event.key === CONSENT_KEY && event.newValue === null)
  if (forgotten) void app.withdraw()
})
