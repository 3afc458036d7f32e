import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRelay, type Relay } from '../../../relay/index.ts'
import { iceServer } from '../../../src/cli/commands/relay.ts'
import { run } from '../../../src/cli/main.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'

// What deploy/ holds says the same as the code does: no engine is needed for that.

const DEPLOY = resolve(import.meta.dirname, '../../../deploy')
const read = (name: string) => readFileSync(join(DEPLOY, name), 'utf8')

const PAGE = ['/index.html', '/service-worker.js', '/assets/main-Ab3_-9xZ.js', '/sdk/swarmharness.js']

let relay: Relay
let staticFolder: string
beforeAll(async () => {
  staticFolder = await mkdtemp(join(tmpdir(), 'deploy-'))
  for (const path of PAGE) {
    await mkdir(dirname(join(staticFolder, path)), { recursive: true })
    await writeFile(join(staticFolder, path), '')
  }
  relay = await createRelay({ network: await networkOf(NETWORKS.local), metricsPort: 0, staticFolder })
})
afterAll(async () => {
  await relay.stop()
  await rm(staticFolder, { recursive: true })
})

/** What matters to browsers, in a host's configuration as in an answer of the relay. */
const HEADERS = [
  'Content-Security-Policy',
  'Permissions-Policy',
  'X-Content-Type-Options',
  'Referrer-Policy',
  'Cache-Control',
  'Access-Control-Allow-Origin',
  'Cross-Origin-Resource-Policy'
]

/** Of Netlify and Cloudflare: what several fitting rules name is joined. */
function staticHostHeaders(path: string): Map<string, string> {
  const rules = read('headers/_headers').split(/^(?=\/)/m)
  const fitting = rules.filter((rule) => {
    const pattern = rule.split('\n', 1)[0] ?? ''
    return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
  })
  const headers = new Map<string, string>()
  for (const [, name = '', value = ''] of fitting.join('').matchAll(/^ {2}([\w-]+): (.+)$/gm)) {
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}

/** Of nginx: a location that adds headers inherits none of the server's. */
function nginxHeaders(path: string): Map<string, string> {
  const text = read('headers/nginx.conf')
  const locations = [...text.matchAll(/^location (= )?(\S+) [{]\n([^}]*)[}]$/gm)]
  const [, , , own] =
    locations.find(([, exact, of = '']) => (exact ? path === of : path.startsWith(of))) ?? []
  const server = text.replace(/^location [^}]*[}]$/gm, '')
  const added = (own ?? server).matchAll(/^ *add_header ([\w-]+) "([^"]+)"( always)?;$/gm)
  return new Map([...added].map(([, name = '', value = '']) => [name, value]))
}

interface Dashboard {
  readonly panels: ReadonlyArray<{ readonly targets: ReadonlyArray<{ readonly expr: string }> }>
  readonly templating: { readonly list: ReadonlyArray<{ readonly query: string }> }
}

/** Options of `swarmharness relay` that a text uses must exist. */
async function helpOfRelay(): Promise<string> {
  const lines: string[] = []
  const write = process.stdout.write
  process.stdout.write = (text: string | Uint8Array) => lines.push(String(text)) > 0
  try {
    expect(await run(['relay', '--help'])).toBe(0)
  } finally {
    process.stdout.write = write
  }
  return lines.join('')
}

describe('deploy/', () => {
  test.each(['Dockerfile', 'swarmharness-relay.service', 'Caddyfile'])(
    '%s uses only options that there are',
    async (name) => {
      const help = await helpOfRelay()
      const used = read(name)
        .split('\n')
        .filter(
          (line) =>
            /relay["',]* |ExecStart|--announce|CMD \["--/.test(line) && !/npm|HEALTHCHECK|docker/.test(line)
        )
        .flatMap((line) => [...line.matchAll(/(?<![\w-])--[a-z-]+/g)].map(([option]) => option))
      expect(used.length).toBeGreaterThan(0)
      for (const option of used) {
        expect(help).toContain(`${option} `)
      }
    }
  )

  test('the image has several stages, pinned, and runs as nobody special', () => {
    const lines = read('Dockerfile').split('\n')
    const stages = lines.filter((line) => line.startsWith('FROM '))
    expect(stages.length).toBeGreaterThan(1)
    const { devDependencies } = JSON.parse(readFileSync(resolve(DEPLOY, '../package.json'), 'utf8'))
    for (const stage of stages) {
      expect(stage).toContain(`node:${devDependencies.node}-`)
    }
    const last = lines.slice(lines.lastIndexOf(stages.at(-1) ?? ''))
    expect(last).toContain('USER node')
    expect(last.indexOf('USER node')).toBeLessThan(last.findIndex((line) => line.startsWith('ENTRYPOINT')))
  })

  test('the image copies only what there is, and starts the program that the package has', () => {
    const text = read('Dockerfile')
    const root = resolve(DEPLOY, '..')
    const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' ')
    )
    expect(copied).toContain('package-lock.json')
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
    const stages = [...text.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name)
    const from = [...text.matchAll(/^COPY --from=(\S+) /gm)].map(([, name]) => name)
    expect(from.filter((name) => !stages.includes(name))).toEqual([])
    const scripts = [...text.matchAll(/node (scripts\/\S+)/g)].map(([, path = '']) => path)
    expect(scripts.filter((path) => !existsSync(join(root, path)))).toEqual([])
    const build = readFileSync(join(root, 'scripts/package/build.ts'), 'utf8')
    expect(build).toContain("swarmharness: './bin/swarmharness.js'")
    expect(text).toContain('"node_modules/swarmharness/bin/swarmharness.js", "relay"')
    // what stands after the image's name replaces a CMD: the network of public pages is no part of one
    expect(text).toMatch(/^ENTRYPOINT .*"--network", "main"/m)
    expect(text).toMatch(/docker run -p 127\.0\.0\.1:.* --trust-proxy$/m)
  })

  test('the service is one that systemd can read, with no more rights than it needs; proxy and relay agree', () => {
    const unit = read('swarmharness-relay.service')
    const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.filter((line) => !/^(\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*)$/.test(line))).toEqual([])
    const start = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? ''
    expect(unit).toContain('--prefix /opt/swarmharness')
    expect(start).toMatch(/^\/opt\/swarmharness\/bin\/swarmharness relay /)
    const port = /--port (\d+)/.exec(start)?.[1]
    const announced = /--announce (\S+)/.exec(start)?.[1]
    expect(read('Caddyfile')).toContain(`reverse_proxy 127.0.0.1:${port}`)
    expect(read('Caddyfile')).toContain(`--announce ${announced};`)
    expect(read('Caddyfile')).toMatch(new RegExp(`^${announced?.split('/')[2]} [{]$`, 'm'))
    for (const right of [
      'DynamicUser=yes',
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'ProtectSystem=strict'
    ]) {
      expect(lines).toContain(right)
    }
  })

  test.each([...PAGE, '/relay.json'])(
    'static hosts send for %s the headers that the relay sends',
    async (path) => {
      const { headers, status } = await fetch(relay.origin + path)
      const sent = new Map(
        HEADERS.flatMap((name) => [[name, headers.get(name)] as const]).filter(([, value]) => value)
      )
      expect(status).toBe(200)
      expect(sent.size).toBeGreaterThan(4)
      expect(staticHostHeaders(path)).toEqual(sent)
      expect(nginxHeaders(path)).toEqual(sent)
    }
  )

  test('all figures that the dashboard asks for are given by the relay, whose own are all asked for', async () => {
    const text = await (await fetch(relay.metricsUrl ?? '')).text()
    const given = new Set([...text.matchAll(/^([a-z_][a-z0-9_]*)(?:[{].*[}])? /gm)].map(([, name]) => name))
    const { panels, templating } = JSON.parse(read('grafana.json')) as Dashboard // our own file
    const asked = [
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...templating.list.flatMap(({ query }) => /^label_values\((.*),/.exec(query)?.[1] ?? [])
    ].flatMap((expr) => [...expr.matchAll(/[a-z_][a-z0-9_]*(?=[{]|$)/g)].map(([name]) => name))
    expect(new Set(asked).size).toBeGreaterThan(7)
    expect(asked.filter((name) => !given.has(name))).toEqual([])
    const own = [...given].filter((name) => name?.startsWith('swarmharness_'))
    expect(own.filter((name) => !asked.includes(name ?? ''))).toEqual([])
  })

  test('relay.json is as a relay writes it', async () => {
    const example = JSON.parse(read('headers/relay.json'))
    const own = await (await fetch(`${relay.origin}/relay.json`)).json()
    expect(Object.keys(own)).toEqual(expect.arrayContaining(Object.keys(example)))
    expect(example.relays).toHaveLength(2)
  })
})

test.each([
  ['stun:stun.example:3478', { urls: 'stun:stun.example:3478' }],
  [
    'turn:me:my:secret@turn.example:3478',
    { urls: 'turn:turn.example:3478', username: 'me', credential: 'my:secret' }
  ],
  [
    'turn:1790000000%3Aann:a%40b@turn.example',
    { urls: 'turn:turn.example', username: '1790000000:ann', credential: 'a@b' }
  ],
  ['turns:me:secret@turn.example', { urls: 'turns:turn.example', username: 'me', credential: 'secret' }]
])('an ICE server %s', (text, server) => {
  expect(iceServer(text)).toEqual(server)
})

test.each([
  'nonsense',
  'http://stun.example',
  'stun:',
  'stun:two words',
  'turn:turn.example',
  'turn:me@turn.example',
  'turn:me:secret@',
  'turn:me:100%@turn.example'
])('no ICE server "%s": browsers would connect nobody', (text) => {
  expect(() => iceServer(text)).toThrow(/--ice is stun:/)
})
