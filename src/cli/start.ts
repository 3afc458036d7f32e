/** `npm start`: the relay with the page on one port, and helpers that make the page's form work at once. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createRelay, type Relay } from '../../relay/index.ts'
import { SwarmError } from '../index.ts'
import { NETWORKS, type NetworkName, networkOf } from '../wire/index.ts'
import { type Helper, startHelpers } from './helpers.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const HELP = `Starts a relay with the page, and helpers to compute for it.

  npm start -- [options]

  --port N             port of page and relay (default 7717; 0: any free one)
  --host HOST          address to listen on (default 127.0.0.1)
  --network NAME       local (strangers are welcome) or main (default local)
  --helpers N          providers in Node on the CPU, each a process (default 1, at most 16)
  --data FOLDER        where identities and ledgers are kept (default .data)
  --log-level LEVEL    quiet, info or debug (default info)
  --trust-proxy        believe X-Forwarded-For: only behind a proxy that writes it
  --help               this text`

const LOG_LEVELS = ['quiet', 'info', 'debug'] as const
const HELPERS_MAX = 16

interface StartOptions {
  readonly port: number
  readonly host: string
  readonly network: NetworkName
  readonly helpers: number
  readonly data: string
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly trustProxy: boolean
}

class UsageError extends Error {}

function readOptions(args: string[]): StartOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '7717' },
      host: { type: 'string', default: '127.0.0.1' },
      network: { type: 'string', default: 'local' },
      helpers: { type: 'string', default: '1' },
      data: { type: 'string', default: join(ROOT, '.data') },
      'log-level': { type: 'string', default: 'info' },
      'trust-proxy': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    return undefined
  }
  const logLevel = LOG_LEVELS.find((level) => level === values['log-level'])
  if (logLevel === undefined) {
    throw new UsageError(`--log-level is one of ${LOG_LEVELS.join(', ')}; it is ${values['log-level']}.`)
  }
  if (!Object.hasOwn(NETWORKS, values.network)) {
    throw new UsageError(`--network is one of ${Object.keys(NETWORKS).join(', ')}; it is ${values.network}.`)
  }
  return {
    port: wholeNumber('port', values.port, 65_535),
    host: values.host,
    network: values.network as NetworkName, // one of them: checked in the lines above
    helpers: wholeNumber('helpers', values.helpers, HELPERS_MAX),
    data: values.data,
    logLevel,
    trustProxy: values['trust-proxy']
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > most) {
    throw new UsageError(`--${name} is a whole number from 0 to ${most}; it is ${text}.`)
  }
  return value
}

async function start(options: StartOptions): Promise<void> {
  const over = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => over.resolve())
  }
  const say = options.logLevel === 'quiet' ? () => {} : (text: string) => console.log(text)
  const relay = await createRelay({
    network: await networkOf(NETWORKS[options.network]),
    host: options.host,
    port: options.port,
    dataFolder: join(options.data, 'relay'),
    staticFolder: join(ROOT, 'dist'),
    trustProxy: options.trustProxy
  })
  let helpers: Helper[] = []
  try {
    const [address] = relay.multiaddrs
    if (address !== undefined && options.helpers > 0) {
      say(`Starting ${options.helpers === 1 ? 'a helper' : `${options.helpers} helpers`} …`)
      const starting = startHelpers({
        relay: address,
        network: options.network,
        dataFolder: options.data,
        count: options.helpers
      })
      helpers = (await Promise.race([starting, over.promise])) ?? (await starting)
    }
    console.log(greeting(relay, options, helpers))
    await over.promise
    say('\nStopping …')
  } finally {
    await Promise.allSettled(helpers.map((helper) => helper.stop()))
    await relay.stop()
  }
}

function greeting(relay: Relay, { network, helpers }: StartOptions, started: readonly Helper[]): string {
  const lines = started.map(({ peer }) => `  helper    ${peer}`)
  return `
SwarmHarness, network ${network}

  page      ${relay.origin}/
  relay     ${relay.multiaddrs.join('\n            ')}
${lines.join('\n')}${lines.length > 0 ? '\n' : ''}
Open the page, consent, and press "Run a sample job"${helpers > 0 ? '' : ' (a second browser profile must contribute)'}.
Ctrl-C ends everything.`
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    console.log(HELP)
  } else {
    if (options.logLevel === 'debug') {
      const { enable } = await import('@libp2p/logger')
      enable('swarmharness:*')
    }
    await start(options)
  }
  process.exit(0)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}

function explain(error: unknown): unknown {
  if (error instanceof SwarmError) {
    return `${error.message} (${error.code})`
  }
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error) // parseArgs
  return isUsage ? `${error.message}\nSee: npm start -- --help` : error
}
