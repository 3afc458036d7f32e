import { mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'
import { availableParallelism, networkInterfaces, totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { relaysAt } from '../../swarm/host.ts'
import { SwarmError } from '../../wire/index.ts'
import { connect } from '../connect.ts'
import { absent, reasonOf, STATUS, type Terminal, terminal } from '../terminal.ts'

/** What this machine can do, and how to mend what it cannot. */
interface Finding {
  readonly name: string
  /** `limited`: it works, but not everything does. */
  readonly verdict: 'good' | 'limited' | 'bad'
  readonly text: string
}

interface DoctorFlags {
  readonly json?: boolean
  readonly data: string
  readonly relay?: readonly string[]
}

const FREE_MIN = 64 * 2 ** 20
/** Seconds. */
const RELAY_WAIT = 5

export function doctorCommand(done: (status: number) => void): Command {
  return new Command('doctor')
    .description('what this machine can do for the swarm, and how to mend what it cannot')
    .option('--data <folder>', 'the data folder to look at', '.')
    .option(
      '--relay <address>',
      'a relay to try; may be repeated',
      (value: string, before: readonly string[] = []) => [...before, value]
    )
    .option('--json', 'the result as one line of JSON')
    .action(async (flags: DoctorFlags) => done(await examine(flags, terminal(flags))))
}

async function examine(flags: DoctorFlags, term: Terminal): Promise<number> {
  const findings = await Promise.all([
    node(),
    cores(),
    dataFolder(flags.data),
    network(),
    webRtc(),
    gpu(),
    ...(flags.relay ?? []).map(relay)
  ])
  const marks = { good: '+', limited: '~', bad: '!' } as const
  const lines = findings.map(({ name, verdict, text }) => `${marks[verdict]} ${name.padEnd(12)} ${text}`)
  await term.result(lines.join('\n'), { findings })
  return findings.some(({ verdict }) => verdict === 'bad') ? STATUS.failed : STATUS.done
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > 22 || (major === 22 && minor >= 12)
  return isNew
    ? { name: 'Node', verdict: 'good', text: process.version }
    : { name: 'Node', verdict: 'bad', text: `${process.version} is too old: install Node 22.12 or newer.` }
}

function cores(): Finding {
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1)
  const count = availableParallelism()
  const text = `${count} cores, ${gibibytes} GiB`
  return count > 1
    ? { name: 'processor', verdict: 'good', text }
    : { name: 'processor', verdict: 'limited', text: `${text}: computing and the network share one core.` }
}

/** Whether a node could keep its data there. */
export async function dataFolder(folder: string): Promise<Finding> {
  const name = 'data folder'
  try {
    const there = await nearest(resolve(folder))
    await rmdir(await mkdtemp(join(there, '.doctor-'))) // rights alone do not say whether anything can be made there
    const { bavail, bsize } = await statfs(there)
    const free = bavail * bsize
    return free < FREE_MIN
      ? { name, verdict: 'bad', text: `${folder} has ${Math.floor(free / 2 ** 20)} MiB free: make room.` }
      : { name, verdict: 'good', text: `${folder} can be written, ${(free / 2 ** 30).toFixed(1)} GiB free` }
  } catch (error) {
    return {
      name,
      verdict: 'bad',
      text: `${folder} cannot be written (${reasonOf(error)}): choose another one with --data.`
    }
  }
}

/** The folder, or the first above it that is there: who only looks makes none. */
async function nearest(folder: string): Promise<string> {
  const found = await stat(folder).catch(absent)
  return found === undefined && dirname(folder) !== folder ? nearest(dirname(folder)) : folder
}

function network(): Finding {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
  return outside.length > 0
    ? { name: 'network', verdict: 'good', text: `${outside.length} addresses besides loopback` }
    : {
        name: 'network',
        verdict: 'limited',
        text: 'only loopback: WebRTC finds no way; WebSocket works on this machine. Connect it to a network.'
      }
}

async function webRtc(): Promise<Finding> {
  try {
    const { RTCPeerConnection } = await import('node-datachannel/polyfill')
    new RTCPeerConnection().close()
    return { name: 'WebRTC', verdict: 'good', text: 'tabs can be reached directly' }
  } catch {
    return {
      name: 'WebRTC',
      verdict: 'limited',
      text: 'node-datachannel has no library for this platform: tabs reach this node only at a --listen address.'
    }
  }
}

const GPU_ADVICE =
  'With `npm install webgpu` and a driver for the GPU (on Linux Vulkan) `node` takes it by itself.'
const SOFTWARE_GPU = 'webgpu-swiftshader'

async function gpu(): Promise<Finding> {
  const name = 'WebGPU'
  const { createEngine } = await import('../../compute/index.ts')
  try {
    const engine = await createEngine({ backend: 'webgpu', workers: 1 })
    const { class: kind } = engine.device
    engine.close()
    return kind === SOFTWARE_GPU
      ? { name, verdict: 'limited', text: `only in software: the CPU computes. ${GPU_ADVICE}` }
      : { name, verdict: 'good', text: `${kind}; \`node\` computes there` }
  } catch (error) {
    const why =
      error instanceof SwarmError && error.code === 'NO_WEBGPU' ? 'no adapter' : 'Dawn could not start'
    return {
      name,
      verdict: 'limited',
      text: `${why}: the CPU computes. ${GPU_ADVICE}`
    }
  }
}

/** Joins the network that the relay says it is of. */
async function relay(address: string): Promise<Finding> {
  const name = 'relay'
  try {
    const { network: theirs = 'local' } = await relaysAt(address)
    const network = theirs === 'main' ? 'main' : 'local' // of others: refused there
    const swarm = await connect({ relay: [address], network, wait: RELAY_WAIT }, terminal({ json: true }))
    await swarm.stop()
    const hint = network === 'main' ? '; the other commands need --network main to use it' : ''
    return { name, verdict: 'good', text: `${address} lets this machine in, network ${network}${hint}` }
  } catch (error) {
    return { name, verdict: 'bad', text: error instanceof Error ? error.message : String(error) }
  }
}
