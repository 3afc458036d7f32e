import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const TARGET = 'es2022'

/** The page. What consent loads is in chunks of its own, which the html neither names nor preloads. */
const app: UserConfig = {
  worker: { format: 'es' },
  build: {
    target: TARGET,
    outDir: 'dist',
    modulePreload: false,
    sourcemap: false,
    chunkSizeWarningLimit: 1_500
  }
}

/** `npm run build` runs this second: one ES module with the worker inside, to be imported from any site. */
const sdk: UserConfig = {
  worker: { format: 'es' },
  resolve: { alias: { '#compute-platform': here('src/compute/platform.inline.ts') } },
  publicDir: false,
  build: {
    target: TARGET,
    outDir: 'dist/sdk',
    modulePreload: false,
    sourcemap: false,
    chunkSizeWarningLimit: 2_500,
    rolldownOptions: {
      input: here('src/index.ts'),
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'swarmharness.js', codeSplitting: false }
    }
  }
}

export default defineConfig(({ mode }) => (mode === 'sdk' ? sdk : app))
