import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closureOf } from './closure.ts'

/** `npm run notices`: THIRD_PARTY.md, whose code travels within the page and the package, and on what terms. */

const ROOT = join(import.meta.dirname, '..', '..')
export const NOTICES = join(ROOT, 'THIRD_PARTY.md')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** Of all packages that run with ours, in the order of their names. */
export function notices(): string {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) // our own
  const paths = closureOf(Object.keys(dependencies)).filter((path) =>
    existsSync(join(ROOT, path, 'package.json'))
  )
  const lines = new Set<string>()
  for (const path of paths) {
    const { name, version, license }: Manifest = JSON.parse(
      readFileSync(join(ROOT, path, 'package.json'), 'utf8')
    )
    const isOfOnePlatform = /-(linux|darwin|win32)/.test(name) || name.startsWith('@node-datachannel/')
    if (name !== 'empty-npm-package' && !isOfOnePlatform) {
      lines.add(`| ${name} | ${version} | ${license ?? licenceOf(path)} |`)
    }
  }
  return `# Third-party notices

SwarmHarness is under the [MIT licence](LICENSE). The page and the package carry, or install, the packages below;
each brings the text of its licence in its own folder. \`npm run notices\` writes this page.

| package | version | licence |
| --- | --- | --- |
${[...lines].sort((a, b) => (a < b ? -1 : 1)).join('\n')}
`
}

/** Some name it in a file only. */
function licenceOf(path: string): string {
  const [file] = globSync('{LICEN[SC]E,COPYING}*', { cwd: join(ROOT, path) })
  const text = file === undefined ? '' : readFileSync(join(ROOT, path, file), 'utf8')
  return /\bMIT\b/.test(text) ? 'MIT' : /Apache/.test(text) ? 'Apache-2.0' : 'see its folder'
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(NOTICES, notices())
}
