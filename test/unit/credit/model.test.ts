import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { expect, test, vi } from 'vitest'
import { auditExports, verifyRecord } from '../../../src/credit/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import {
  DOMAINS,
  decodeStrict,
  type LedgerRequest,
  type LedgerResponse,
  record as recordSchema,
  SIGNED_PAYLOAD_MAX,
  sign
} from '../../../src/wire/index.ts'
import { CrashingStore } from '../../fixtures/crashing-store.ts'
import { LedgerSwarm, SEED, type TestPeer } from '../../fixtures/ledger-swarm.ts'

/**
 * A requester and a payee among seven witnesses, two of which sign whatever they are shown. Whatever is done in
 * whatever order, with crashes at any write and messages that come twice and late: nobody signs two records for one
 * place, and the books balance after every step.
 */

const PEERS = 9
const BAD = [7, 8]

class World {
  readonly swarm: LedgerSwarm
  readonly peers: TestPeer[] = []
  readonly stores: CrashingStore[] = []
  readonly open: Array<{ escrow: CID; max: bigint; given: bigint }> = []
  /** Amounts that the payee holds receipts for, by escrow. */
  readonly receipted = new Map<string, bigint>()

  constructor(swarm: LedgerSwarm) {
    this.swarm = swarm
  }

  static async create(): Promise<World> {
    const swarm = await LedgerSwarm.create({ seats: true, rules: { seatPatienceMs: 100 } })
    const world = new World(swarm)
    for (let i = 0; i < PEERS; i++) {
      const store = new CrashingStore(memoryStore())
      world.stores.push(store)
      world.peers.push(await swarm.add(i + 1, store))
    }
    const bad = new Set(BAD.map((i) => world.at(i).peer))
    const deliver = swarm.deliver.bind(swarm)
    vi.spyOn(swarm, 'deliver').mockImplementation(async (from, to, request, signal) => {
      const witness = bad.has(to) ? world.peers.find(({ peer }) => peer === to) : undefined
      return (witness && (await anything(witness, request))) ?? deliver(from, to, request, signal)
    })
    return world
  }

  at(index: number): TestPeer {
    const peer = this.peers[index]
    if (!peer) {
      throw new Error(`no peer ${index}`)
    }
    return peer
  }

  get requester(): TestPeer {
    return this.at(0)
  }

  get payee(): TestPeer {
    return this.at(1)
  }

  async restart(index: number): Promise<void> {
    const peer = this.at(index)
    const inner = this.stores[index]?.inner ?? memoryStore()
    const store = new CrashingStore(inner)
    this.stores[index] = store
    await peer.restart(store)
    if (index === 0) {
      this.open.length = 0 // it settles what it had open
    }
  }

  async check(): Promise<void> {
    const exports = await Promise.all(
      this.peers.map(async ({ ledger, store }) => ({
        network: this.swarm.network.parameters.name,
        peer: ledger.peer,
        records: (await store.chain.range()).map(({ record }) => record)
      }))
    )
    expect(await auditExports(exports, this.swarm.network)).toMatchObject({ balanced: true, debt: 0n })
    expect(await this.placesSignedTwice()).toEqual([])
  }

  /** Of all records that were ever sent. */
  private async placesSignedTwice(): Promise<string[]> {
    const places = new Map<string, string>()
    const twice: string[] = []
    for (const { from, request } of this.swarm.messages) {
      for (const envelope of request.t === 'certify' ? [request.record, ...request.tail] : []) {
        const { id, record } = await verifyRecord(envelope, this.swarm.network, { signatures: false })
        const key = `${from}/${record.seq}`
        if ((places.get(key) ?? id.toString()) !== id.toString()) {
          twice.push(key)
        }
        places.set(key, id.toString())
      }
    }
    return twice
  }
}

/** A vote for whatever is asked, without a look at it. */
async function anything(witness: TestPeer, request: LedgerRequest): Promise<LedgerResponse | undefined> {
  if (request.t !== 'certify') {
    return undefined
  }
  const record = decodeStrict(request.record.payload, recordSchema, SIGNED_PAYLOAD_MAX)
  const { id } = await verifyRecord(request.record, witness.swarm.network, { signatures: false })
  const vote = {
    v: 1,
    net: witness.swarm.network.hash,
    author: witness.peer,
    ts: witness.swarm.now,
    kind: 'vote',
    subject: record.author,
    seq: record.seq,
    record: id
  }
  return { t: 'vote', vote: await sign(witness.key, DOMAINS.statement, vote) }
}

type Step = (world: World) => Promise<unknown>
const quietly =
  (step: Step): Step =>
  async (world) =>
    step(world).catch(() => {}) // a crash says so, or a refusal

const steps: fc.Arbitrary<{ name: string; step: Step }> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.bigInt(1n, 5_000n).map((max) => ({
      name: `escrow ${max}`,
      step: quietly(async (world) => {
        const { escrow } = await world.requester.escrow([[world.payee, max]])
        world.open.push({ escrow, max, given: 0n })
      })
    }))
  },
  {
    weight: 5,
    arbitrary: fc.record({ which: fc.nat(), permille: fc.bigInt(1n, 1_000n) }).map(({ which, permille }) => ({
      name: `receipt ${permille}‰`,
      step: quietly(async (world) => {
        const contract = world.open[which % Math.max(1, world.open.length)]
        if (contract) {
          const amount = (contract.max * permille) / 1_000n
          const receipt = await world.requester.ledger.receipt(contract.escrow, world.payee.peer, amount)
          contract.given = amount
          await world.payee.ledger.acceptReceipt(receipt, world.requester.peer)
        }
      })
    }))
  },
  {
    weight: 4,
    arbitrary: fc.nat().map((which) => ({
      name: 'settle',
      step: quietly(async (world) => {
        const [contract] = world.open.splice(which % Math.max(1, world.open.length), 1)
        if (contract) {
          const groups = [{ weight: contract.given, payees: [0], quorum: 1 }]
          await world.requester.ledger.settle(contract.escrow, groups, { seed: SEED })
        }
      })
    }))
  },
  {
    weight: 2,
    arbitrary: fc.record({ peer: fc.nat(PEERS - 1) }).map(({ peer }) => ({
      name: `restart ${peer}`,
      step: (world: World) => world.restart(peer)
    }))
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ peer: fc.nat(PEERS - 1), at: fc.nat(3), moment: fc.constantFrom('before', 'after') })
      .map(({ peer, at, moment }) => ({
        name: `crash ${peer} ${moment} write ${at}, in the middle of a job`,
        step: async (world: World) => {
          world.stores[peer]?.arm(at, moment === 'before' ? 'before' : 'after', true)
          await quietly(async () => {
            const { escrow } = await world.requester.escrow([[world.payee, 100n]])
            const receipt = await world.requester.ledger.receipt(escrow, world.payee.peer, 60n)
            await world.payee.ledger.acceptReceipt(receipt, world.requester.peer)
            await world.requester.ledger.settle(escrow, [{ weight: 60n, payees: [0], quorum: 1 }], {
              seed: SEED
            })
          })(world)
          await world.restart(peer)
        }
      }))
  },
  {
    weight: 2,
    arbitrary: fc.nat(PEERS - 1).map((index) => ({
      name: `leave or come ${index}`,
      step: async (world: World) => {
        const { peer } = world.at(index)
        if (world.swarm.away.has(peer)) {
          await world.swarm.back(peer)
        } else {
          world.swarm.away.add(peer)
        }
      }
    }))
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1_000, 3_600_000, 8 * 3_600_000).map((ms) => ({
      name: `wait ${ms} ms`,
      step: async (world: World) => {
        world.swarm.now += ms
        await Promise.all(world.peers.map(({ ledger }) => ledger.maintain().catch(() => {})))
      }
    }))
  },
  {
    weight: 3,
    arbitrary: fc.nat().map((which) => ({
      name: 'a message comes again',
      step: quietly(async (world) => {
        const old = world.swarm.messages[which % Math.max(1, world.swarm.messages.length)]
        if (old) {
          await world.swarm.deliver(old.from, old.to, old.request)
        }
      })
    }))
  }
)

test('whatever happens, no place is signed twice and the books balance', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 12 }), async (sequence) => {
      const world = await World.create()
      try {
        for (const { step } of sequence) {
          await step(world)
          await world.check()
        }
      } finally {
        await world.swarm.stop()
        vi.restoreAllMocks()
      }
    })
  )
})
