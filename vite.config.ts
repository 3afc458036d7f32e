import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { minify } from 'terser'
import { defineConfig, type Plugin, type UserConfig } from 'vite'
import { quietLibraries, shortTemplates, slimLibraries } from './scripts/slim-bundle.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const TARGET = 'es2022'

/** Constants in the place of their names: 1 kB gzip. */
const optimization = { inlineConst: { mode: 'all', pass: 3 } } as const

/**
 * These do nothing by being imported: what is not used of them stays out, such as `wire/`'s keys and curves of the compute
 * worker. Nor does anything by being read. 0.8 kB gzip.
 */
export const treeshake = {
  moduleSideEffects: [
    {
      test: /\/(src\/(compute|credit|jobs|registry|router|skills|store|swarm|trust|wire)|node_modules\/cborg)\//,
      sideEffects: false
    }
  ],
  propertyReadSideEffects: false as const
}

/** Of the other skills the requester compares results itself, by what stands in `verify.ts` too. */
const KERNEL_CODE =
  /\/src\/skills\/([^/]+\/(cpu|gpu|simd|verify-simd|wasm)|(knn-i8|mandelbrot|matmul-i8)\/verify)\.ts$/
const KERNEL_HASH = /\/src\/skills\/kernel-hash\.ts$/

/** The hashes of the kernels are worked out now, not in every tab: a worker needs no codec for them, 10 kB gzip. */
function kernelHashes(): Plugin {
  return {
    name: 'kernel-hashes',
    enforce: 'pre',
    async load(id) {
      if (!KERNEL_HASH.test(id)) return null
      const { SKILLS, kernelHash } = await import('./src/skills/index.ts')
      const hashes = [...SKILLS].map(
        async ([name, skill]) => [name, Buffer.from(await kernelHash(skill)).toString('hex')] as const
      )
      return `const HASHES = ${JSON.stringify(Object.fromEntries(await Promise.all(hashes)))}
export const kernelHash = async ({ manifest: { name } }) => {
  if (!Object.hasOwn(HASHES, name)) throw new TypeError('This build knows its own skills alone: bundle the package.')
  return Uint8Array.from(HASHES[name].match(/../g), (byte) => Number.parseInt(byte, 16))
}`
    }
  }
}

/**
 * A worker plans nothing but the samples that skills bring themselves, and units come to it checked: it needs no schema
 * of inputs, 7 kB gzip. For bundles of workers only: this one accepts all.
 */
function noSchemas(): Plugin {
  const ID = '\0no-schemas'
  return {
    name: 'no-schemas',
    enforce: 'pre',
    resolveId: (id) => (id === 'zod/mini' ? ID : null),
    async load(id) {
      if (id !== ID) return null
      const names = Object.keys(await import('zod/mini')).filter((name) => /^[a-z]\w*$/i.test(name))
      return `const schema = { check: () => schema, safeParse: (data) => ({ success: true, data }) }
const make = () => schema
export { ${names.map((name) => `make as ${name}`).join(', ')} }`
    }
  }
}

/**
 * Units are computed and checked in workers, which have bundles of their own: beside them the page plans units and puts
 * their results together. So it gets no kernels, 14 kB gzip; their hashes it has from `kernelHashes`.
 */
function kernelsInWorkersOnly(): Plugin {
  return {
    name: 'kernels-in-workers-only',
    enforce: 'pre',
    load: (id) => (KERNEL_CODE.test(id) ? withoutKernels(id) : null)
  }
}

/** The same exports: no variants, and functions that refuse. */
function withoutKernels(id: string): string {
  const text = readFileSync(id, 'utf8')
  const names = [...text.matchAll(/^export (?:(?:async )?function\*?|class|const) (\w+)/gm)].map(
    ([, name = '']) => name
  )
  const isOther = /^export (?!interface |type |class |(?:async )?function|const VARIANTS\b|const \w+ = \()/m
  if (isOther.test(text)) throw new Error(`${id} exports more than functions: the page would miss it.`)
  return `function inWorkersOnly() { throw new TypeError('Kernels run in workers only.') }
${names.map((name) => `export const ${name} = ${name === 'VARIANTS' ? '[]' : 'inWorkersOnly'}`).join('\n')}`
}

/** Before Vite's own minifier, which leaves what Terser finds, and the other way round: 6 kB gzip, for some 15 s. */
const terser = (): Plugin => ({
  name: 'terser',
  apply: 'build',
  async renderChunk(given) {
    const { code = given } = await minify(given, { module: true, ecma: 2020, mangle: false })
    return { code, map: null }
  }
})

const SERVICE_WORKER = 'service-worker.js'

/** Tells the service worker which files there are, and names their version by what is in them. */
function offlineFiles(): Plugin {
  return {
    name: 'offline-files',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle[SERVICE_WORKER]
        if (worker?.type !== 'chunk') return
        const hash = createHash('sha256').update(worker.code)
        const built = Object.values(bundle).filter((file) => file !== worker)
        for (const file of built) {
          hash.update(`${file.fileName}\0`).update(file.type === 'chunk' ? file.code : file.source)
        }
        const shared = readdirSync(here('public')).filter((name) => !/\.(txt|png)$/.test(name))
        for (const name of shared) hash.update(`${name}\0`).update(readFileSync(here(`public/${name}`)))
        const names = [...built.map(({ fileName }) => fileName), ...shared].sort()
        const files = names.map((name) => (name === 'index.html' ? './' : name))
        const offline = { version: hash.digest('hex').slice(0, 12), files }
        worker.code = worker.code.replace(/\bOFFLINE\b/, () => JSON.stringify(offline))
      }
    }
  }
}

/** Beside the page, which nobody has to load it for: the licences of all that is in it, and in the SDK, want to go with it. */
const thirdParty = (): Plugin => ({
  name: 'third-party',
  apply: 'build',
  writeBundle({ dir = here('dist') }) {
    copyFileSync(here('THIRD_PARTY.md'), join(dir, 'third-party.txt'))
  }
})

const workerPlugins = () => [...slimLibraries(), kernelHashes(), noSchemas(), terser()]

/** The page. What consent loads is in chunks of its own, which the html neither names nor preloads. */
const app: UserConfig = {
  plugins: [
    ...slimLibraries(),
    ...quietLibraries(),
    kernelHashes(),
    kernelsInWorkersOnly(),
    shortTemplates(),
    terser(),
    offlineFiles(),
    thirdParty()
  ],
  worker: {
    format: 'es',
    plugins: workerPlugins,
    rolldownOptions: { optimization, treeshake, output: { comments: false } }
  },
  build: {
    target: TARGET,
    outDir: 'dist',
    modulePreload: false,
    sourcemap: false,
    chunkSizeWarningLimit: 1_500,
    rolldownOptions: {
      optimization,
      treeshake,
      input: { index: here('index.html'), 'service-worker': here('workers/service-worker.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js')
      }
    }
  }
}

/** `npm run build` runs this second: one ES module with the worker inside, to be imported from any site. */
const sdk: UserConfig = {
  plugins: [...slimLibraries(), kernelHashes(), kernelsInWorkersOnly()],
  worker: { format: 'es', plugins: workerPlugins, rolldownOptions: { optimization, treeshake } },
  resolve: { alias: { '#compute-platform': here('src/compute/platform.inline.ts') } },
  publicDir: false,
  build: {
    target: TARGET,
    outDir: 'dist/sdk',
    modulePreload: false,
    sourcemap: false,
    chunkSizeWarningLimit: 2_500,
    rolldownOptions: {
      optimization,
      treeshake,
      input: here('src/index.ts'),
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'swarmharness.js', codeSplitting: false }
    }
  }
}

export default defineConfig(({ mode }) => (mode === 'sdk' ? sdk : app))
