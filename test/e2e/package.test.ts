import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import sirv from 'sirv'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { factors } from '../../examples/own-skill/skill.ts'
import { createRelay, type Relay } from '../../relay/index.ts'
import { changedReports } from '../../scripts/package/api-report.ts'
import { buildPackage, PACKAGE } from '../../scripts/package/build.ts'
import { packageClosure } from '../../scripts/package/closure.ts'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { createSwarm, type Swarm } from '../../src/index.ts'
import { NETWORKS, networkOf } from '../../src/wire/index.ts'

// The package as others install it: built, packed into a project that has nothing else, run in Node and in Chromium.

const ROOT = resolve(import.meta.dirname, '../..')
const PACKAGES_MAX = 200
const run = promisify(execFile)
const bin = (path: string) => join(ROOT, 'node_modules', path)

let folder: string
let relay: Relay
let provider: Swarm
beforeAll(async () => {
  await buildPackage()
  folder = await mkdtemp(join(tmpdir(), 'package-'))
  relay = await createRelay({ network: await networkOf(NETWORKS.local) })
  provider = await createSwarm({
    relays: [...relay.multiaddrs],
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    backend: 'cpu',
    workers: 1,
    skills: [factors],
    worker: new URL('../../examples/own-skill/worker.ts', import.meta.url)
  })
  await provider.contribute()
  await installInto(folder)
})
afterAll(async () => {
  await provider?.stop()
  await relay?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A project with our package as npm packs it, and what that needs, and nothing else of this repository. */
async function installInto(project: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: PACKAGE
  })
  const [{ filename, files }] = JSON.parse(stdout)
  expect(files.length).toBeGreaterThan(20)
  const home = join(project, 'node_modules', 'swarmharness')
  await mkdir(home, { recursive: true })
  await run('tar', ['-xzf', join(project, filename), '-C', home, '--strip-components', '1'])
  for (const path of packageClosure().filter(
    (each) => !each.slice(1).includes('node_modules/') && existsSync(join(ROOT, each))
  )) {
    await mkdir(dirname(join(project, path)), { recursive: true })
    await symlink(join(ROOT, path), join(project, path))
  }
  await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }')
}

/** A skill of the project's own, in JavaScript, and its worker. */
async function writeOwnSkill(into: string): Promise<void> {
  const source = await readFile(join(ROOT, 'examples/smallest-factor/skill.ts'), 'utf8')
  const skill = stripTypeScriptTypes(source).replace(
    /'[./]+\/src\/skills\/index.ts'/,
    "'swarmharness/skills'"
  )
  await writeFile(join(into, 'skill.js'), skill)
  await writeFile(
    join(into, 'factors.js'),
    `import { defineSkill } from 'swarmharness/skills'
import { smallestFactors } from './skill.js'
export const factors = defineSkill(smallestFactors)`
  )
  await writeFile(
    join(into, 'factors-worker.js'),
    `import { serveSkills } from 'swarmharness/skills'
import { factors } from './factors.js'
serveSkills([factors])`
  )
}

describe('the package', () => {
  test('is sound to publint and to Are The Types Wrong', async () => {
    await run(process.execPath, [bin('publint/src/cli.js'), PACKAGE, '--strict'])
    await run(process.execPath, [
      bin('@arethetypeswrong/cli/dist/index.js'),
      '--pack',
      PACKAGE,
      '--profile',
      'esm-only'
    ])
  })

  test('exports what docs/api says (npm run api writes it anew)', () => {
    expect(changedReports(false)).toEqual([])
  })

  test(`brings at most ${PACKAGES_MAX} packages, and no React Native`, () => {
    const paths = packageClosure()
    console.log(`${paths.length} packages come with ours`)
    expect(paths.length).toBeGreaterThan(50)
    expect(paths.length).toBeLessThanOrEqual(PACKAGES_MAX)
    expect(paths.filter((path) => path.includes('react-native'))).toEqual([])
    const built = globSync('{node,browser}/*.js', { cwd: PACKAGE }).map((path) =>
      readFileSync(join(PACKAGE, path), 'utf8')
    )
    expect(built.filter((text) => /from\s*["']react-native/.test(text))).toEqual([])
  })
})

const options = () => ({ cwd: folder, env: { ...process.env, RELAY: relay.multiaddrs[0] ?? '' } })

describe('in Node', () => {
  test('the example of the README runs, which is its own, too', async () => {
    expect(exampleIn(await readText('node_modules/swarmharness/README.md'))).toBe(EXAMPLE)
    await writeFile(join(folder, 'example.js'), atRelay(EXAMPLE))
    const { stdout } = await run(process.execPath, ['example.js'], options())
    expect(stdout).toMatch(/queued\n[\s\S]*done\n[\s\S]*1, 2, 3, 4[\s\S]*paid 1 µcr/)
  })

  test('each service stands alone, and test swarms run', async () => {
    await writeFile(
      join(folder, 'entries.js'),
      `import { generateKeyPair } from '@libp2p/crypto/keys'
import { createLibp2p } from 'libp2p'
import { SwarmRouter } from 'swarmharness/router'
import { createLedger, NETWORKS, networkOf, openStore } from 'swarmharness/credit'
import { createTestSwarm } from 'swarmharness/testing'
const privateKey = await generateKeyPair('Ed25519')
const node = await createLibp2p({ privateKey })
const network = await networkOf({ ...NETWORKS.local, name: 'barter' })
const store = await openStore({ network: 'barter', dataFolder: 'books' })
const ledger = createLedger({ store, key: privateKey, network, node })
await ledger.start()
const { settled } = await ledger.balance()
await ledger.stop()
await node.stop()
await store.close()
const house = await createTestSwarm({ peers: 2 })
const { value } = await house.requester.submit('matmul-i8', house.requester.skills[0].example()).result
console.log(typeof SwarmRouter, settled, value.m, (await house.audit()).balanced)
process.exit()`
    )
    const { stdout } = await run(process.execPath, ['entries.js'], options())
    expect(stdout.trim()).toBe('function 10000000n 2 true')
  })

  test('the registry serves an application of its own', async () => {
    const source = await readFile(join(ROOT, 'examples/registry-alone/run.ts'), 'utf8')
    const example = stripTypeScriptTypes(source).replace(
      /'[./]+\/src\/registry\/index.ts'/,
      "'swarmharness/registry'"
    )
    expect(example).not.toContain('/src/')
    await writeFile(join(folder, 'registry-alone.js'), example.replace('import.meta.main', 'true'))
    const { stdout } = await run(process.execPath, ['registry-alone.js'], options())
    expect(stdout).toContain(' translates for 1000, and answered in ')
  })

  test('a skill of the project’s own is computed by others and checked by a worker of its own', async () => {
    await writeOwnSkill(folder)
    await writeFile(
      join(folder, 'own.js'),
      `import { createSwarm } from 'swarmharness'
import { factors } from './factors.js'
const worker = new URL('./factors-worker.js', import.meta.url)
const swarm = await createSwarm({ relays: [process.env.RELAY], listen: [], skills: [factors], worker })
const { value, receipt } = await swarm.submit(factors, { first: 91, count: 3 }).result
console.log([...value.factors].join(' '), 'paid', receipt.paid, receipt.providers.length)
process.exit()`
    )
    const { stdout } = await run(process.execPath, ['own.js'], options())
    expect(stdout.trim()).toBe('7 2 3 paid 1n 1')
  })

  test('its program serves and hires, with a worker of its own', async () => {
    await writeFile(join(folder, 'in.json'), JSON.stringify({ a: [2], b: [3], m: 1, k: 1, n: 1 }))
    const program = join(folder, 'node_modules/swarmharness/bin/swarmharness.js')
    const { stdout } = await run(
      process.execPath,
      [program, 'submit', 'matmul-i8', '--relay', relay.origin, '--input', 'in.json', '--json'],
      options()
    )
    expect(JSON.parse(stdout).value).toEqual({ c: [6], m: 1, n: 1 })
  })

  test('an older Node gets one sentence', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.11.1" })'
    await writeFile(join(folder, 'old.js'), "import 'swarmharness'")
    for (const entry of ['old.js', join(folder, 'node_modules/swarmharness/bin/swarmharness.js')]) {
      const failed = await run(process.execPath, ['--import', old, entry], options()).catch((error) => error)
      expect(failed.code).toBe(1)
      expect(failed.stderr).toContain(
        'swarmharness needs Node 22.12 or newer, and this is Node 20.11.1: install'
      )
    }
  })
})

const readText = async (path: string) => readFileSync(join(folder, path), 'utf8')

/** The program of a README. */
const exampleIn = (readme: string) => /```js\n(.*?)```/s.exec(readme)?.[1]
const EXAMPLE = exampleIn(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? expect.unreachable('no example')

/** With this test's relay in the place of that of `npm start`. */
function atRelay(example: string): string {
  expect(example).toContain("'http://127.0.0.1:7717'")
  return example.replace('http://127.0.0.1:7717', relay.origin)
}

async function bundle(name: string, code: string): Promise<string> {
  const source = join(folder, name)
  await mkdir(source, { recursive: true })
  await writeOwnSkill(source)
  await writeFile(
    join(source, 'index.html'),
    '<!doctype html><script type="module" src="./main.js"></script>'
  )
  await writeFile(join(source, 'main.js'), code)
  await build({
    configFile: false,
    root: source,
    logLevel: 'error',
    build: { target: 'es2022', modulePreload: false }
  })
  return join(source, 'dist')
}

/** Opens what was bundled. */
async function visit(dist: string, look: (page: Page, url: string) => Promise<void>): Promise<void> {
  const server = createServer(sirv(dist)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const page = await browser.newPage()
  try {
    // listening on TCP: the address is no pipe's name
    await look(page, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    await page.close()
    server.close()
  }
}

let browser: Browser

describe('bundled by Vite', () => {
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  test('the example of the README runs in a page', async () => {
    const dist = await bundle('example', atRelay(EXAMPLE))
    await visit(dist, async (page, url) => {
      const said: string[] = []
      page.on('console', (message) => said.push(message.text()))
      const [paid] = await Promise.all([
        page.waitForEvent('console', (message) => message.text().includes('paid')),
        page.goto(url)
      ])
      expect(await paid.args()[0]?.evaluate((c: Int32Array) => [...c])).toEqual([1, 2, 3, 4])
      expect(said).toEqual(expect.arrayContaining(['queued', 'done']))
      expect(said.at(-1)).toMatch(/paid 1 µcr$/)
    })
  })

  test('it hires from a page, with a skill and a worker of the page’s own', async () => {
    const dist = await bundle(
      'page',
      `import { createSwarm, matmulI8 } from 'swarmharness'
import { factors } from './factors.js'
const worker = () => new Worker(new URL('./factors-worker.js', import.meta.url), { type: 'module' })
window.hire = async (relays) => {
  const swarm = await createSwarm({ relays, network: 'local', skills: [factors], worker })
  const input = { a: Int8Array.of(1, 2, 3, 4), b: Int8Array.of(1, 0, 0, 1), m: 2, k: 2, n: 2 }
  const { value, receipt } = await swarm.submit(matmulI8, input).result
  const own = await swarm.submit(factors, { first: 91, count: 3 }).result
  await swarm.contribute()
  const { contributing } = swarm.status
  await swarm.stop()
  return { c: [...value.c], factors: [...own.value.factors], paid: String(receipt.paid), contributing }
}`
    )
    await visit(dist, async (page, url) => {
      await page.goto(url)
      const hired = await page.evaluate(
        (relays) => (window as unknown as { hire(relays: string[]): Promise<unknown> }).hire(relays), // the page's own
        [...relay.multiaddrs]
      )
      expect(hired).toEqual({ c: [1, 2, 3, 4], factors: [7, 2, 3], paid: '1', contributing: true })
    })
  })

  test('what is not used is left out', async () => {
    const dist = await bundle('shaken', "import { matmulI8 } from 'swarmharness'\nconsole.log(matmulI8.name)")
    const size = globSync('assets/*.js', { cwd: dist }).reduce(
      (sum, path) => sum + gzipSync(readFileSync(join(dist, path))).length,
      0
    )
    expect(size).toBeLessThan(2_000)
  })
})
