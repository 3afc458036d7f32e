import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseAst } from 'vite'
import { buildPackage, PACKAGE } from '../scripts/package/build.ts'
import { packageClosure } from '../scripts/package/closure.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'

export const title =
  'Gzip bytes of the built page and of the SDK; packages and time that the package costs in Node'

const DIST = join(import.meta.dirname, '..', 'dist')
/** Bytes; 1 kB = 1,000 bytes. */
export const BEFORE_CONSENT_MAX = 40_000
export const TOTAL_MAX = 400_000

const PACKAGES_MAX = 200
/** Beyond what libp2p's own packages take. */
const IMPORT_MAX_MS = 300
const IMPORTS = 5

export async function run({ runs = IMPORTS, log }: BenchOptions): Promise<BenchResult> {
  if (!existsSync(join(DIST, 'index.html'))) {
    throw new Error('There is no built page in dist/: run `npm run build`.')
  }
  const { beforeConsent, total } = measurePage(DIST)
  const sdk = gzipSync(readFileSync(join(DIST, 'sdk', 'swarmharness.js')), { level: 9 }).length
  log('Building the package …')
  await buildPackage()
  const packages = packageClosure().length
  const imports = Array.from({ length: runs }, () => importMs())
  const importing = row('size.sdk-import', 'ms', imports)
  return {
    rows: [
      row('size.before-consent', 'bytes', [beforeConsent]),
      row('size.total', 'bytes', [total]),
      row('size.sdk', 'bytes', [sdk]),
      row('size.sdk-packages', 'packages', [packages]),
      importing
    ],
    ratios: [],
    failures: [
      ...(beforeConsent > BEFORE_CONSENT_MAX
        ? [`${beforeConsent} bytes before consent; at most ${BEFORE_CONSENT_MAX}`]
        : []),
      ...(total > TOTAL_MAX ? [`${total} bytes in all; at most ${TOTAL_MAX}`] : []),
      ...(packages > PACKAGES_MAX ? [`${packages} packages; at most ${PACKAGES_MAX}`] : []),
      ...(importing.median > IMPORT_MAX_MS
        ? [`the import takes ${importing.median} ms beyond libp2p's; at most ${IMPORT_MAX_MS}`]
        : [])
    ]
  }
}

/** What of libp2p a node of ours needs: an application with libp2p has these anyway. */
const LIBP2P = [
  'libp2p',
  '@libp2p/noise',
  '@libp2p/yamux',
  '@libp2p/circuit-relay-v2',
  '@libp2p/identify',
  '@libp2p/kad-dht',
  '@libp2p/ping',
  '@libp2p/websockets'
]

/** A fresh process imports libp2p, then the package: the time of the second, in ms. */
function importMs(): number {
  const code = `for (const name of ${JSON.stringify(LIBP2P)}) await import(name)
const started = performance.now()
await import(${JSON.stringify(join(PACKAGE, 'node', 'index.js'))})
console.log(performance.now() - started)`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: PACKAGE,
    encoding: 'utf8'
  })
  if (status !== 0) {
    throw new Error('The package could not be imported.')
  }
  return Math.round(Number(stdout) * 10) / 10
}

/** Sums of the gzip sizes of single files (level 9), in bytes. `/sdk` is for other sites and does not count. */
export function measurePage(dist: string): { beforeConsent: number; total: number } {
  const sumOf = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => sum + gzipSync(readFileSync(join(dist, path)), { level: 9 }).length, 0)
  const first = loadedStatically(dist, 'index.html')
  const code = globSync('**/*.{html,js,mjs,css,wasm}', { cwd: dist }).filter(
    (path) => !path.startsWith('sdk/')
  )
  return { beforeConsent: sumOf(first), total: sumOf(new Set([...code, ...first])) }
}

/** The page, and all that a browser fetches for it without a line of its code asking: paths in dist/. */
function loadedStatically(dist: string, page: string): string[] {
  const found = new Set<string>()
  const open = [page]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) {
      continue
    }
    found.add(path)
    open.push(...referencesOf(dist, path))
  }
  return [...found]
}

function referencesOf(dist: string, path: string): string[] {
  const text = readFileSync(join(dist, path), 'utf8')
  return referenceTexts(path, text)
    .filter((reference) => !/^([a-z]+:|\/\/|#)/i.test(reference))
    .map((reference) => {
      const clean = reference.replace(/[?#].*$/, '')
      return normalize(clean.startsWith('/') ? clean.slice(1) : join(dirname(path), clean))
    })
    .filter((target) => existsSync(join(dist, target)))
}

function referenceTexts(path: string, text: string): string[] {
  if (path.endsWith('.html')) {
    // Of <a> it is the person who asks, so only elements that load by themselves count.
    const elements = text.match(/<(link|script|img|source)\b[^>]*>/g) ?? []
    return elements.flatMap((element) => /\b(?:href|src)\s*=\s*["']?([^"'\s>]+)/.exec(element)?.[1] ?? [])
  }
  if (path.endsWith('.css')) {
    return [...text.matchAll(/url\(\s*["']?([^"')]+)/g)].map(([, reference]) => reference ?? '')
  }
  if (/\.m?js$/.test(path)) {
    return parseAst(text).body.flatMap((node) =>
      'source' in node && typeof node.source?.value === 'string' ? [node.source.value] : []
    )
  }
  return []
}
