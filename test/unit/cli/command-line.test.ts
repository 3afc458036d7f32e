import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../../src/cli/version.ts'
import { NETWORKS, networkOf } from '../../../src/wire/index.ts'
import {
  at,
  BIN,
  ended,
  folder,
  PRODUCT,
  run,
  said,
  serve,
  start,
  useFolder
} from '../../fixtures/command-line.ts'
import { cleanups, startRelay } from '../../fixtures/started-relay.ts'

let relay: { origin: string; multiaddrs: string[] }
let provider: { peer: string }

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

useFolder()
beforeAll(async () => {
  await writeFile(at('product.json'), PRODUCT)
  relay = await serve('relay', '--port', '0')
  provider = await serve('node', '--relay', relay.origin, '--workers', '1', '--data', at('provider'))
}, 60_000)

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
      message: expect.stringContaining(
        `The relay at ${main.origin} is of the network main, not of local: start`
      )
    })
    expect(moon).toMatchObject({
      status: 2,
      err: expect.stringMatching(
        /of the network moon, .*choose its network here \(--network, .*\(WRONG_NETWORK\)\n$/
      )
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

  test('two processes with one data folder', async () => {
    const { status, err } = await run('node', '--port', '0', '--data', at('provider'), '--json')
    expect(status).toBe(1)
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'LOCKED', retryable: true } })
  })
})
