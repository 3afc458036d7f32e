/**
 * What the bundles can do without: code of libraries that no node of ours ever runs, libp2p's words for who debugs it, and
 * the indents of templates. Whoever asks for what was left out is refused by an error.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ESTree, type Plugin, parseAst } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export const slimLibraries = (): Plugin[] => [
  oneCopyAVersion(),
  ed25519Only(),
  shortPrefixList(),
  noFieldStreams(),
  noEmoji(),
  noDnsaddr(),
  noRetries(),
  noLocksForOthers(),
  oneReaderOfRanges(),
  noMappings()
]

/**
 * One copy of each version of a package. npm nests `protons-runtime` and `uint8arraylist` beside each libp2p
 * module, ten equal copies of each: 28 kB gzip.
 */
function oneCopyAVersion(): Plugin {
  const roots = new Map<string, string>()
  return {
    name: 'one-copy-a-version',
    enforce: 'pre',
    async resolveId(id, importer, options) {
      if (importer === undefined || /^[./\0#]/.test(id)) return null
      const found = await this.resolve(id, importer, { ...options, skipSelf: true })
      const [, root, name, path] =
        /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))(\/.*)$/.exec(found?.id ?? '') ?? []
      if (found === null || root === undefined || path === undefined) return found
      const { version }: { version: string } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
      const key = `${name}@${version}`
      if (!roots.has(key)) roots.set(key, root)
      return { ...found, id: `${roots.get(key)}${path}` }
    }
  }
}

const OTHER_KEYS = /\/@libp2p\/crypto\/dist\/src\/keys\/(rsa|ecdsa|secp256k1)\/[\w.]+\.js$/

/**
 * Peers here have Ed25519 keys (`isPeerIdString`), so a node needs no other kinds: 14 kB gzip. A peer that comes with
 * such a key is refused by an error.
 */
function ed25519Only(): Plugin {
  return {
    name: 'ed25519-only',
    enforce: 'pre',
    load: (id) =>
      OTHER_KEYS.test(id)
        ? refusing(readFileSync(id, 'utf8'), 'A key of this kind has no place here: peers have Ed25519 keys.')
        : null
  }
}

/** The same exports, each a function that refuses. Imports nothing: these stand behind every part of libp2p. */
function refusing(text: string, why: string): string {
  const names = [
    ...text.matchAll(/^export (?:(?:async )?function\*?|class|const) (\w+)/gm),
    ...text.matchAll(/^export \{ \w+ as (\w+) \}/gm)
  ].map(([, name = '']) => name)
  return `function refuse() { throw new TypeError(${JSON.stringify(why)}) }
export { ${names.map((name) => `refuse as ${name}`).join(', ')} }`
}

/** The DHT's table of made-up peer ids, 26 kB gzip, is computed instead. */
function shortPrefixList(): Plugin {
  return {
    name: 'short-prefix-list',
    enforce: 'pre',
    resolveId: (id) =>
      /generated-prefix-list(-browser)?\.js$/.test(id) ? here('../src/net/prefix-list.ts') : null
  }
}

/**
 * protons writes a third reader for each message, which hands out its fields one by one. libp2p calls none of them:
 * 3 kB gzip.
 */
function noFieldStreams(): Plugin {
  return {
    name: 'no-field-streams',
    enforce: 'pre',
    transform: {
      filter: { id: /\/node_modules\/.*\.js$/, code: /\bstreamMessage\b.*from 'protons-runtime'/ },
      handler: (code) => ({ code: withoutFieldStreams(code), map: null })
    }
  }
}

/** @throws Error where there are none: then protons writes another code now */
export function withoutFieldStreams(code: string): string {
  const cuts = nodesOf(parseAst(code)).flatMap((node): Cut[] => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return []
    const [, reader, stream] = node.callee.name === 'message' ? node.arguments : []
    return reader === undefined || stream === undefined ? [] : [{ from: reader.end, to: stream.end, by: '' }]
  })
  if (cuts.length === 0) throw new Error('There are no field streams: see what protons writes now.')
  return withCuts(code, cuts)
}

/** Nothing of libp2p's is written in base256emoji: 1 kB gzip. */
function noEmoji(): Plugin {
  return standIn('no-emoji', /\/base256emoji\.js$/, 'export {}')
}

/**
 * No address is looked up in the DNS by its TXT records, which in a browser two companies would be asked for, by whoever
 * hands out such an address: 5 kB gzip. It cannot be dialled.
 */
function noDnsaddr(): Plugin {
  return standIn(
    'no-dnsaddr',
    /\/dnsaddr\.js$/,
    'export const dnsaddrResolver = { canResolve: () => false, resolve: async () => [] }'
  )
}

/** Our nodes have libp2p try once to come back to a relay (`reconnectRetries: 0`), and then try by themselves: 1.5 kB gzip. */
function noRetries(): Plugin {
  return standIn('no-retries', /^p-retry$/, 'export default async (run) => run(1)')
}

/** libp2p asks for locks of its own, yet a channel would be opened on which other threads could ask for them: 1 kB gzip. */
function noLocksForOthers(): Plugin {
  const path = /\/mortice\/dist\/src\/(browser|node)\.js$/
  return {
    name: 'no-locks-for-others',
    enforce: 'pre',
    load: (id) => (path.test(id) ? 'export default () => new EventTarget()' : null)
  }
}

/** Of two libraries that say whether an address is in a range, libp2p's other one: 1.5 kB gzip. */
function oneReaderOfRanges(): Plugin {
  return standIn('one-reader-of-ranges', /^netmask$/, "export { IpNet as Netmask } from '@chainsafe/netmask'")
}

/** No router forwards ports to a tab, and no domain name is its own: 0.7 kB gzip. */
function noMappings(): Plugin {
  return standIn(
    'no-mappings',
    /\/(dns|ip)-mappings\.js$/,
    `class Nothing { add() {} has() { return false } remove() { return false } getAll() { return [] }
  confirm() { return false } unconfirm() { return false } }
export { Nothing as DNSMappings, Nothing as IPMappings }`
  )
}

function standIn(name: string, path: RegExp, text: string): Plugin {
  const ID = `\0${name}`
  return {
    name,
    enforce: 'pre',
    resolveId: (id) => (path.test(id) ? ID : null),
    load: (id) => (id === ID ? text : null)
  }
}

const SILENT = `const log = Object.assign(() => {}, { trace() {}, error() {}, enabled: false, newScope: () => log })
export const logger = () => log
const component = () => ({ forComponent: logger })
export { component as defaultLogger, component as peerLogger, component as prefixLogger }`

/**
 * The page without what libp2p says to those who debug it, 9 kB gzip: the logger, and the statements that only log. Node and
 * the SDK have it.
 */
export const quietLibraries = (): Plugin[] => [
  standIn('silent-logger', /^@libp2p\/logger$/, SILENT),
  {
    name: 'quiet-libraries',
    transform: {
      filter: { id: /\/node_modules\/(@?libp2p|@chainsafe)\/.*\.js$/, code: /\blog\b/ },
      handler: (code) => ({ code: withoutLogs(code), map: null })
    }
  }
]

export function withoutLogs(code: string): string {
  const cuts = nodesOf(parseAst(code)).flatMap((node): Cut[] => {
    if (node.type !== 'ExpressionStatement') return []
    const { start: from, end: to } = node
    const call = node.expression.type === 'ChainExpression' ? node.expression.expression : node.expression
    return call.type === 'CallExpression' && isLog(call.callee) ? [{ from, to, by: ';' }] : []
  })
  return withCuts(code, cuts)
}

/** `log`, `this.log`, `init?.log`, and `trace` or `error` of these. */
function isLog(node: ESTree.Node): boolean {
  if (node.type === 'Identifier') return node.name === 'log'
  if (node.type !== 'MemberExpression' || !('name' in node.property)) return false
  const { name } = node.property
  return name === 'log' || ((name === 'trace' || name === 'error') && isLog(node.object))
}

/** Templates of the page without their indents, which no browser shows: 2 kB gzip. */
export function shortTemplates(): Plugin {
  return {
    name: 'short-templates',
    transform: {
      filter: { id: /\/src\/ui\/.*\.ts$/, code: /\b(html|svg|css)`/ },
      handler: (code) => ({ code: withShortTemplates(code), map: null })
    }
  }
}

export function withShortTemplates(code: string): string {
  const cuts = nodesOf(parseAst(code)).flatMap((node): Cut[] => {
    if (node.type !== 'TaggedTemplateExpression' || node.tag.type !== 'Identifier') return []
    const shorten = SHORTER.get(node.tag.name)
    if (shorten === undefined) return []
    return node.quasi.quasis.map(({ start: from, end: to }) => ({
      from,
      to,
      by: shorten(code.slice(from, to))
    }))
  })
  return withCuts(code, cuts)
}

const shortMarkup = (text: string) => text.replace(/\s*\n\s*/g, ' ')
const shortStyle = (text: string) =>
  text
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replace(/: /g, ':')
    .replaceAll(';}', '}')
const SHORTER: ReadonlyMap<string, (text: string) => string> = new Map([
  ['html', shortMarkup],
  ['svg', shortMarkup],
  ['css', shortStyle]
])

/** What of the code goes, and what comes instead. */
interface Cut {
  readonly from: number
  readonly to: number
  readonly by: string
}

function withCuts(code: string, cuts: readonly Cut[]): string {
  const sorted = cuts.toSorted((left, right) => right.from - left.from)
  return sorted.reduce((text, { from, to, by }) => text.slice(0, from) + by + text.slice(to), code)
}

/** All of a tree, parents first. */
function nodesOf(node: unknown): ESTree.Node[] {
  if (typeof node !== 'object' || node === null) return []
  const below = Object.values(node).flatMap(nodesOf)
  return isNode(node) ? [node, ...below] : below
}

const isNode = (value: object): value is ESTree.Node => 'type' in value && typeof value.type === 'string'
