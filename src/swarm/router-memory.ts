import * as z from 'zod/mini'
import type { Memory, Specialism, SwarmRouter } from '../router/index.ts'
import type { Table } from '../store/index.ts'
import { isPeerIdString, type Milliseconds, type PeerIdString } from '../wire/index.ts'

const KEY = 'router'
/** Pairs of peer and skill that are kept, the last met: some 300 bytes each. */
const KEPT = 1_024
const SAVE_INTERVAL: Milliseconds = 10_000

const amount = z.number().check(z.nonnegative())
const peers = z.array(
  z.object({
    skill: z.string(),
    peer: z.custom<PeerIdString>(isPeerIdString),
    experience: z.object({
      trust: z.object({ right: amount, missed: amount, wrong: amount, at: amount }),
      trail: z.object({ strength: amount, at: amount }),
      peak: z.object({ value: amount, at: amount })
    }),
    speed: z.pipe(
      z.optional(z.nullable(amount)),
      z.transform((speed) => speed ?? undefined)
    ),
    replication: z.object({ valid: amount })
  })
)
const kept = z.object({ peers, specialism: z.array(z.tuple([z.string(), amount])) })

interface Kept {
  readonly peers: Memory
  readonly specialism: ReturnType<Specialism['entries']>
}

/** Keeps what the router has learned, and what this provider has become, beside the node's other small things: trust outlives a tab. */
export class RouterMemory {
  private readonly meta: Table
  private readonly router: SwarmRouter
  private readonly specialism: Specialism
  private timer: ReturnType<typeof setTimeout> | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(meta: Table, router: SwarmRouter, specialism: Specialism) {
    this.meta = meta
    this.router = router
    this.specialism = specialism
  }

  /** Memory of another version, or damaged, is forgotten. */
  async load(): Promise<void> {
    const bytes = await this.meta.get(KEY)
    const memory = bytes && parse(new TextDecoder().decode(bytes))
    if (memory !== undefined) {
      this.router.remember(memory.peers)
      this.specialism.remember(memory.specialism)
    }
  }

  /** Something was learned: saved soon. */
  touch(): void {
    this.timer ??= setTimeout(() => void this.save(), SAVE_INTERVAL)
  }

  /** Losing the last seconds costs little: no need of `strict`. Never rejects. */
  save(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const memory: Kept = { peers: this.router.memory().slice(-KEPT), specialism: this.specialism.entries() }
    const bytes = new TextEncoder().encode(JSON.stringify(memory))
    this.writing = this.writing.then(() => this.meta.put(KEY, bytes, { relaxed: true })).catch(() => {}) // a full disk: the ledger will say so
    return this.writing
  }
}

function parse(text: string): Kept | undefined {
  try {
    return kept.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // not JSON: written by something else
  }
}
