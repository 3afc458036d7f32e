import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSwarm } from '../../src/index.ts'
import { product } from '../fixtures/node-house.ts'

// `npm start` as a process of its own, as a person runs it.

const SCRIPT = fileURLToPath(new URL('../../src/cli/start.ts', import.meta.url))

const READY = /page +(http:\S+)\n +relay +(\S+)[\s\S]*?helper +(\S+)[\s\S]*Ctrl-C/

let folder: string
const identities: unknown[] = []
const running: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-'))
})
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
  }
  await rm(folder, { recursive: true })
})

function start(...args: string[]) {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true // a group of its own, as in a terminal
  })
  running.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', (text) => {
    said.out += text
  })
  child.stderr.on('data', (text) => {
    said.err += text
  })
  return {
    child,
    said,
    /** Resolves when it has said that, or rejects when it has ended without. */
    says: async (pattern: RegExp) => {
      while (!pattern.test(said.out)) {
        const ended = once(child, 'exit').then(() => {
          throw new Error(`It ended: ${said.out}${said.err}`)
        })
        await Promise.race([once(child.stdout, 'data'), ended])
      }
      return pattern.exec(said.out)?.slice(1) ?? []
    },
    ends: async () => (await once(child, 'exit')) as [number | null, string | null]
  }
}

async function childrenOf({ pid }: ChildProcess): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // no such process
  }
}

describe('npm start', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'serves page, relay and a helper that works; %s ends it all',
    async (signal) => {
      const { child, says, said, ends } = start('--port', '0', '--data', join(folder, 'data'))
      const [origin = '', relay = '', helper = ''] = await says(READY)
      identities.push([relay.split('/p2p/')[1], helper])
      expect(await (await fetch(origin)).text()).toContain('<title>')
      expect(await (await fetch(new URL('/healthz', origin))).json()).toMatchObject({ ok: true })

      const swarm = await createSwarm({ relays: [relay] })
      const job = swarm.submit('matmul-i8', product(64), { units: 2 })
      const { receipt } = await job.result
      expect(receipt.providers).toMatchObject([{ peer: helper, units: 2 }])
      await swarm.stop()

      const helpers = await childrenOf(child)
      expect(helpers).toHaveLength(1)
      const ended = ends()
      const asked = performance.now()
      // Ctrl-C reaches the whole group, `kill` one process
      process.kill(signal === 'SIGINT' ? -Number(child.pid) : Number(child.pid), signal)
      expect(await ended).toEqual([0, null])
      expect(performance.now() - asked).toBeLessThan(6_000)
      expect(helpers.filter(isAlive)).toEqual([])
      expect(said.err).toBe('')
    }
  )

  test('keeps relay and helper who they are', () => {
    expect(identities).toHaveLength(2)
    expect(identities[1]).toEqual(identities[0])
  })

  test('killed outright leaves no helper behind', async () => {
    const { child, says, ends } = start('--port', '0', '--data', join(folder, 'killed'))
    await says(/(Ctrl-C)/)
    const [helper = 0] = await childrenOf(child)
    const ended = ends()
    child.kill('SIGKILL')
    await ended
    await expect.poll(() => isAlive(helper), { timeout: 8_000 }).toBe(false)
  })

  test('explains its options', async () => {
    const { said, ends } = start('--help')
    expect(await ends()).toEqual([0, null])
    for (const option of ['port', 'host', 'network', 'helpers', 'data', 'log-level', 'trust-proxy']) {
      expect(said.out).toContain(`--${option}`)
    }
  })

  test('refuses options that it does not know, with a hint', async () => {
    const bad = [
      ['--port', '99999'],
      ['--port', 'http'],
      ['--helpers', '-1'],
      ['--network', 'moon'],
      ['--network', '__proto__'],
      ['--log-level', 'loud'],
      ['--what'],
      ['stray']
    ]
    await Promise.all(
      bad.map(async (args) => {
        const { said, ends } = start(...args)
        const [status] = await ends()
        expect(status, args.join(' ')).toBe(2)
        expect(said.err).toContain('--help')
        expect(said.err).not.toMatch(/^ +at /m)
        expect(said.out).toBe('')
      })
    )
  })

  test('says which port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { said, ends } = start('--port', port, '--data', join(folder, 'taken'))
    expect((await ends())[0]).toBe(1)
    expect(said.err).toContain(`Port ${port} is in use`)
    expect(said.err).not.toMatch(/^ +at /m)
    server.close()
  })
})
