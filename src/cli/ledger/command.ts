import { parseArgs } from 'node:util'
import { CID } from 'multiformats/cid'
import { type Audit, audit, type ChainState } from '../../credit/index.ts'
import { LEDGER_FILE_MAX } from '../../wire/index.ts'
import { readUpTo } from '../input.ts'
import { UsageError } from '../terminal.ts'
import {
  type CheckedLedger,
  checkLedger,
  type Fault,
  faultOf,
  findFork,
  type OpenedLedger,
  openLedger
} from './check.ts'
import { exportLedger } from './export.ts'
import { HELP } from './help.ts'
import { replaySettle } from './replay.ts'
import {
  balanceView,
  describeBooks,
  describeRecord,
  describeStart,
  isoTime,
  receiptViews,
  startView,
  toJson
} from './views.ts'

/** What a command found: text for people, the same as data, and whether all is right. */
interface Result {
  readonly lines: readonly string[]
  readonly json: unknown
  readonly isRight: boolean
}

export interface Output {
  out(text: string): void | Promise<void>
  error(text: string): void
}

/** Runs `swarmharness ledger`. @returns the exit status */
export async function runLedger(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals } = parse(args)
    if (values.help) {
      await output.out(HELP)
      return 0
    }
    const { lines, json, isRight } = await run(positionals, values).catch(explain)
    await output.out(values.json ? JSON.stringify(json) : lines.join('\n'))
    return isRight ? 0 : 1
  } catch (error) {
    if (error instanceof UsageError) {
      const plain = { code: 'USAGE', message: error.message }
      output.error(args.includes('--json') ? JSON.stringify({ error: plain }) : error.message)
      return 2
    }
    throw error
  }
}

function explain(error: unknown): Result {
  if (error instanceof FaultFound) {
    return failure(error)
  }
  throw error
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        at: { type: 'string' },
        network: { type: 'string' },
        out: { type: 'string' }
      }
    })
  } catch (cause) {
    // parseArgs says well what is wrong with an option
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

interface Flags {
  readonly at?: string | undefined
  readonly network?: string | undefined
  readonly out?: string | undefined
}

async function run([command, ...rest]: readonly string[], flags: Flags): Promise<Result> {
  switch (command) {
    case 'export':
      return write(rest, flags)
    case 'verify':
      return verify(rest)
    case 'show':
      return show(onlyFile(rest))
    case 'balance':
      return balance(onlyFile(rest), flags.at)
    case 'receipts':
      return receipts(onlyFile(rest))
    case 'replay':
      return replay(rest)
    default:
      throw new UsageError(`${command === undefined ? '' : `There is no command ${command}.\n\n`}${HELP}`)
  }
}

function onlyFile(rest: readonly string[]): string {
  const [file] = rest
  if (file === undefined || rest.length > 1) {
    throw new UsageError('Name one ledger file: --help lists the commands.')
  }
  return file
}

async function write(rest: readonly string[], { network = 'local', out }: Flags): Promise<Result> {
  const [folder, ...others] = rest
  if (folder === undefined || others.length > 0 || out === undefined) {
    throw new UsageError('Name one data folder, and with --out a file: --help lists the commands.')
  }
  const json = await exportLedger(folder, network, out)
  return { lines: [`${json.records} records of ${json.peer} on ${network}: ${out}`], json, isRight: true }
}

const read = (file: string): Promise<Uint8Array> =>
  readUpTo(file, { most: LEDGER_FILE_MAX, advice: 'no ledger file is that long' })

/** A file is not what it should be. */
class FaultFound extends Error {
  readonly file: string
  readonly fault: Fault

  constructor(file: string, fault: Fault) {
    super(fault.message)
    this.file = file
    this.fault = fault
  }
}

async function open(file: string): Promise<OpenedLedger> {
  const bytes = await read(file)
  try {
    return await openLedger(bytes)
  } catch (error) {
    throw new FaultFound(file, faultOf(error, null))
  }
}

type SoundLedger = CheckedLedger & { readonly state: ChainState }

const isSound = (ledger: CheckedLedger): ledger is SoundLedger =>
  ledger.fault === undefined && ledger.state !== undefined

async function openSound(file: string): Promise<SoundLedger> {
  const ledger = await checkLedger(await open(file))
  if (!isSound(ledger)) {
    throw new FaultFound(file, ledger.fault ?? NO_RECORDS)
  }
  return ledger
}

const NO_RECORDS: Fault = { place: null, code: 'BAD_RECORD', message: 'The chain is empty.' }

function failure({ file, fault }: FaultFound, before: readonly string[] = [], json: object = {}): Result {
  const where = fault.place === null ? file : `${file}, record ${fault.place}`
  return {
    lines: [...before, `${where}: ${fault.message} (${fault.code})`],
    json: { ...json, file, fault },
    isRight: false
  }
}

async function verify(files: readonly string[]): Promise<Result> {
  if (files.length === 0) {
    throw new UsageError('Name one ledger file or more: --help lists the commands.')
  }
  const ledgers: SoundLedger[] = []
  for (const file of files) {
    ledgers.push(await openSound(file))
  }
  const fork = findFork(ledgers.map(({ records }) => records))
  if (fork) {
    throw new FaultFound(files.join(', '), { ...fork, place: null })
  }
  const books = booksOf(ledgers)
  const lines = ledgers.flatMap(({ peer, network, records, start }, i) => [
    `${files[i]}: all ${records.length} records of ${peer} on ${network.parameters.name} hold`,
    ...(start ? [describeStart(start)] : [])
  ])
  const heads = ledgers.map(({ peer, network, records, start, state }) => ({
    peer,
    network: network.parameters.name,
    records: records.length,
    head: state.id.toString(),
    start: start ? startView(start) : null
  }))
  return {
    lines: [...lines, ...(books ? [describeBooks(books)] : [])],
    json: { ledgers: heads, audit: toJson(books ?? null) },
    isRight: true
  }
}

/** The audit of several chains; of one chain alone it says nothing, nor of chains that are not whole. */
function booksOf(ledgers: readonly CheckedLedger[]): Audit | undefined {
  const [first] = ledgers
  const chains = new Map(ledgers.map(({ peer, records }) => [peer, records]))
  const isOneNetwork = ledgers.every(
    ({ network, start }) => network.parameters === first?.network.parameters && start === undefined
  )
  if (first === undefined || chains.size < 2 || chains.size < ledgers.length || !isOneNetwork) {
    return undefined
  }
  return audit([...chains.values()], first.network.parameters)
}

async function show(file: string): Promise<Result> {
  const ledger = await checkLedger(await open(file))
  const { peer, network, records, start, fault } = ledger
  const lines = [
    `${peer} on ${network.parameters.name}`,
    ...(start ? [describeStart(start)] : []),
    ...records.map(describeRecord)
  ]
  const json = {
    peer,
    network: network.parameters.name,
    records: records.map(({ id, record }) => toJson({ id, ...record }))
  }
  return fault ? failure(new FaultFound(file, fault), lines, json) : { lines, json, isRight: true }
}

async function balance(file: string, at: string | undefined): Promise<Result> {
  const time = at === undefined ? Date.now() : Date.parse(at)
  if (Number.isNaN(time)) {
    throw new UsageError(`--at takes a time like 2026-01-31T12:00:00Z, not ${at}.`)
  }
  const { state, network } = await openSound(file)
  const view = balanceView(state, network, time)
  const lines = [
    `${view.peer} on ${view.network}, ${view.records} records`,
    `spendable  ${view.spendable} at ${isoTime(time)}`,
    `recorded   ${view.recorded}`,
    `in escrow  ${view.escrowed}`,
    ...view.openEscrows.map(
      ({ escrow, amount, tClose }) => `  ${amount} in ${escrow} until ${isoTime(tClose)}`
    )
  ]
  return { lines, json: view, isRight: true }
}

async function receipts(file: string): Promise<Result> {
  const views = receiptViews((await openSound(file)).records)
  const lines = views.map(
    ({ ts, direction, amount, peer, settle }) =>
      `${isoTime(ts)}  ${direction.padEnd(6)}  ${amount.padStart(12)}  ${peer}  ${settle}`
  )
  return { lines: lines.length > 0 ? lines : ['No payments.'], json: { receipts: views }, isRight: true }
}

async function replay([text, ...rest]: readonly string[]): Promise<Result> {
  const id = parseCid(text)
  const file = onlyFile(rest)
  const ledger = await open(file)
  const found = await replaySettle(ledger, id).catch((error: unknown) => {
    throw new FaultFound(file, faultOf(error, null))
  })
  if (found === undefined) {
    throw new UsageError(`${file} has no settle ${id}: \`receipts\` lists those that it has.`)
  }
  const { author, settle, payees, payouts, isSame } = found
  const { form, seed, inputs } = settle.body.split
  return {
    lines: [
      `settle ${id} of ${author}, form ${form}, seed ${toJson(seed)}`,
      ...payouts.map((payout, i) => {
        const stated = settle.body.payouts[i]
        const name = payees?.[i] ?? `payee ${i}`
        return `  ${name}  ${payout}${payout === stated ? '' : `, but the settle says ${stated}`}`
      }),
      isSame ? 'The split replays byte for byte.' : 'The split does NOT replay to what was signed.'
    ],
    json: toJson({ settle: id, author, form, seed, inputs, payees: payees ?? null, payouts, isSame }),
    isRight: isSame
  }
}

function parseCid(text: string | undefined): CID {
  try {
    return CID.parse(text ?? '')
  } catch (cause) {
    throw new UsageError(`"${text ?? ''}" is no CID of a settle: \`receipts\` lists them.`, { cause })
  }
}
