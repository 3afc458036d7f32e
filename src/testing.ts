/**
 * `swarmharness/testing`: whole nodes in this process, over libp2p's memory transport, for the tests of programs that
 * hire a swarm. What differs from the world is the transport, and that kernels run in this thread: registry, router,
 * escrows, checks, receipts and books are the real ones.
 *
 * @example
 *
 * ```ts
 * await using house = await createTestSwarm({ peers: 3, seed: 1, faults: { 1: { kind: 'wrong' } } })
 * const { value } = await house.requester.submit(matmulI8, input).result
 * ```
 *
 * @packageDocumentation
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { memory } from '@libp2p/memory'
import { multiaddr } from '@multiformats/multiaddr'
import type { OwnSkill, Swarm } from './api.ts'
import { ComputeError, createInlineEngine, type Engine } from './compute/index.ts'
import { type Audit, auditExports } from './credit/index.ts'
import { checkObject, JobError, shown } from './jobs/index.ts'
import type { SwarmNode } from './net/index.ts'
import { kernelHash, skillsWith } from './skills/index.ts'
import { memoryStore } from './store/index.ts'
import { openSwarm } from './swarm/sdk/index.ts'
import { encode, type Milliseconds, NETWORKS, networkOf, sha256 } from './wire/index.ts'

export type { Audit }

/** What a provider does to a unit instead of computing it right. */
export interface Fault {
  /**
   * `wrong`: a byte of the result differs. `silent`: no answer. `fails`: it says that it could not. `slow`: right, but
   * late. `leaves`: the peer stops.
   */
  readonly kind: 'wrong' | 'silent' | 'fails' | 'slow' | 'leaves'
  /** Share of its units, 0 to 1, drawn by the seed. @default 1 */
  readonly share?: number
  /** Of `slow`. @default 1_000 */
  readonly delayMs?: Milliseconds
}

export interface TestSwarmInit {
  /** Nodes, 2 to 16: the first hires, the others serve. @default 3 */
  readonly peers?: number
  /** Of identities, choices of providers and faults, a whole number. @default 1 */
  readonly seed?: number
  /** By number of the peer, from 1: the first of `providers` is 1. */
  readonly faults?: Readonly<Record<number, Fault>>
  /** @default 'local': strangers are welcome without limit */
  readonly network?: 'local' | 'main'
  /** Of your own, besides those of this build. */
  readonly skills?: readonly OwnSkill[]
}

export interface TestSwarm extends AsyncDisposable {
  /** Pays. */
  readonly requester: Swarm
  readonly providers: readonly Swarm[]
  /** All of them, the requester first. */
  readonly peers: readonly Swarm[]
  /** Reads all books, checks every signature, and adds them up. */
  audit(): Promise<Audit>
  stop(): Promise<void>
}

const PEERS_MAX = 16

/**
 * Starts the nodes and connects each to each; resolves when all providers are known to the requester.
 *
 * @throws JobError `BAD_OPTION`
 */
export async function createTestSwarm(init: TestSwarmInit = {}): Promise<TestSwarm> {
  checkObject(init)
  const { peers: count = 3, seed = 1, faults = {}, network = 'local', skills = [] } = init
  check({ count, seed, faults })
  const peers: Swarm[] = []
  const stop = async () => {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
  try {
    const addresses: string[] = []
    for (let index = 0; index < count; index++) {
      peers.push(
        await startPeer({
          index,
          seed,
          network,
          skills,
          fault: faults[index],
          addresses,
          stop: () => void peers[index]?.stop()
        })
      )
    }
    const [requester, ...providers] = peers
    if (requester === undefined) {
      throw new TypeError('No peer was started.') // cannot happen: there are two at least
    }
    await Promise.all(providers.map((provider) => provider.contribute()))
    await known(requester, providers)
    return {
      requester,
      providers,
      peers,
      audit: async () => {
        const ledgers = await Promise.all(peers.map((peer) => peer.exportLedger()))
        return auditExports(ledgers, await networkOf(NETWORKS[network]))
      },
      stop,
      [Symbol.asyncDispose]: stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface PeerInit {
  readonly index: number
  readonly seed: number
  readonly network: 'local' | 'main'
  readonly skills: readonly OwnSkill[]
  readonly fault: Fault | undefined
  /** Of those before it: it dials them, and adds its own. */
  readonly addresses: string[]
  readonly stop: () => void
}

let swarms = 0

async function startPeer({ index, seed, network, skills, fault, addresses, stop }: PeerInit): Promise<Swarm> {
  const random = seeded(seed * 1_000 + index)
  const key = await generateKeyPairFromSeed('Ed25519', await sha256(encode(['test-swarm', seed, index])))
  const address = `/memory/swarmharness-${++swarms}`
  const before = [...addresses]
  addresses.push(address)
  return openSwarm(
    { network, relays: [], listen: [address], workers: 1, skills },
    {
      store: memoryStore(),
      key,
      random,
      transports: [memory()],
      createEngine: async () => {
        const engine = await createInlineEngine(skillsWith(skills), kernelHash)
        return fault === undefined ? engine : withFault(engine, fault, random, stop)
      },
      onNode: async (node: SwarmNode) => {
        await Promise.all(before.map((other) => node.dial(multiaddr(other))))
      }
    }
  )
}

/** The engine, but for some of what it computes for others. */
function withFault(engine: Engine, fault: Fault, random: () => number, stop: () => void): Engine {
  const { kind, share = 1, delayMs = 1_000 } = fault
  return {
    device: engine.device,
    concurrency: engine.concurrency,
    kernels: engine.kernels,
    verify: (...given) => engine.verify(...given),
    setPower: (power) => engine.setPower(power),
    close: () => engine.close(),
    async run(unit, options = {}) {
      if (random() >= share) {
        return engine.run(unit, options)
      }
      switch (kind) {
        case 'fails':
          throw new ComputeError('KERNEL_FAILED', 'This test peer fails.')
        case 'silent':
          return aborted(options.signal)
        case 'leaves':
          stop()
          return aborted(options.signal)
        case 'slow':
          await new Promise((resolve) => setTimeout(resolve, delayMs))
          return engine.run(unit, options)
        case 'wrong': {
          const result = (await engine.run(unit, options)).slice()
          const at = Math.floor(random() * result.byteLength)
          result[at] = (result[at] ?? 0) ^ 0x55
          return result
        }
      }
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Resolves when the node has heard what all these offer. */
async function known(swarm: Swarm, providers: readonly Swarm[]): Promise<void> {
  const wanted = providers.map(({ peer }) => peer)
  const met = Promise.withResolvers<void>()
  const look = () => {
    const offering = new Set(
      swarm.status.peers.filter(({ skills }) => skills.length > 0).map(({ peer }) => peer)
    )
    if (wanted.every((peer) => offering.has(peer))) {
      met.resolve()
    }
  }
  const end = swarm.on('change', look)
  look()
  await met.promise
  end()
}

const KINDS: readonly unknown[] = ['wrong', 'silent', 'fails', 'slow', 'leaves'] satisfies Fault['kind'][]

/** A program without types may pass anything. */
interface Unchecked {
  readonly count: unknown
  readonly seed: unknown
  readonly faults: unknown
}

/** @throws JobError `BAD_OPTION` */
function check({ count, seed, faults }: Unchecked): void {
  if (!(isWhole(count) && count >= 2 && count <= PEERS_MAX)) {
    throw new JobError(
      'BAD_OPTION',
      `peers must be a whole number from 2 to ${PEERS_MAX}; it is ${shown(count)}.`
    )
  }
  if (!isWhole(seed)) {
    throw new JobError('BAD_OPTION', `seed must be a whole number; it is ${shown(seed)}.`)
  }
  if (typeof faults !== 'object' || faults === null) {
    throw new JobError('BAD_OPTION', "faults is an object, such as { 1: { kind: 'wrong' } }.")
  }
  for (const [index, fault] of Object.entries(faults)) {
    const isPeer = isWhole(Number(index)) && Number(index) >= 1 && Number(index) < count
    if (!isPeer || !isFault(fault)) {
      throw new JobError(
        'BAD_OPTION',
        `faults[${index}] must belong to a provider (1 to ${count - 1}), with a kind of ${KINDS.join(', ')}, a share of 0 to 1, and a delayMs of 0 or more.`
      )
    }
  }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)

const isWithin = (value: unknown, most: number) => typeof value === 'number' && value >= 0 && value <= most

function isFault(fault: Partial<Record<keyof Fault, unknown>> | null): boolean {
  if (typeof fault !== 'object' || fault === null) {
    return false
  }
  const { kind, share = 1, delayMs = 0 } = fault
  return KINDS.includes(kind) && isWithin(share, 1) && isWithin(delayMs, Number.MAX_SAFE_INTEGER)
}

/** mulberry32 (Tommy Ettinger, public domain): uniform in [0, 1) with 32 bits. */
function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
