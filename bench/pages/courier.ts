import type { Connection, PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import * as z from 'zod/mini'
import type { Engine } from '../../src/compute/index.ts'
import type { EarningContract, Ledger } from '../../src/credit/index.ts'
import { Channel } from '../../src/jobs/channel.ts'
import { Exclusions } from '../../src/jobs/exclusions.ts'
import { Provider } from '../../src/jobs/index.ts'
import type { JobContext } from '../../src/jobs/job-context.ts'
import { KnownAnswers } from '../../src/jobs/known-answers.ts'
import { Outlay } from '../../src/jobs/outlay.ts'
import { hashPlan } from '../../src/jobs/plan.ts'
import { Round } from '../../src/jobs/round.ts'
import { framedStream, type SwarmNode, ticker } from '../../src/net/index.ts'
import { SwarmRouter } from '../../src/router/index.ts'
import { kernelHash, type Plan, type Skill, type UnitSpec } from '../../src/skills/index.ts'
import {
  cidOf,
  decode,
  encode,
  JOB_FRAME_MAX,
  jobResponseFrame,
  NETWORKS,
  networkOf,
  type PeerIdString,
  protocolId,
  type Signed
} from '../../src/wire/index.ts'

/**
 * The job protocol as a carrier of bytes: the product's `Provider`, `Channel` and `Round`, each result hashed,
 * signed and receipted, but with an engine that computes nothing and books that cost nothing. On a network of
 * its own, so that it lives beside the real one.
 */

const NETWORK = await networkOf({ ...NETWORKS.local, name: 'courier' })
const JOB = new Uint8Array(16)
/** The most that a unit may carry. */
const UNIT = 4 * 1024 * 1024
const NOTHING = new Uint8Array(1)

/** `params`: how many bytes the result has. */
const skill: Skill = {
  manifest: {
    name: 'courier',
    version: '1.0.0',
    description: 'Carries bytes.',
    tags: [],
    license: 'MIT',
    timeout_secs: 60,
    check: 'weak'
  },
  input: z.unknown(),
  example: () => undefined,
  variants: [],
  plan: () => planOf([], []),
  checkUnit: ({ params }) => ({ resultSize: params[0] ?? 0, cost: 1n }),
  // biome-ignore lint/correctness/useYield: the engine below never asks for it
  *cpu() {
    return NOTHING
  },
  gpu: () => ({ bindings: [], resultSize: 0, dispatches: [] }),
  verify: () => true
}

const engine: Engine = {
  device: { backend: 'cpu', class: 'none' },
  concurrency: 4,
  kernels: new Map(),
  run: async ({ params }) => new Uint8Array(params[0] ?? 0),
  verify: async () => true,
  setPower: () => {},
  close: () => {}
}

/** Serves one peer, without books: what it says is receipted is receipted. */
class Books {
  readonly peer: PeerIdString
  private readonly payer: PeerIdString
  private readonly receipted = new Map<string, bigint>()

  constructor(peer: PeerIdString, payer: PeerIdString) {
    this.peer = peer
    this.payer = payer
  }

  async earning(escrow: CID): Promise<EarningContract> {
    const receipted = this.receipted.get(escrow.toString()) ?? 0n
    return { escrow, payer: this.payer, jobId: JOB, max: 1n, on: [], receipted, tClose: 0 }
  }

  async receipt(escrow: CID, _payee: unknown, amount: bigint): Promise<Signed> {
    return { payload: encode([escrow.toString(), amount]), signature: new Uint8Array(64) }
  }

  async acceptReceipt({ payload }: Signed): Promise<bigint> {
    const [escrow, amount] = decode(payload, receiptSchema, 256)
    this.receipted.set(escrow, amount)
    return amount
  }
}

const receiptSchema = z.tuple([z.string(), z.coerce.bigint()])

let books: Ledger

/** Serves that peer alone, and hires it with the same books. */
export async function serve(node: SwarmNode, key: PrivateKey, payer: PeerIdString): Promise<void> {
  const self = node.peerId.toString() as PeerIdString // all nodes here are of Ed25519
  books = new Books(self, payer) as unknown as Ledger // the rest of a ledger is never asked for
  const provider = new Provider({
    node,
    network: NETWORK,
    key,
    ledger: books,
    skills: new Map([[skill.manifest.name, skill]]),
    ticker,
    onChange: () => {}
  })
  await provider.start()
  provider.contribute(engine)
}

/** MB/s to the provider: half of it as a shared part, half as the inputs of units. */
export function send(connection: Connection, bytes: number): Promise<number> {
  const half = bytes / 2
  const units = cut(half).map((size) => ({ params: [1], parts: [0], data: new Uint8Array(size), cost: 1n }))
  return carry(connection, bytes, planOf([fresh(half)], units))
}

/** MB/s from the provider, as results of units. */
export function receive(connection: Connection, bytes: number): Promise<number> {
  const units = cut(bytes).map((size) => ({ params: [size], parts: [], data: NOTHING, cost: 1n }))
  return carry(connection, bytes, planOf([], units))
}

async function carry(connection: Connection, bytes: number, plan: Plan<undefined>): Promise<number> {
  const peer = connection.remotePeer.toString() as PeerIdString // all nodes here are of Ed25519
  const stream = await connection.newStream(protocolId(NETWORK.parameters, 'job'))
  const framed = framedStream({
    stream,
    peer,
    connection,
    schema: jobResponseFrame,
    maxFrame: JOB_FRAME_MAX,
    ticker
  })
  const channel = new Channel({
    peer,
    escrow: await cidOf(crypto.getRandomValues(new Uint8Array(32))),
    payeeIndex: 0,
    rate: 1_000,
    max: BigInt(plan.units.length),
    connect: async () => framed,
    unitTimeout: 60_000
  })
  let carried = 0
  const job: JobContext = {
    jobId: JOB,
    skill,
    kernel: await kernelHash(skill),
    plan: await hashPlan(plan),
    engine,
    ledger: books,
    router: new SwarmRouter(),
    missing: new Set(plan.units.keys()),
    attempts: new Map(),
    excluded: new Exclusions(Date.now),
    resultHashes: new Map(),
    outlay: new Outlay({ units: plan.units, rate: 1_000, budget: 2n * BigInt(plan.units.length) }),
    known: new KnownAnswers({ answerBytes: 0 }),
    random: Math.random,
    onAssigned: () => {},
    onVerified: (_unit, _peer, result) => {
      carried += result.byteLength
    },
    onRetried: (unit, _peer, reason) => {
      throw new Error(`Unit ${unit} was lost: ${reason}`)
    },
    onProgress: () => {},
    onLoad: () => {}
  }
  const round = new Round(job)
  round.hire(channel.escrow, [channel])
  const begun = performance.now()
  await round.run(AbortSignal.timeout(60_000))
  const seconds = (performance.now() - begun) / 1_000
  await round.hangUp()
  const wanted = plan.units.reduce((sum, { params }) => sum + (params[0] ?? 0), 0)
  if (carried !== wanted) {
    throw new Error(`${carried} bytes of results came, not ${wanted}.`)
  }
  return bytes / 1e6 / seconds
}

/** Bytes of a hash that no provider has seen, or they would not travel again. */
function fresh(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  crypto.getRandomValues(bytes.subarray(0, 16))
  return bytes
}

function cut(bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / UNIT) }, (_, i) => Math.min(UNIT, bytes - i * UNIT))
}

function planOf(parts: Uint8Array[], units: UnitSpec[]): Plan<undefined> {
  return { parts, units, assembler: () => ({ accept: () => {}, finish: () => undefined }) }
}
