import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type InlineConfig, parseAst } from 'vite'
import { treeshake } from '../../vite.config.ts'
import { slimLibraries } from '../slim-bundle.ts'

/** `npm run package`: out/package, the folder that is published: compiled ES modules for Node and browsers, and types. */

const ROOT = join(import.meta.dirname, '..', '..')
export const PACKAGE = join(ROOT, 'out', 'package')

/** By the name after the package's own; `index` is that without one. */
export const ENTRIES: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  testing: 'src/testing.ts',
  skills: 'src/own-skills.ts',
  registry: 'src/registry/index.ts',
  router: 'src/router/index.ts',
  credit: 'src/credit/index.ts'
}

/** Brings React Native to whoever installs it (overrides do not travel): bundled. The others are the page's alone. */
const BUNDLED = ['@libp2p/webrtc', 'd3-force', 'lit', 'uplot']
/** Where it is there, and a driver is, Dawn computes. */
const OPTIONAL = { webgpu: '*' }
const NODE = '>=22.12'

interface Manifest {
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = (): Manifest => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) // our own

const packageOf = (id: string) => /^(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? id

/** Builds the folder anew. */
export async function buildPackage(): Promise<void> {
  rmSync(PACKAGE, { recursive: true, force: true })
  mkdirSync(join(PACKAGE, 'bin'), { recursive: true })
  const { dependencies } = manifest()
  const published = new Set(Object.keys(dependencies).filter((name) => !BUNDLED.includes(name)))
  const isExternal = (id: string) =>
    id.startsWith('node:') ||
    builtinModules.includes(id) ||
    published.has(packageOf(id)) ||
    packageOf(id) in OPTIONAL
  await build(nodeBuild(isExternal))
  await build(browserBuild(isExternal))
  writeTypes()
  guardNode()
  for (const file of ['LICENSE', 'CHANGELOG.md', 'THIRD_PARTY.md']) {
    copyFileSync(join(ROOT, file), join(PACKAGE, file))
  }
  copyFileSync(join(ROOT, 'docs', 'PACKAGE.md'), join(PACKAGE, 'README.md'))
  writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(packageJson(), undefined, 2)}\n`)
}

const inputs = (entries: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(ROOT, path)]))

const common = (out: string): InlineConfig => ({
  configFile: false,
  root: ROOT,
  logLevel: 'warn',
  publicDir: false,
  plugins: slimLibraries(),
  build: {
    outDir: join(PACKAGE, out),
    emptyOutDir: false,
    minify: false,
    sourcemap: false,
    modulePreload: false,
    chunkSizeWarningLimit: 4_000
  }
})

const output = {
  format: 'es' as const,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk-[name]-[hash].js',
  // apart from the node and all that it brings, so that whoever wants only these gets only these
  codeSplitting: {
    groups: [
      { name: 'skills', test: /[/]src[/]swarm[/]sdk[/]skills[.]ts$/ },
      { name: 'errors', test: /[/]src[/]wire[/]errors[.]ts$/ },
      { name: 'files', test: /[/]src[/]wire[/](ledger|identity)-file[.]ts$/ }
    ]
  }
}

function nodeBuild(isExternal: (id: string) => boolean): InlineConfig {
  const base = common('node')
  return {
    ...base,
    resolve: { alias: { '#compute-platform': join(ROOT, 'src/compute/platform.package.ts') } },
    ssr: { noExternal: true, target: 'node' },
    build: {
      ...base.build,
      ssr: true,
      target: 'node22',
      rolldownOptions: {
        treeshake,
        input: inputs({ ...ENTRIES, cli: 'src/cli/main.ts', 'compute-worker': 'workers/compute.node.ts' }),
        external: isExternal,
        preserveEntrySignatures: 'strict',
        output
      }
    }
  }
}

function browserBuild(isExternal: (id: string) => boolean): InlineConfig {
  const base = common('browser')
  return {
    ...base,
    resolve: { alias: { '#compute-platform': join(ROOT, 'src/compute/platform.inline.ts') } },
    worker: { format: 'es', plugins: slimLibraries, rolldownOptions: { treeshake } },
    build: {
      ...base.build,
      target: 'es2022',
      rolldownOptions: {
        treeshake,
        input: inputs(ENTRIES),
        external: isExternal,
        preserveEntrySignatures: 'strict',
        output
      }
    }
  }
}

function writeTypes(): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const done = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.package.json'), '--noCheck'], {
    stdio: ['ignore', 2, 2]
  })
  if (done.status !== 0) {
    throw new Error('The types could not be written: see above.')
  }
  for (const path of globSync('types/**/*.d.ts', { cwd: PACKAGE })) {
    const text = readFileSync(join(PACKAGE, path), 'utf8')
    // the compiler rewrites extensions in code alone
    writeFileSync(join(PACKAGE, path), text.replace(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2'))
  }
}

const TOO_OLD = `const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  const old = \`swarmharness needs Node 22.12 or newer, and this is Node \${process.versions.node}: install a newer one (https://nodejs.org).\``

/** On an older Node, one sentence instead of whatever breaks first. */
function guardNode(): void {
  writeFileSync(join(PACKAGE, 'node', 'check-node.js'), `${TOO_OLD}\n  throw new Error(old)\n}\n`)
  for (const name of Object.keys(ENTRIES)) {
    const path = join(PACKAGE, 'node', `${name}.js`)
    writeFileSync(path, `import './check-node.js'\n${readFileSync(path, 'utf8')}`)
  }
  const bin = join(PACKAGE, 'bin', 'swarmharness.js')
  writeFileSync(
    bin,
    `#!/usr/bin/env node\n${TOO_OLD}\n  console.error(old)\n  process.exit(1)\n}\nconst { run } = await import('../node/cli.js')\nprocess.exit(await run(process.argv.slice(2)))\n`
  )
  chmodSync(bin, 0o755)
}

function packageJson(): object {
  const { version, description, license, dependencies } = manifest()
  const used = importedPackages()
  const conditions = (name: string, types: string) => ({
    types: `./types/${types.replace(/\.ts$/, '.d.ts')}`,
    browser: `./browser/${name}.js`,
    default: `./node/${name}.js`
  })
  return {
    name: 'swarmharness',
    version,
    description,
    license,
    keywords: ['libp2p', 'webgpu', 'webrtc', 'distributed-computing', 'peer-to-peer', 'browser'],
    type: 'module',
    engines: { node: NODE },
    sideEffects: ['./node/check-node.js'],
    exports: Object.fromEntries([
      ...Object.entries(ENTRIES).map(([name, path]) => [
        name === 'index' ? '.' : `./${name}`,
        conditions(name, path)
      ]),
      ['./package.json', './package.json']
    ]),
    imports: Object.fromEntries(
      Object.entries({
        net: 'src/net/platform.node',
        store: 'src/store/platform.node',
        compute: 'src/compute/platform.node',
        worker: 'workers/serve.node'
      }).map(([part, path]) => [`#${part}-platform`, { types: `./types/${path}.d.ts`, default: null }])
    ),
    bin: { swarmharness: './bin/swarmharness.js' },
    files: ['bin', 'browser', 'node', 'types', 'CHANGELOG.md', 'THIRD_PARTY.md'],
    dependencies: Object.fromEntries(Object.entries(dependencies).filter(([name]) => used.has(name))),
    peerDependencies: OPTIONAL,
    peerDependenciesMeta: Object.fromEntries(Object.keys(OPTIONAL).map((name) => [name, { optional: true }]))
  }
}

/** What the built modules, and their types, name. */
function importedPackages(): Set<string> {
  const found = new Set<string>()
  for (const path of globSync('{node,browser}/**/*.js', { cwd: PACKAGE })) {
    for (const id of importsOf(readFileSync(join(PACKAGE, path), 'utf8'))) {
      found.add(packageOf(id))
    }
  }
  for (const path of globSync('types/**/*.d.ts', { cwd: PACKAGE })) {
    const text = readFileSync(join(PACKAGE, path), 'utf8')
    for (const [, id = ''] of text.matchAll(/(?:from|import\()\s*['"]([^'".#][^'"]*)['"]/g)) {
      found.add(packageOf(id))
    }
  }
  return found
}

function importsOf(text: string): string[] {
  const dynamic = [...text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)].map(([, id]) => id ?? '')
  const fixed = parseAst(text).body.flatMap((node) =>
    'source' in node && typeof node.source?.value === 'string' ? [node.source.value] : []
  )
  return [...fixed, ...dynamic].filter((id) => !id.startsWith('.'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildPackage()
}
