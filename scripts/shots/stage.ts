/**
 * The page with a swarm that is made up: `?scene=…`. `npm run shots` opens it; the pictures are the same each time,
 * since the clock is the script's, and nothing here is random.
 */
import type { SwarmStatus } from '../../src/api.ts'
import { OwnPanel } from '../../src/ui/own-panel.ts'
import { page, tokens } from '../../src/ui/styles.ts'
import { isLanguage, setLanguage } from '../../src/ui/texts/index.ts'
import { SwarmError } from '../../src/wire/index.ts'
import { click, fill, find, type Mounted, mount, running, shown } from '../../test/browser/ui/mount.ts'
import { FakeModule, ME, PEERS, RECEIPT, STATUS } from '../../test/fixtures/fake-swarm.ts'
import { crowd, escapeTimes, HOSTILE, ledgerRows, somePeers } from './made-up.ts'

declare global {
  interface Window {
    /** Resolves when the scene stands; time then still has to pass for the plots. */
    staged?: Promise<void>
  }
}

const HUGE = 1234567890123456789012345678901234567890n
const TICK_MS = 1_000

for (const { styleSheet } of [tokens, page]) {
  if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet)
}
const query = new URLSearchParams(location.search)
const lang = query.get('lang') ?? 'en'
if (isLanguage(lang)) setLanguage(lang)
document.documentElement.lang = lang
localStorage.clear()

const SCENES: Readonly<Record<string, () => Promise<void>>> = {
  consent: async () => {
    const { app } = mount()
    await shown(app, '#consent-start')
  },
  reading: async () => {
    const { app, swarm } = await running()
    swarm.quote = () => new Promise(() => {})
    const own = find(app, 'own-panel')
    if (own instanceof OwnPanel) own.reader = () => new Promise(() => {})
    await click(app, '#own > summary')
    await click(app, '#get-quote')
    await shown(app, '#quote')
  },
  loading: async () => {
    const module = new FakeModule()
    const { app } = mount({ module, init: { load: () => new Promise(() => {}) } })
    await click(app, '#consent-start')
    await shown(app, '#starting')
  },
  empty: async () => {
    const house = await running()
    readBooks(house, [])
    house.swarm.update({ state: 'offline' })
    for (const fold of ['own', 'log', 'learned']) await click(house.app, `#${fold} > summary`)
  },
  busy,
  error,
  crowded
}

/** An afternoon: a few peers, units served, one picture hired. */
async function busy(): Promise<void> {
  const house = await running()
  const { app, swarm } = house
  const peers = somePeers(7)
  const [relay, first, second, third] = peers
  if (relay === undefined || first === undefined || second === undefined || third === undefined) return
  swarm.picture = {
    skill: 'mandelbrot',
    requester: third.peer,
    output: escapeTimes(96, 72, -0.65, 0, 2.6)
  }
  let seconds = 0
  const live = () => {
    seconds++
    const units = Math.floor(seconds * 1.4 + 3 * Math.sin(seconds / 14))
    swarm.update({
      state: 'direct',
      peers: peers.map((peer, index) => ({
        ...peer,
        rttMs: Math.round(9 + 17 * index + 4 * Math.sin(seconds / 9 + index))
      })),
      device: { backend: 'webgpu', class: 'webgpu-amd' },
      balance: {
        settled: 10_000_000n + BigInt(Math.floor(seconds / 20) * 900_000),
        verified: BigInt((seconds % 20) * 45_000),
        pending: 120_000n,
        escrowed: 430_000n
      },
      work: {
        units,
        running: 3,
        verifiedUnits: units - 4,
        busyMs: seconds * 560 + 2_200 * Math.sin(seconds / 11),
        now: [{ skill: 'mandelbrot', requester: third.peer, units: 3 }]
      }
    })
  }
  live()
  setInterval(live, TICK_MS)
  readBooks(house, ledgerRows(40, [first.peer, second.peer]))
  await click(app, '#own > summary')
  await click(app, '#skill-mandelbrot')
  await click(app, '#run-sample')
  await shown(app, '#job')
  const [job] = swarm.submitted
  job?.emit({ type: 'queued', price: 430_000n, units: 24 })
  for (let unit = 0; unit < 24; unit++) {
    const provider = unit % 3 === 0 ? second.peer : first.peer
    job?.emit({ type: 'assigned', unit, provider })
    if (unit < 20)
      job?.emit({ type: 'verified', unit, provider }, { type: 'progress', done: unit + 1, of: 24 })
  }
  if (job !== undefined) job.soFar = { ...escapeTimes(320, 200, -0.65, 0, 3.2, 0.83) }
  job?.emit({ type: 'verified', unit: 20, provider: first.peer })
  await shown(app, '#job-picture')
}

/** Whatever can go wrong at once. */
async function error(): Promise<void> {
  const house = await running()
  const { app, swarm } = house
  swarm.update({ state: 'offline', contributing: true, device: { backend: 'cpu', class: 'cpu-2' } })
  swarm.failNext = new SwarmError('DEVICE_LOST', 'The device was lost. Run again.')
  await click(app, '#pause[aria-disabled="false"]')
  await shown(app, '#node-error')
  await click(app, '#run-sample')
  swarm.submitted[0]?.fail(
    new SwarmError('NO_PROVIDER', 'No provider for “matmul-i8” was found within 30 s. Try again later.')
  )
  await shown(app, '#job-error')
  fill(app, '#m', '0')
  await click(app, '#submit-job')
  const own = await shown(app, 'own-panel')
  if (own instanceof OwnPanel) {
    own.reader = () =>
      Promise.reject(new SwarmError('CORRUPT', 'The store is damaged: import an export of this ledger.'))
  }
  await click(app, '#own > summary')
  await shown(app, '#own-error')
  await click(app, '#log > summary')
  Object.defineProperty(navigator, 'clipboard', {
    value: { writeText: () => Promise.reject(new DOMException('The page may not copy.', 'NotAllowedError')) }
  })
  await click(app, '#copy-log')
  await shown(app, '#log-error')
}

/** 200 peers, a balance of 40 digits, strangers with hostile names, many jobs. */
async function crowded(): Promise<void> {
  const house = await running()
  const { app, swarm } = house
  const peers = crowd(200)
  const status: Partial<SwarmStatus> = {
    state: 'direct',
    peers,
    device: { backend: 'webgpu', class: 'webgpu-amd' },
    balance: { settled: HUGE, verified: HUGE / 7n, pending: 1n, escrowed: HUGE / 3n },
    work: {
      ...STATUS.work,
      units: 123_456,
      running: 64,
      verifiedUnits: 123_000,
      now: peers.slice(20, 32).map(({ peer }) => ({ skill: HOSTILE, requester: peer, units: 3 }))
    }
  }
  swarm.update(status)
  for (let index = 0; index < 20; index++) {
    await click(app, '#run-sample[aria-disabled="false"]')
    const job = swarm.submitted.at(-1)
    job?.emit({ type: 'queued', price: HUGE, units: 400 })
    for (let unit = 0; unit < 40; unit++) {
      job?.emit({ type: 'assigned', unit, provider: peers[(unit * 7) % 200]?.peer ?? ME })
    }
    if (index < 19)
      job?.succeed(
        { c: new Int32Array(1).fill(-2_147_483_648), m: 1, n: 1 },
        { ...RECEIPT, paid: HUGE, price: HUGE }
      )
    await shown(app, index < 19 ? '#job[data-state="done"]' : '#job[data-state="running"]')
  }
  readBooks(
    house,
    ledgerRows(
      300,
      peers.slice(0, 7).map(({ peer }) => peer)
    )
  )
  for (const fold of ['own', 'log']) await click(app, `#${fold} > summary`)
  await shown(app, '#records')
}

function readBooks({ app }: Mounted, rows: ReturnType<typeof ledgerRows>): void {
  const own = find(app, 'own-panel')
  if (!(own instanceof OwnPanel)) return
  own.reader = async () => ({
    readLedger: async () => rows,
    readEscrows: async () =>
      rows.length === 0
        ? []
        : [
            {
              id: 'bafy',
              at: 1_789_999_000_000,
              amount: 430_000n,
              payees: [{ peer: PEERS[1]?.peer ?? ME, max: 430_000n }],
              frees: 1_790_000_000_000
            }
          ],
    checkLedger: async () => undefined,
    encodeLedgerFile: () => new Uint8Array(),
    openLedgerFile: () => ({ network: 'local', peer: ME, records: [] })
  })
}

window.staged = SCENES[query.get('scene') ?? 'busy']?.()
