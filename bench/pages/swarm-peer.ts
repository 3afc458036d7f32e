import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { createEngine, type Engine } from '../../src/compute/index.ts'
import { createLedger, type LedgerService } from '../../src/credit/index.ts'
import { Provider, Requester } from '../../src/jobs/index.ts'
import { createNode, type SwarmNode, ticker, watchRelays } from '../../src/net/index.ts'
import { type SwarmRegistry, swarmRegistry } from '../../src/registry/index.ts'
import { SwarmRouter } from '../../src/router/index.ts'
import { kernelHash, type Skill, skillByName } from '../../src/skills/index.ts'
import { openStore } from '../../src/store/index.ts'
import { NETWORKS, networkOf, type PeerIdString } from '../../src/wire/index.ts'

const PRODUCT = skillByName('matmul-i8')
/** A unit is one row of so many: next to no work. */
const INNER = 8

export interface JobTimes {
  /** From each unit's sending to its verified result (ms), by unit. */
  readonly trips: number[]
  /** From the first unit sent to the last verified (ms). */
  readonly elapsed: number
}

/** What a job told, and when (ms since the epoch). */
export interface Told {
  readonly type: string
  readonly unit: number | undefined
  readonly provider: string | undefined
  readonly at: number
}

/** The one skill that a peer serves and hires for, and what checks its results. */
export interface Trade {
  readonly skill: Skill
  verifier(): Promise<Engine>
}

export const products: Trade = {
  skill: PRODUCT,
  verifier: () => createEngine({ backend: 'cpu', workers: 1 })
}

/** The parts of a node as `src/swarm.ts` puts them together, but with the libp2p node in reach. */
export class SwarmPeer {
  readonly peer: PeerIdString
  readonly node: SwarmNode<{ registry: SwarmRegistry }>
  readonly key: PrivateKey
  private readonly provider: Provider
  private readonly requester: Requester
  private readonly skill: Skill
  told: readonly Told[] = []
  private engine: Engine | undefined

  static async start(relays: string[], { skill, verifier }: Trade = products): Promise<SwarmPeer> {
    const network = await networkOf(NETWORKS.local)
    const store = await openStore({ network: 'local' })
    const key = await generateKeyPair('Ed25519')
    const node = await createNode({
      privateKey: key,
      network,
      relays,
      services: { registry: swarmRegistry({ network }) }
    })
    const ledger = createLedger({ store, key, network, node })
    await ledger.start()
    const skills = new Map([[skill.manifest.name, skill]])
    const provider = new Provider({ node, network, key, ledger, skills, ticker, onChange: () => {} })
    await provider.start()
    let checking: Promise<Engine> | undefined
    const requester = new Requester({
      node,
      network,
      registry: node.services.registry,
      router: new SwarmRouter(),
      ledger,
      engine: () => {
        checking ??= verifier()
        return checking
      },
      ticker,
      now: Date.now
    })
    const watchdog = watchRelays(node, relays)
    const reserved = Promise.withResolvers<void>()
    const check = () => {
      if (watchdog.reserved > 0) {
        reserved.resolve()
      }
    }
    node.addEventListener('self:peer:update', check)
    check()
    await reserved.promise
    return new SwarmPeer(node, key, ledger, provider, requester, skill)
  }

  private constructor(
    node: SwarmNode<{ registry: SwarmRegistry }>,
    key: PrivateKey,
    ledger: LedgerService,
    provider: Provider,
    requester: Requester,
    skill: Skill
  ) {
    this.peer = ledger.peer
    this.node = node
    this.key = key
    this.provider = provider
    this.requester = requester
    this.skill = skill
  }

  /** Serves jobs with this engine from now on. */
  async serve(engine: Engine): Promise<void> {
    this.provider.pause()
    this.engine?.close()
    this.engine = engine
    const { name, version } = this.skill.manifest
    const kernel = await kernelHash(this.skill)
    this.provider.contribute(engine)
    this.node.services.registry.offer(() => ({
      skills: [{ name, version, kernel, rate: 1_000 }],
      device: engine.device,
      load: this.provider.load,
      uptime: 0
    }))
  }

  /** Stops serving. */
  rest(): void {
    this.node.services.registry.withdraw()
    this.provider.pause()
  }

  /** Hires these for a job; resolves with the time from `submit` to the settled receipt (ms). */
  async hire(providers: PeerIdString[], units: number, input: unknown): Promise<number> {
    const begun = performance.now()
    await this.requester.submit(this.skill, input, { units, providers }).result
    return performance.now() - begun
  }

  /** Hires for one unit, and cancels while it runs. @returns when it was cancelled (ms since the epoch) */
  async hireAndCancel(providers: PeerIdString[], afterMs: number): Promise<number> {
    const job = this.requester.submit(this.skill, 1, { units: 1, providers })
    job.result.catch(() => {}) // it was cancelled
    for await (const { type } of job) {
      if (type === 'assigned') {
        break
      }
    }
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    const at = performance.timeOrigin + performance.now()
    await job.cancel()
    return at
  }

  /** Hires these, and writes every event into `told`. */
  async hireAndTell(providers: PeerIdString[], units: number): Promise<Told[]> {
    const job = this.requester.submit(this.skill, units, { units, providers })
    const told: Told[] = []
    this.told = told
    for await (const event of job) {
      const at = performance.timeOrigin + performance.now()
      const unit = 'unit' in event ? event.unit : undefined
      told.push({ type: event.type, unit, provider: 'provider' in event ? event.provider : undefined, at })
    }
    await job.result
    return told
  }

  /** A job of so many units of next to no work each, its product checked after the time was taken. */
  async runJob(provider: PeerIdString, units: number): Promise<JobTimes> {
    const input = {
      a: Int8Array.from({ length: units * INNER }, (_, i) => i % 251),
      b: Int8Array.from({ length: INNER }, (_, i) => i - 3),
      m: units,
      k: INNER,
      n: 1
    }
    const job = this.requester.submit(PRODUCT, input, { units, providers: [provider] })
    const sent = new Map<number, number>()
    const trips: number[] = []
    let elapsed = 0
    for await (const event of job) {
      const now = performance.now()
      if (event.type === 'assigned') {
        sent.set(event.unit, now)
      } else if (event.type === 'verified') {
        trips[event.unit] = now - (sent.get(event.unit) ?? Number.NaN)
        elapsed = now - (sent.get(0) ?? Number.NaN)
      }
    }
    const { value } = await job.result
    const { c } = value as { c: Int32Array } // the output of this skill, which is known by name only
    for (let row = 0; row < units; row++) {
      const right = input.b.reduce((sum, factor, i) => sum + factor * (input.a[row * INNER + i] ?? 0), 0)
      if (c[row] !== right) {
        throw new Error(`Row ${row} of the product is ${c[row]}, not ${right}.`)
      }
    }
    return { trips, elapsed }
  }
}
