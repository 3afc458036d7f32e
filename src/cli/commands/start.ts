import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { createRelay, type Relay } from '../../../relay/index.ts'
import { NETWORKS, type NetworkName, networkOf } from '../../wire/index.ts'
import { type Helper, startHelpers } from '../helpers.ts'
import { lifetime, oneOf, STATUS, wholeNumber } from '../terminal.ts'
import { sayFailed } from './relay.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const HELPERS_MAX = 16

interface StartFlags {
  readonly port: number
  readonly host: string
  readonly network: NetworkName
  readonly helpers: number
  readonly data: string
  readonly logLevel: 'quiet' | 'info' | 'debug'
  readonly trustProxy: boolean
}

/** `npm start`: in the repository alone, since it serves the page that is built there. */
export function startCommand(done: (status: number) => void): Command {
  return new Command('start')
    .description('the relay with the page on one port, and helpers that compute for it (npm start)')
    .option('--port <n>', 'port of page and relay (0: any free one)', wholeNumber('port', 65_535), 7717)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option(
      '--network <name>',
      'local (strangers are welcome) or main',
      oneOf('network', ['local', 'main']),
      'local'
    )
    .option(
      '--helpers <n>',
      'providers in Node on the CPU, each a process',
      wholeNumber('helpers', HELPERS_MAX),
      1
    )
    .option('--data <folder>', 'where identities and ledgers are kept', join(ROOT, '.data'))
    .option(
      '--log-level <level>',
      'quiet, info or debug',
      oneOf('log-level', ['quiet', 'info', 'debug']),
      'info'
    )
    .option('--trust-proxy', 'believe X-Forwarded-For: only behind a proxy that writes it', false)
    .action(async (flags: StartFlags) => done(await start(flags)))
}

async function start(flags: StartFlags): Promise<number> {
  if (flags.logLevel === 'debug') {
    const { enable } = await import('@libp2p/logger')
    enable('swarmharness:*')
  }
  const { over } = lifetime()
  const say = flags.logLevel === 'quiet' ? () => {} : (text: string) => console.log(text)
  const relay = await createRelay({
    network: await networkOf(NETWORKS[flags.network]),
    host: flags.host,
    port: flags.port,
    dataFolder: join(flags.data, 'relay'),
    staticFolder: join(ROOT, 'dist'),
    trustProxy: flags.trustProxy
  })
  void relay.failed.then((error) => sayFailed(error, false))
  let helpers: Helper[] = []
  try {
    const [address] = relay.multiaddrs
    if (address !== undefined && flags.helpers > 0) {
      say(`Starting ${flags.helpers === 1 ? 'a helper' : `${flags.helpers} helpers`} …`)
      const starting = startHelpers({
        relay: address,
        network: flags.network,
        dataFolder: flags.data,
        count: flags.helpers
      })
      helpers = (await Promise.race([starting, over])) ?? (await starting)
    }
    console.log(greeting(relay, flags, helpers))
    await over
    say('\nStopping …')
  } finally {
    await Promise.allSettled(helpers.map((helper) => helper.stop()))
    await relay.stop()
  }
  return STATUS.done
}

function greeting(relay: Relay, { network, helpers }: StartFlags, started: readonly Helper[]): string {
  const lines = started.map(({ peer }) => `  helper    ${peer}`)
  return `
SwarmHarness, network ${network}

  page      ${relay.origin}/
  relay     ${relay.multiaddrs.join('\n            ')}
${lines.join('\n')}${lines.length > 0 ? '\n' : ''}
Open the page, consent, and press "Run a sample job"${helpers > 0 ? '' : ' (a second browser profile must contribute)'}.
Ctrl-C ends everything.`
}
