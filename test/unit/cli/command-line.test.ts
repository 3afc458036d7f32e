import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { run as runHere } from '../../../src/cli/main.ts'
import { VERSION } from '../../../src/cli/version.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'
import { cleanups, startRelay } from '../../fixtures/started-relay.ts'

// `swarmharness` as a script runs it: processes, files, statuses.

const BIN = fileURLToPath(new URL('../../../src/cli/bin.ts', import.meta.url))

let folder: string
let relay: { origin: string; multiaddrs: string[] }
let provider: { peer: string }
const servers: ChildProcess[] = []

const at = (name: string) => join(folder, name)
const start = (...args: string[]) => spawn(process.execPath, [BIN, ...args], { cwd: folder })

/** The end of a command: its status, what it said, and that as JSON where it is. */
async function ended(child: ChildProcess) {
  let [out, err] = ['', '']
  child.stdout?.on('data', (text) => {
    out += text
  })
  child.stderr?.on('data', (text) => {
    err += text
  })
  const [status] = await once(child, 'close')
  return { status, out, err, json: () => JSON.parse(out) }
}
const run = (...args: string[]) => ended(start(...args))

/** The same in this process, for what ends before it starts anything. */
async function said(...args: string[]) {
  const text = { out: '', err: '' }
  const keep =
    (name: 'out' | 'err') =>
    (chunk: unknown, ...rest: unknown[]) => {
      text[name] += `${chunk}\n`
      const written = rest.at(-1)
      if (typeof written === 'function') {
        written()
      }
      return true
    }
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(keep('out')),
    vi.spyOn(console, 'error').mockImplementation(keep('err')),
    vi.spyOn(process.stdout, 'write').mockImplementation(keep('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'))
  ]
  try {
    return { status: await runHere(args), ...text }
  } finally {
    for (const spy of spies) {
      spy.mockRestore()
    }
  }
}

/** A server's first line: its result, once it is up. */
async function serve<T>(...args: string[]): Promise<T> {
  const child = start(...args, '--json')
  servers.push(child)
  let [out, err] = ['', '']
  child.stderr.on('data', (text) => {
    err += text
  })
  while (!out.includes('\n')) {
    const [text] = await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${args[0]} ended: ${err}`)))
    ])
    out += text
  }
  return JSON.parse(out)
}

/** Loaded before the program: each write to a data folder finds the disk full. */
const FULL_DISK = `data:text/javascript,${encodeURIComponent(`
  import { open } from 'node:fs/promises'
  const handle = await open(process.execPath)
  Object.getPrototypeOf(handle).datasync = async () => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  }
  await handle.close()`)}`

/** A host that answers with this, whatever it is asked for. */
async function pageOf(configuration: unknown): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(configuration)))
  cleanups.push(async () => {
    server.closeAllConnections()
    await promisify(server.close.bind(server))()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : expect.unreachable('no port')
}

/** Many units, and a provider that rests most of the time: there is always one left. */
const SLOW = { x: '-0.5', y: '0', span: '2', width: 320, height: 200, iterations: 1_000 }
const product = JSON.stringify({ a: [1, 2, 3, 4], b: [1, 0, 0, -1], m: 2, k: 2, n: 2 })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-line-'))
  await writeFile(at('product.json'), product)
  relay = await serve('relay', '--port', '0')
  provider = await serve('node', '--relay', relay.origin, '--workers', '1', '--data', at('provider'))
}, 60_000)
afterAll(async () => {
  const ends = servers.map((server) => (server.exitCode === null ? once(server, 'exit') : [server.exitCode]))
  for (const server of servers) {
    server.kill('SIGTERM')
  }
  expect((await Promise.all(ends)).map(([status]) => status)).toEqual(servers.map(() => 0))
  await rm(folder, { recursive: true })
})

const submit = (...args: string[]) => ['submit', 'matmul-i8', '--relay', relay.origin, ...args]

describe('a job', () => {
  test('is done by a node that is reached over WebRTC; the output is a file, the receipt one line', async () => {
    const { status, json, err } = await run(...submit('--input', 'product.json', '--out', 'c.json', '--json'))
    expect(status).toBe(0)
    expect(err).toBe('')
    expect(json()).toMatchObject({
      out: 'c.json',
      receipt: { paid: '1', providers: [{ peer: provider.peer, units: 1 }] }
    })
    expect(JSON.parse(await readFile(at('c.json'), 'utf8'))).toEqual({ c: [1, -2, 3, -4], m: 2, n: 2 })
  })

  test('takes arrays from files and standard input, and gives a bare array', async () => {
    await writeFile(at('a.bin'), Int8Array.of(1, 2, 3, 4))
    const input = { a: { file: 'a.bin' }, b: { base64: 'AQAA/w==' }, m: 2, k: 2, n: 2 }
    const child = start(...submit('--input', '-', '--out', 'c.bin'))
    child.stdin.end(JSON.stringify(input))
    const { status, err, out } = await ended(child)
    expect({ status, err, out }).toEqual({ status: 0, err: '', out: 'c.bin written\n' }) // nobody watches: no bar
    expect(new Int32Array(new Uint8Array(await readFile(at('c.bin'))).buffer)).toEqual(
      Int32Array.of(1, -2, 3, -4)
    )
  })

  test.runIf(process.platform === 'linux')(
    'whose output has no room is paid, so it comes on standard output; where that is full, too, a key brings it back',
    async () => {
      const args = submit('--input', 'product.json', '--data', at('full'), '--key', 'full')
      const lost = await run(...args, '--out', '/dev/full')
      expect(lost).toMatchObject({ status: 1, out: '{"c":[1,-2,3,-4],"m":2,"n":2}\n' })
      expect(lost.err).toMatch(
        /^\/dev\/full could not be written \(the disk is full\): .*paid.*\(NOT_WRITTEN\)\n$/
      )
      expect((await stat('/dev/full')).isCharacterDevice()).toBe(true)

      const nowhere = await open('/dev/full', 'w')
      const child = spawn(process.execPath, [BIN, ...args], {
        cwd: folder,
        stdio: ['ignore', nowhere.fd, 'pipe']
      })
      const silent = await ended(child)
      await nowhere.close()
      expect(silent.status).toBe(1)
      expect(silent.err).toMatch(
        /^Standard output could not be written .*same call gives it again, and pays nothing/
      )
      expect((await run(...args, '--out', 'rescued.bin')).status).toBe(0)
      expect((await readFile(at('rescued.bin'))).byteLength).toBe(16)
    }
  )

  test('with a key is paid once, over two processes', async () => {
    const args = submit('--input', 'product.json', '--data', at('mine'), '--key', 'once', '--json')
    const first = (await run(...args)).json()
    const again = (await run(...args)).json()
    expect(again).toEqual(first)
  })

  test('leaves a ledger that can be exported and checked, but not while the node runs', async () => {
    const exporting = await said('ledger', 'export', at('mine'), '--out', at('mine.ledger'), '--json')
    expect(exporting).toMatchObject({ status: 0, err: '' })
    const { peer, records } = JSON.parse(exporting.out)
    const verified = await said('ledger', 'verify', at('mine.ledger'), '--json')
    const running = await said('ledger', 'export', at('provider'), '--out', at('running.ledger'))
    expect(JSON.parse(verified.out)).toMatchObject({ ledgers: [{ peer, network: 'local', records }] })
    expect(records).toBeGreaterThan(2)
    expect(running).toMatchObject({ status: 1, err: expect.stringMatching(/in use by process \d+.*LOCKED/) })
    expect((await readdir(folder)).filter((name) => name.startsWith('running'))).toEqual([])
  })

  test('is not begun where its escrow cannot be stored: the ledger stays what it was', async () => {
    const args = submit('--input', 'product.json', '--data', at('mine'), '--out', 'unpaid.json')
    const full = await ended(spawn(process.execPath, ['--import', FULL_DISK, BIN, ...args], { cwd: folder }))
    expect(full).toMatchObject({ status: 1, out: '' })
    expect(full.err).toMatch(/^No space is left for .*mine.*: free some, then start again\. \(FULL\)\n$/)
    expect((await readdir(folder)).filter((name) => /unpaid|part$/.test(name))).toEqual([])
    expect(await readdir(at('mine/local'))).toEqual(['store.log'])
    await said('ledger', 'export', at('mine'), '--out', at('after.ledger'))
    expect(await readFile(at('after.ledger'))).toEqual(await readFile(at('mine.ledger')))
  })

  test('ended by Ctrl-C is cancelled, refunded, and leaves no file', async () => {
    const child = start(
      ...['submit', 'matmul-i8', '--relay', relay.multiaddrs[0] ?? ''],
      ...['--input', 'product.json', '--out', 'never.json', '--wait', '60', '--data', at('interrupted')],
      ...['--units', '1', '--network', 'main'] // where nobody serves
    )
    const end = ended(child)
    const isDraft = (name: string) => name.endsWith('.part')
    await expect.poll(async () => (await readdir(folder)).some(isDraft), { timeout: 15_000 }).toBe(true)
    child.kill('SIGINT')
    child.kill('SIGINT') // twice: at once, and still nothing stays
    expect((await end).status).toBe(130)
    expect((await readdir(folder)).filter((name) => /never|part$/.test(name))).toEqual([])
  })
})

describe('Ctrl-C', () => {
  test('while a provider works pays what was verified, brings back the rest, and says both', async () => {
    const house = await NodeHouse.open()
    try {
      await writeFile(at('slow.json'), JSON.stringify(SLOW))
      const [address = ''] = house.relay.multiaddrs
      const child = start(
        ...['submit', 'mandelbrot', '--input', 'slow.json', '--relay', address],
        ...['--units', '64', '--wait', '60', '--json']
      )
      const end = ended(child)
      const serving = await house.swarm()
      const isAtWork = new Promise<void>((resolve) => {
        serving.on('change', ({ work }) => work.units > 0 && work.running > 0 && resolve())
      })
      await serving.contribute({ power: 0.05 })
      await Promise.race([isAtWork, end])
      child.kill('SIGINT')
      const { status, out, err, json } = await end
      expect({ status, err }).toEqual({ status: 130, err: '' })
      expect(out.trim().split('\n')).toHaveLength(1)
      const { cancelled, receipt } = json()
      expect(cancelled).toBe(true)
      expect(receipt).toMatchObject({ providers: [{ peer: serving.peer }], settles: [expect.any(String)] })
      expect(BigInt(receipt.paid)).toBeGreaterThan(0n)
      expect(BigInt(receipt.refund)).toBeGreaterThan(0n)
    } finally {
      await house.close()
    }
  }, 30_000)

  test.each([
    ['peers', []],
    ['quote', ['matmul-i8', '--input', 'product.json']],
    ['submit', ['matmul-i8', '--input', 'product.json']]
  ])('while %s looks for its relay ends it without a stack', async (command, args) => {
    const asked = Promise.withResolvers<void>()
    const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo // it listens on TCP
    const child = start(command, ...args, '--relay', `http://127.0.0.1:${port}`)
    const end = ended(child)
    await asked.promise
    child.kill('SIGINT')
    expect(await end).toMatchObject({ status: 130, out: '', err: '' })
    silent.closeAllConnections()
    silent.close()
  })
})

describe('other commands', () => {
  test('relay tells pages of each --ice', async () => {
    const { origin } = await serve<{ origin: string }>(
      ...['relay', '--port', '0', '--ice', 'stun:stun.example:3478', '--ice', 'turn:me:secret@turn.example']
    )
    const answer = await fetch(`${origin}/relay.json`)
    expect(await answer.json()).toMatchObject({
      iceServers: [
        { urls: 'stun:stun.example:3478' },
        { urls: 'turn:turn.example', username: 'me', credential: 'secret' }
      ]
    })
  })

  test('peers, quote, skills and doctor say what they found', async () => {
    const input = ['--input', 'product.json', '--relay', relay.origin, '--json']
    const main = await startRelay({ network: await networkOf(NETWORKS.main) })
    const [peers, quote, skills, skill, doctor] = await Promise.all([
      run('peers', '--relay', relay.origin, '--json'),
      run('quote', 'matmul-i8', ...input),
      run('skills', '--json'),
      run('skills', 'mandelbrot', '--json'),
      run('doctor', '--json', '--data', folder, '--relay', main.origin)
    ])
    expect(peers.json().peers).toContainEqual(
      expect.objectContaining({
        peer: provider.peer,
        connection: expect.stringMatching(/^(direct|relayed)$/), // adverts are heard through the relay, too
        skills: expect.arrayContaining(['matmul-i8'])
      })
    )
    expect(quote.json()).toMatchObject({ price: '1', providers: 1 })
    expect(skills.json().skills.map(({ name }: { name: string }) => name)).toContain('render-tile')
    expect(skill.json()).toMatchObject({ name: 'mandelbrot', example: { width: expect.any(Number) } })
    const { findings } = doctor.json()
    const names = findings.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['Node', 'processor', 'data folder', 'network', 'WebRTC', 'WebGPU', 'relay'])
    expect(findings.at(-1)).toMatchObject({
      verdict: 'good', // it joined the network that the relay is of
      text: expect.stringMatching(/lets this machine in, network main; .*--network main/)
    })
  })

  test('a relay of another network is said to be one, with what to pass', async () => {
    const main = await startRelay({ network: await networkOf(NETWORKS.main) })
    const job = ['submit', 'matmul-i8', '--input', at('product.json'), '--json']
    const wrong = await said(...job, '--relay', main.origin)
    const moon = await said('peers', '--relay', await pageOf({ network: 'moon', relays: main.multiaddrs }))
    expect(wrong).toMatchObject({ status: 2, out: '' })
    expect(JSON.parse(wrong.err).error).toMatchObject({
      code: 'WRONG_NETWORK',
      message: `The relay at ${main.origin} is of the network main, not of local: pass --network main, or another --relay.`
    })
    expect(moon).toMatchObject({
      status: 2,
      err: expect.stringMatching(/of the network moon, .*: pass another --relay\. \(WRONG_NETWORK\)\n$/)
    })
  })

  test('every command has its help', async () => {
    const commands = ['relay', 'node', 'submit', 'quote', 'skills', 'peers', 'ledger', 'doctor']
    const helps = []
    for (const command of commands) {
      helps.push(await said(command, '--help'))
    }
    expect(helps.map(({ status }) => status)).toEqual(commands.map(() => 0))
    for (const { out } of helps) {
      expect(out).toMatch(/--json/)
    }
    const help = await said('--help')
    const version = await run('--version')
    for (const command of commands) {
      expect(help.out).toContain(command)
    }
    expect(version.out.trim()).toBe(VERSION)
    expect(
      JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')).version
    ).toBe(VERSION)
  })
})

describe('what cannot be is said in a sentence, and nothing is started', () => {
  test.each<[string, number, RegExp, string[]]>([
    ['an unknown command', 2, /unknown command/, ['frobnicate']],
    ['an unknown option', 2, /unknown option/, ['skills', '--loud']],
    ['an unknown skill', 2, /UNKNOWN_SKILL/, ['submit', 'no-such', '--input', 'product.json']],
    ['no input', 2, /--input/, ['submit', 'matmul-i8']],
    ['a missing file', 2, /none\.json cannot be read/, ['submit', 'matmul-i8', '--input', 'none.json']],
    ['a file that is no JSON', 2, /is no JSON/, ['submit', 'matmul-i8', '--input', 'words.json']],
    ['a number that does not fit', 2, /a\[0\] is 300/, ['submit', 'matmul-i8', '--input', 'wide.json']],
    [
      'a file that is too large',
      2,
      /more than 67108864 bytes: put/,
      ['submit', 'matmul-i8', '--input', 'huge.json']
    ],
    [
      'an output in no folder',
      2,
      /cannot be written/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--out', 'no/c.json']
    ],
    [
      'a folder as output',
      2,
      /is a folder/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--out', '.']
    ],
    [
      'a bare array of what is more than one',
      2,
      /write it as \.json/,
      ['submit', 'knn-i8', '--input', 'product.json', '--out', 'ids.bin']
    ],
    ['a budget of 0', 2, /above 0/, ['submit', 'matmul-i8', '--input', 'product.json', '--budget', '0']],
    [
      'a key without a folder',
      2,
      /--key needs --data/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--key', 'k']
    ],
    ['an address that is none', 2, /multiaddr/, ['peers', '--relay', 'somewhere']],
    ['no relay there', 1, /does not answer/, ['peers', '--relay', 'http://127.0.0.1:9']],
    ['no network', 1, /No relay answered/, ['peers', '--wait', '1', '--relay', '/ip4/127.0.0.1/tcp/9/ws']],
    ['a folder of a newer version', 1, /newer version/, ['node', '--port', '0', '--data', 'newer']],
    ['a folder that is a file', 1, /cannot be used/, ['node', '--port', '0', '--data', 'words.json']],
    [
      'a relay for a page that is not there',
      2,
      /no page in .*BAD_OPTION/,
      ['relay', '--port', '0', '--static', 'no/page']
    ],
    ['an ICE server that is none', 2, /--ice is stun:/, ['relay', '--port', '0', '--ice', 'nonsense']],
    ['an address to listen at that is none', 2, /BAD_ADDRESS/, ['node', '--listen', 'nonsense']],
    [
      'an address of no machine',
      2,
      /Cannot listen on .*: choose another/,
      ['node', '--listen', '/ip4/127.0.0.1/tcp/1']
    ],
    ['power 2', 2, /\.05 to 1/, ['node', '--power', '2']],
    ['strangers 10', 2, /0 to 1; it is 10/, ['node', '--strangers', '10']],
    [
      'a ledger of no folder',
      2,
      /no ledger of the network local/,
      ['ledger', 'export', 'none.json', '--out', 'x']
    ]
  ])('%s', async (_, status, message, args) => {
    const ending = await said(
      ...args.map((arg) => (/[.]json$|^newer$|^no\/|^[.]$/.test(arg) ? at(arg) : arg))
    )
    expect(ending.err).toMatch(message)
    expect(ending.err).not.toMatch(/^ +at /m)
    expect(ending).toMatchObject({ status, out: '' })
  })

  test.each<[string, RegExp, string[]]>([
    ['an unknown command', /^unknown command 'frobnicate'/, ['frobnicate']],
    ['an unknown option', /^unknown option '--loud'/, ['skills', '--loud']],
    ['an option without its value', /^option '--wait <seconds>' argument missing/, ['peers', '--wait']],
    ['a value that does not fit', /^--wait is a whole number .* it is soon/, ['peers', '--wait', 'soon']],
    ['no skill', /^missing required argument 'skill'/, ['quote', '--input', 'product.json']],
    ['no input', /^required option '--input <file>' not specified/, ['submit', 'matmul-i8']],
    ['too many words', /^too many arguments/, ['peers', 'all']],
    ['an unknown option of the ledger', /^Unknown option '--loud'/, ['ledger', '--loud']]
  ])('for programs in JSON: %s', async (_, message, args) => {
    const { status, out, err } = await said(...args.slice(0, 1), '--json', ...args.slice(1))
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(err)).toEqual({ error: { code: 'USAGE', message: expect.stringMatching(message) } })
  })

  beforeAll(async () => {
    await writeFile(at('words.json'), 'words')
    await writeFile(at('wide.json'), product.replace('1', '300'))
    await writeFile(at('huge.json'), '')
    await truncate(at('huge.json'), 2 ** 28 + 1)
    await mkdir(at('newer/local'), { recursive: true })
    await writeFile(at('newer/local/store.log'), 'SWH9')
  })

  test('two processes with one data folder', async () => {
    const { status, err } = await run('node', '--port', '0', '--data', at('provider'), '--json')
    expect(status).toBe(1)
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'LOCKED', retryable: true } })
  })
})
