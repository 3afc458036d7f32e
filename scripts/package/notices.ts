import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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

/** Of all packages that run with ours, in the order of their names; then the text of each licence, once. */
export function notices(): string {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) // our own
  const paths = closureOf(Object.keys(dependencies)).filter((path) =>
    existsSync(join(ROOT, path, 'package.json'))
  )
  const lines = new Set<string>()
  const texts = new Map<string, Set<string>>()
  for (const path of paths) {
    const { name, version, license }: Manifest = JSON.parse(
      readFileSync(join(ROOT, path, 'package.json'), 'utf8')
    )
    const isOfOnePlatform = /-(linux|darwin|win32)/.test(name) || name.startsWith('@node-datachannel/')
    if (name !== 'empty-npm-package' && !isOfOnePlatform) {
      lines.add(`| ${name} | ${version} | ${license ?? licenceOf(path)} |`)
      const own = textsOf(path)
      for (const text of own.length > 0 ? own : standInFor(name, license)) {
        texts.set(text, (texts.get(text) ?? new Set()).add(name))
      }
    }
  }
  const sections = [...texts]
    .map(([text, names]) => [[...names].sort().join(', '), text])
    .sort(([a = '', textA = ''], [b = '', textB = '']) => (`${a}\0${textA}` < `${b}\0${textB}` ? -1 : 1))
  return `# Third-party notices

SwarmHarness is under the [MIT licence](LICENSE). The page, the SDK and the package carry, or install, the packages below;
the texts of their licences follow. \`npm run notices\` writes this page; a built one has it as \`third-party.txt\`.

| package | version | licence |
| --- | --- | --- |
${[...lines].sort((a, b) => (a < b ? -1 : 1)).join('\n')}

${sections.map(([names, text]) => `## ${names}\n\n\`\`\`text\n${text}\n\`\`\``).join('\n\n')}
`
}

/** Some bring no text: that of their repository, or of the one of their licences that we take. */
function standInFor(name: string, license = ''): string[] {
  if (name === '@lit-labs/ssr-dom-shim') {
    return textsOf('node_modules/lit')
  }
  if (!/\bMIT\b/.test(license)) {
    return []
  }
  const [title, ours = '', ...rest] = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim().split(/\n\n/)
  return [[title, ours.replace(/\d{4}.*$/m, 'the authors of each of these packages'), ...rest].join('\n\n')]
}

const LICENCES = /^(licen[sc]e|copying|notice)([.-].*)?$/i

/** What the package says of its licence, word by word; without ends of lines and spaces that differ between platforms. */
function textsOf(path: string): string[] {
  const folder = join(ROOT, path)
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCES.test(entry.name))
    .map(({ name }) =>
      readFileSync(join(folder, name), 'utf8')
        .replace(/[ \t\r]+$/gm, '')
        .replace(/^\n+|\n+$/g, '')
    )
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
