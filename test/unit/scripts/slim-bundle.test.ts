import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as realKeys from '@libp2p/crypto/keys'
import { isPrivateIp } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import * as fc from 'fast-check'
import { bases } from 'multiformats/basics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  quietLibraries,
  slimLibraries,
  withoutFieldStreams,
  withoutLogs,
  withShortTemplates
} from '../../../scripts/slim-bundle.ts'

// What the bundles do without must change nothing else.

const REPOSITORY = resolve(import.meta.dirname, '../../..')
const MODULES = join(REPOSITORY, 'node_modules')
const MESSAGES = join(MODULES, '@libp2p/kad-dht/dist/src/message/dht.js')
const RESOLVERS = join(MODULES, 'libp2p/dist/src/connection-manager/resolvers/index.js')
const folder = mkdtempSync(join(tmpdir(), 'slim-bundle-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Message {
  readonly type: string
  readonly key?: Uint8Array
  readonly closer: ReadonlyArray<{ readonly id: Uint8Array; readonly multiaddrs: readonly Uint8Array[] }>
  readonly providers: Message['closer']
}

interface Messages {
  readonly Message: {
    encode(message: Message): Uint8Array
    decode(bytes: Uint8Array, options?: object): Message
  }
}

interface Mappings {
  new (components: object): { has(address: unknown): boolean; getAll(addresses: unknown[]): unknown[] }
}

interface Libraries {
  readonly keys: typeof realKeys
  readonly bases: Readonly<Record<string, unknown>>
  readonly messages: Messages
  readonly resolvers: {
    readonly dnsaddrResolver: object
    resolveMultiaddr(address: unknown, resolvers: object, options: object): Promise<unknown[]>
  }
  readonly isPrivateIp: typeof isPrivateIp
  readonly mortice: (init: object) => { writeLock(): Promise<() => void> }
  readonly retry: (run: (attempt: number) => Promise<unknown>, init: object) => Promise<unknown>
  readonly mappings: Readonly<Record<string, Mappings>>
  readonly logs: { defaultLogger(): { forComponent(name: string): (text: string) => void } }
}

const ENTRY = `export * as keys from '@libp2p/crypto/keys'
export { bases } from 'multiformats/basics'
export * as messages from '${MESSAGES}'
export * as resolvers from '${RESOLVERS}'
export * as mappings from 'the-mappings'
export * as logs from '@libp2p/logger'
export { isPrivateIp } from '@libp2p/utils'
export { default as mortice } from '${MODULES}/mortice/dist/src/index.js'
export { default as retry } from 'p-retry'`

const ADDRESSES = join(MODULES, 'libp2p/dist/src/address-manager')
const MAPPINGS = `export { DNSMappings } from '${ADDRESSES}/dns-mappings.js'
export { IPMappings } from '${ADDRESSES}/ip-mappings.js'`

/** What the page has of the libraries. */
async function slim(): Promise<Libraries> {
  const { build } = await import('vite')
  const entry = {
    name: 'entry',
    enforce: 'pre' as const,
    resolveId: (id: string) => /(#entry|the-mappings)$/.exec(id)?.[0] ?? null,
    load: (id: string) => ({ '#entry': ENTRY, 'the-mappings': MAPPINGS })[id] ?? null
  }
  const made = await build({
    configFile: false,
    root: REPOSITORY,
    publicDir: false,
    logLevel: 'error',
    plugins: [entry, ...slimLibraries(), ...quietLibraries()],
    build: { target: 'es2022', write: false, minify: false, lib: { entry: '#entry', formats: ['es'] } }
  })
  const [first] = Array.isArray(made) ? made : [made]
  const chunk = first !== undefined && 'output' in first ? first.output[0] : undefined
  if (chunk === undefined) throw new Error('nothing was built')
  const path = join(folder, 'libraries.mjs')
  writeFileSync(path, chunk.code)
  return await import(path)
}

describe('the libraries in the page', () => {
  let libraries: Libraries
  beforeAll(async () => {
    libraries = await slim()
  }, 120_000)

  it('sign and check by Ed25519 as ever', async () => {
    const key = await libraries.keys.generateKeyPair('Ed25519')
    const words = new TextEncoder().encode('words')
    const known = realKeys.publicKeyFromProtobuf(libraries.keys.publicKeyToProtobuf(key.publicKey))
    expect(await known.verify(words, await key.sign(words))).toBe(true)
  })

  it.each(['RSA', 'ECDSA', 'secp256k1'] as const)(
    'refuse a peer that comes with a key of kind %s',
    async (kind) => {
      const { publicKey } = await realKeys.generateKeyPair(kind)
      expect(() => libraries.keys.publicKeyFromProtobuf(realKeys.publicKeyToProtobuf(publicKey))).toThrow(
        'A key of this kind has no place here'
      )
      expect(() => libraries.keys.publicKeyFromRaw(publicKey.raw)).toThrow()
    }
  )

  it('write and read the messages of the DHT as ever, and bound them', async () => {
    const real: Messages = await import(MESSAGES)
    const bytes = fc.uint8Array({ maxLength: 40 })
    const peers = fc.array(fc.record({ id: bytes, multiaddrs: fc.array(bytes, { maxLength: 3 }) }), {
      maxLength: 4
    })
    const message = fc.record({
      type: fc.constantFrom('PUT_VALUE', 'GET_PROVIDERS', 'FIND_NODE', 'PING'),
      key: bytes,
      closer: peers,
      providers: peers
    })
    fc.assert(
      fc.property(message, (sent) => {
        const encoded = libraries.messages.Message.encode(sent)
        expect(encoded).toEqual(real.Message.encode(sent))
        expect(libraries.messages.Message.decode(encoded)).toEqual(real.Message.decode(encoded))
        const tooMany = { limits: { closer: sent.closer.length - 1 } }
        if (sent.closer.length > 1) {
          expect(() => libraries.messages.Message.decode(encoded, tooMany)).toThrow('too many')
        }
      })
    )
  })

  it('know all bases but the one of emoji', () => {
    expect(Object.keys(libraries.bases)).toEqual(Object.keys(bases).filter((name) => name !== 'base256emoji'))
  })

  it('ask nobody for what stands behind an address of the DNS', async () => {
    const address = multiaddr('/dnsaddr/bootstrap.libp2p.io')
    const { resolveMultiaddr, dnsaddrResolver } = libraries.resolvers
    expect(await resolveMultiaddr(address, { dnsaddr: dnsaddrResolver }, {})).toEqual([address])
  })

  it.each(['DNSMappings', 'IPMappings'])(
    'know of no %s, and can be asked all that is asked',
    async (name) => {
      const file = name === 'DNSMappings' ? 'dns-mappings.js' : 'ip-mappings.js'
      const real: Readonly<Record<string, Mappings>> = await import(join(ADDRESSES, file))
      const mine = libraries.mappings[name]
      if (mine === undefined) throw new Error('it is not there')
      const asked = Object.getOwnPropertyNames(real[name]?.prototype).filter(
        (each) => !each.startsWith('maybe')
      )
      expect(asked.length).toBeGreaterThan(5)
      expect(Object.getOwnPropertyNames(mine.prototype)).toEqual(expect.arrayContaining(asked))
      const mappings = new mine({})
      expect(mappings.has(multiaddr('/ip4/1.2.3.4/tcp/1'))).toBe(false)
      expect(mappings.getAll([])).toEqual([])
    }
  )

  it('know the private addresses as ever', () => {
    const addresses = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc
        .tuple(
          fc.constantFrom('10.0', '127.0', '100.64', '172.16', '172.32', '192.168', '169.254', '192.0'),
          fc.nat(255),
          fc.nat(255)
        )
        .map((parts) => parts.join('.')),
      fc.ipV4().map((address) => `::ffff:${address}`)
    )
    fc.assert(
      fc.property(addresses, (address) => {
        expect(libraries.isPrivateIp(address)).toBe(isPrivateIp(address))
      }),
      { numRuns: 500 }
    )
  })

  it('lock out one another as ever, but for nobody outside', async () => {
    const lock = libraries.mortice({ name: 'one', singleProcess: true })
    const release = await lock.writeLock()
    const order: string[] = []
    const next = lock.writeLock().then((free) => {
      order.push('second')
      free()
    })
    await Promise.resolve()
    order.push('first')
    release()
    await next
    expect(order).toEqual(['first', 'second'])
  })

  it('come back to a relay as often as nodes here have it: once', async () => {
    let attempts = 0
    const fail = async (attempt: number) => {
      attempts = attempt
      throw new Error('gone')
    }
    await expect(libraries.retry(fail, { retries: 0 })).rejects.toThrow('gone')
    expect(attempts).toBe(1)
    expect(readFileSync(join(REPOSITORY, 'src/net/node.ts'), 'utf8')).toContain('reconnectRetries: 0')
  })

  it('have a log to write to, which keeps still', () => {
    const log = libraries.logs.defaultLogger().forComponent('libp2p')
    expect(log('words')).toBeUndefined()
  })
})

describe('code', () => {
  it('does without its logs what it did with them', () => {
    const code = `function f(x, init, log) {
      const self = { log, init: { log }, seen: [] }
      if (x > 1) self.log('more than one'); else log.trace('less')
      for (const each of [x, 2]) init?.log?.error('%d', each)
      self.init.log(\`\${x}\`)
      const kept = Math.log(x)
      return [kept, [1].map((value) => { log('one'); return value + x })]
    }`
    const silent = new Function(`return ${withoutLogs(code)}`)()
    const log = () => {
      throw new Error('it logs')
    }
    const loud = Object.assign(log, { trace: log, error: log })
    expect(silent(2, { log: loud }, loud)).toEqual([Math.log(2), [3]])
    expect(silent(1, undefined, loud)).toEqual([0, [2]])
  })

  it('of messages that has no field streams is looked at by a person', () => {
    expect(() => withoutFieldStreams('message(write, read)')).toThrow('no field streams')
  })

  it('has the same templates without their indents', () => {
    const bare = (text: string) => text.replace(/\/\*.*?\*\//gs, '').replace(/[\s;]+/g, '')
    const files = globSync('src/ui/*.ts', { cwd: REPOSITORY })
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) {
      const code = stripTypeScriptTypes(readFileSync(join(REPOSITORY, file), 'utf8'))
      const short = withShortTemplates(code)
      expect(bare(short), file).toBe(bare(code))
    }
    const style = `css\`
      /* why */
      a :hover,
      b { margin: 0 calc(1px + \${x}); }
    \``
    expect(withShortTemplates(style)).toBe(`css\` a :hover,b{margin:0 calc(1px + \${x})}\``)
    const markup = `html\`
      <p class="a  b">\${x}
        y</p>
    \``
    expect(withShortTemplates(markup)).toBe(`html\` <p class="a  b">\${x} y</p> \``)
  })
})
