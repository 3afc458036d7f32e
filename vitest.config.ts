import { availableParallelism } from 'node:os'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { CHROMIUM_FLAGS } from './scripts/chromium-flags.ts'
import { findChromium } from './scripts/find-chromium.mjs'

/** Packages that tests in Chromium load, bundled before the run: found later, they would reload the page. */
const BROWSER_PACKAGES = [
  '@ipld/dag-cbor',
  '@libp2p/circuit-relay-v2',
  '@libp2p/crypto',
  '@libp2p/crypto/keys',
  '@libp2p/identify',
  '@libp2p/interface',
  '@libp2p/kad-dht',
  '@libp2p/logger',
  '@libp2p/noise',
  '@libp2p/peer-id',
  '@libp2p/ping',
  '@libp2p/utils',
  '@libp2p/webrtc',
  '@libp2p/websockets',
  '@libp2p/yamux',
  '@multiformats/multiaddr',
  'axe-core',
  'comlink',
  'd3-force',
  'fast-check',
  'idb',
  'libp2p',
  'lit',
  'multiformats/cid',
  'multiformats/hashes/digest',
  'uint8arrays/concat',
  'uint8arrays/equals',
  'uint8arrays/from-string',
  'uplot',
  'zod/mini'
]

/** Whole Chromium profiles, copied and started again: eight starts of Chromium, half a minute on two busy cores; attacks on tabs: two; a second Firefox. */
const NIGHTLY_ONLY = [
  'test/e2e/profiles.test.ts',
  'test/e2e/silent.test.ts',
  'test/e2e/sleep.test.ts',
  'test/e2e/attacks.test.ts',
  'test/e2e/firefox-tabs.test.ts'
]

const nightly = Boolean(process.env.NIGHTLY)
/** Runs of each fast-check property that does not say how many it needs. */
const propertyRuns = nightly ? 500 : 50
/** Tests of whole nodes share two cores with others: one that fails is tried once more, and then named as unsteady. */
const retry = nightly ? 0 : 1
/** The long form of the tests also gets longer time limits. */
const patience = nightly ? 30 : 1

export default defineConfig({
  test: {
    // by default vitest leaves a core free: half of the machine, where there are two
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['test/property-runs.setup.ts'],
          provide: { propertyRuns },
          environment: 'node',
          include: ['test/unit/**/*.test.ts'],
          retry,
          testTimeout: 20_000 * patience,
          hookTimeout: 30_000,
          // its tests of nodes and jobs wait more than they compute
          maxWorkers: Math.ceil(availableParallelism() * 1.5)
        }
      },
      {
        optimizeDeps: { include: BROWSER_PACKAGES },
        test: {
          name: 'browser',
          setupFiles: ['test/property-runs.setup.ts'],
          provide: { propertyRuns },
          include: ['test/browser/**/*.test.ts'],
          retry,
          testTimeout: 30_000 * patience,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            api: { host: '127.0.0.1' },
            provider: playwright({
              launchOptions: { executablePath: findChromium(), args: [...CHROMIUM_FLAGS] }
            }),
            // wide: all views of the page side by side; tests of the narrow one say so
            instances: [{ browser: 'chromium', viewport: { width: 1280, height: 800 } }]
          }
        }
      },
      {
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/e2e/**/*.test.ts'],
          exclude: nightly ? [] : NIGHTLY_ONLY,
          globalSetup: ['test/e2e/build.setup.ts'],
          fileParallelism: false,
          retry,
          testTimeout: 180_000 * patience,
          hookTimeout: 120_000
        }
      }
    ]
  }
})
