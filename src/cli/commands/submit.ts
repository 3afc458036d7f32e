import { Command } from 'commander'
import type { JobEvent, JobReceipt, SubmitOptions, Swarm } from '../../index.ts'
import { SwarmError } from '../../wire/index.ts'
import { connect, type NetworkOptions, withNetwork } from '../connect.ts'
import { readInput } from '../input.ts'
import { givesOneArray, OutputFile, outputText } from '../output.ts'
import {
  interruption,
  microcredits,
  notWritten,
  STATUS,
  type Terminal,
  terminal,
  UsageError,
  wholeNumber
} from '../terminal.ts'
import { knownSkill } from './skills.ts'

interface SubmitFlags extends NetworkOptions {
  readonly input: string
  readonly out?: string
  readonly budget?: bigint
  readonly units?: number
  readonly deadline?: number
  readonly redundancy?: number
  readonly key?: string
}

export function submitCommand(done: (status: number) => void): Command {
  const command = new Command('submit')
    .description('hire the swarm for one job; Ctrl-C cancels it, pays what was verified and refunds the rest')
    .argument('<skill>', 'its name: `swarmharness skills` lists them')
    .requiredOption('--input <file>', 'JSON (see `swarmharness skills <skill>`); - is standard input')
    .option(
      '--out <file>',
      'where the output goes: .json, or .bin for one bare array (default, and -: standard output)'
    )
    .option('--budget <µcr>', 'the most that the job may cost (default: twice its price)', microcredits)
    .option('--units <n>', 'into how many units to split', wholeNumber('units', 65_536, 1))
    .option('--deadline <seconds>', 'until when the result is wanted', wholeNumber('deadline', 86_400, 1))
    .option('--redundancy <n>', 'have each unit computed by so many', wholeNumber('redundancy', 8, 1))
    .option(
      '--key <text>',
      'with --data: a second call with the same key pays nothing and gives the same result'
    )
  return withNetwork(command).action(async (skill: string, flags: SubmitFlags) => {
    done(await submit(skill, flags, terminal(flags)))
  })
}

async function submit(name: string, flags: SubmitFlags, term: Terminal): Promise<number> {
  const skill = knownSkill(name)
  if (flags.key !== undefined && flags.data === undefined) {
    throw new UsageError('--key needs --data: without a folder nothing is remembered.')
  }
  if (flags.out?.endsWith('.bin') && !givesOneArray(skill)) {
    throw new UsageError(`What ${name} gives is more than one array: write it as .json.`)
  }
  const input = await readInput(flags.input, skill.example())
  const { signal, wasInterrupted } = interruption() // before there is a draft that Ctrl-C would leave behind
  const out = await openOutput(flags.out)
  const closed: { receipt?: JobReceipt } = {} // the books of a job, however it ends
  let isDone = false
  let swarm: Swarm | undefined
  try {
    swarm = await connect(flags, term, signal)
    const order = { name, input, options: optionsOf(flags, signal) }
    const { value, receipt } = await follow(swarm, order, term, closed)
    isDone = true
    term.say(receiptText(receipt))
    await deliver({ value, receipt, out, flags }, term)
    return STATUS.done
  } catch (error) {
    if (isDone || !signal.aborted) {
      throw error
    }
    await tellCancelled(closed, term)
    return wasInterrupted() ? STATUS.interrupted : STATUS.failed
  } finally {
    await out?.close()
    await swarm?.stop()
  }
}

/** Standard output may be a file that others write, too: replacing it would lose what they wrote. */
const STANDARD_OUTPUT = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']

const openOutput = async (path: string | undefined) =>
  path === undefined || STANDARD_OUTPUT.includes(path) ? undefined : OutputFile.open(path)

interface Delivery {
  readonly value: unknown
  readonly receipt: JobReceipt
  readonly out: OutputFile | undefined
  readonly flags: SubmitFlags
}

/** What is paid must not be lost: where the file cannot be written, standard output has it. */
async function deliver({ value, receipt, out, flags }: Delivery, term: Terminal): Promise<void> {
  const obstacle = await out?.write(value).then(
    () => undefined,
    (cause: unknown) => ({ cause })
  )
  if (out !== undefined && obstacle === undefined) {
    return term.result(`${flags.out} written`, { receipt, out: flags.out })
  }
  try {
    const text = outputText(value)
    await term.result(text, { receipt, value: JSON.parse(text) })
  } catch (error) {
    const cause = error instanceof SwarmError ? error.cause : error
    throw notWritten('Standard output', cause, `make room.${flags.key === undefined ? '' : AGAIN}`)
  }
  if (obstacle !== undefined) {
    const advice = 'make room. The job is done and paid: its output is on standard output instead.'
    throw notWritten(flags.out ?? '', obstacle.cause, advice)
  }
}

const AGAIN = ' The same call gives it again, and pays nothing.'

function optionsOf(flags: SubmitFlags, signal: AbortSignal): SubmitOptions {
  return {
    signal,
    providerWaitMs: Math.max(1, flags.wait) * 1_000,
    ...(flags.budget !== undefined && { budget: flags.budget }),
    ...(flags.units !== undefined && { units: flags.units }),
    ...(flags.deadline !== undefined && { deadlineMs: flags.deadline * 1_000 }),
    ...(flags.redundancy !== undefined && { redundancy: flags.redundancy }),
    ...(flags.key !== undefined && { key: flags.key })
  }
}

interface Order {
  readonly name: string
  readonly input: unknown
  readonly options: SubmitOptions
}

/** Draws the job's way; after an end of any kind its books are closed. */
async function follow(
  swarm: Swarm,
  { name, input, options }: Order,
  term: Terminal,
  closed: { receipt?: JobReceipt }
) {
  const job = swarm.submit(name, input, options)
  for await (const event of job) {
    term.draw(progressText(event))
    if (event.type === 'settled') {
      closed.receipt = event.receipt
    }
  }
  term.draw('')
  if (options.signal?.aborted === true) {
    await job.cancel() // what it hired has books, too
  }
  return job.result
}

/** Standard output is the job's: without `--json` nothing is written there. */
async function tellCancelled({ receipt }: { receipt?: JobReceipt }, term: Terminal): Promise<void> {
  if (term.json) {
    return term.result('', { cancelled: true, ...(receipt && { receipt }) })
  }
  term.say(
    receipt === undefined
      ? 'Cancelled; nothing was paid.'
      : `${receiptText(receipt)}\nCancelled: ${receipt.refund} µcr came back.`
  )
}

const BAR = 32
let last = ''

function progressText(event: JobEvent): string {
  if (event.type === 'queued') {
    last = `${event.units} units, ${event.price} µcr; looking for providers …`
  } else if (event.type === 'hired') {
    last = `${event.candidates.filter(({ chosen }) => chosen !== undefined).length} providers hired …`
  } else if (event.type === 'progress') {
    const filled = Math.round((event.done / event.of) * BAR)
    last = `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${event.done.toFixed(1)}/${event.of} units`
  } else if (event.type === 'settled') {
    last = 'paid …'
  }
  return last
}

function receiptText({ price, paid, refund, providers, certainty }: JobReceipt): string {
  const lines = providers.map(
    ({ peer, units, rejected, paid: share }) =>
      `  ${peer}  ${units} units${rejected > 0 ? `, ${rejected} refused` : ''}, ${share} µcr`
  )
  return [...lines, `  price ${price} µcr, paid ${paid} µcr, refund ${refund} µcr, ${certainty}`].join('\n')
}
