import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseAst } from 'vite'
import { type BenchResult, row } from './report.ts'

export const title = 'Gzip bytes of the built page: before consent, and of all code that it may load'

const DIST = join(import.meta.dirname, '..', 'dist')
/** Bytes; 1 kB = 1,000 bytes. */
const BEFORE_CONSENT_MAX = 40_000
const TOTAL_MAX = 400_000

export async function run(): Promise<BenchResult> {
  if (!existsSync(join(DIST, 'index.html'))) {
    throw new Error('There is no built page in dist/: run `npm run build`.')
  }
  const { beforeConsent, total } = measurePage(DIST)
  return {
    rows: [row('size.before-consent', 'bytes', [beforeConsent]), row('size.total', 'bytes', [total])],
    ratios: [],
    failures: [
      ...(beforeConsent > BEFORE_CONSENT_MAX
        ? [`${beforeConsent} bytes before consent; at most ${BEFORE_CONSENT_MAX}`]
        : []),
      ...(total > TOTAL_MAX ? [`${total} bytes in all; at most ${TOTAL_MAX}`] : [])
    ]
  }
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
