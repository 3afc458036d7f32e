import { streamPair } from '@libp2p/utils'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import type { Engine, EngineUnit } from '../../../src/compute/index.ts'
import type { Ledger } from '../../../src/credit/index.ts'
import { Channel, type ChannelHandler } from '../../../src/jobs/channel.ts'
import { PartStore } from '../../../src/jobs/part-store.ts'
import { type HashedPlan, hashPlan } from '../../../src/jobs/plan.ts'
import { ProviderSession } from '../../../src/jobs/session.ts'
import { StrangersShare } from '../../../src/jobs/strangers-share.ts'
import { WorkQueue } from '../../../src/jobs/work-queue.ts'
import { WorkWindow } from '../../../src/jobs/work-window.ts'
import { framedStream } from '../../../src/net/index.ts'
import { skillByName } from '../../../src/skills/index.ts'
import {
  JOB_FRAME_MAX,
  type JobRequestFrame,
  jobRequestFrame,
  jobResponseFrame,
  NETWORKS,
  type PeerIdString
} from '../../../src/wire/index.ts'
import { testKey } from '../../fixtures/ledger-swarm.ts'
import { ManualTicker } from '../net/manual-ticker.ts'

const skill = skillByName('matmul-i8')
const ESCROW = CID.parse('bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const PROVIDER = '12D3KooWProvider' as PeerIdString // the fake ledger does not look at it
const side = 64

function planOf(a: number, b: number, units = 4): Promise<HashedPlan<unknown>> {
  const matrix = (seed: number) => Int8Array.from({ length: side * side }, (_, i) => (i * seed) % 127)
  return hashPlan(skill.plan({ a: matrix(a), b: matrix(b), m: side, k: side, n: side }, { units }))
}

const everything = new StrangersShare({ network: NETWORKS.local, now: Date.now })

class FakeEngine {
  readonly concurrency = 1
  readonly units: EngineUnit[] = []
  async run(unit: EngineUnit): Promise<Uint8Array> {
    this.units.push(unit)
    const { resultSize } = skill.checkUnit({
      params: unit.params,
      dataSize: unit.data.byteLength,
      partSizes: unit.parts.map(({ bytes }) => bytes.byteLength)
    })
    return new Uint8Array(resultSize)
  }
}

/** One job over one stream; resolves with what the requester sent. */
async function job(store: PartStore, payer: string, plan: HashedPlan<unknown>, engine = new FakeEngine()) {
  const [left, right] = await streamPair({ delay: 0 })
  const ends = { maxFrame: JOB_FRAME_MAX, ticker: new ManualTicker() }
  const requesting = framedStream({ stream: left, peer: PROVIDER, schema: jobResponseFrame, ...ends })
  const providing = framedStream({
    stream: right,
    peer: payer as PeerIdString,
    schema: jobRequestFrame,
    ...ends
  })
  const sent: JobRequestFrame[] = []
  const channel = new Channel({
    peer: PROVIDER,
    escrow: ESCROW,
    payeeIndex: 0,
    rate: 1_000,
    max: 1_000n,
    unitTimeout: 5_000,
    connect: async () =>
      Object.assign(Object.create(requesting), {
        send: (frame: JobRequestFrame) => {
          sent.push(frame)
          return requesting.send(frame as never) // the same union under another name
        },
        [Symbol.asyncIterator]: () => requesting[Symbol.asyncIterator](),
        abort: (error: Error) => requesting.abort(error),
        close: () => requesting.close()
      })
  })
  const frames = providing[Symbol.asyncIterator]()
  const serving = (async () => {
    const { value } = await frames.next()
    if (value?.t !== 'open') {
      throw new Error('no open')
    }
    const session = new ProviderSession({
      stream: providing,
      frames,
      skill,
      skills: new Map([[skill.manifest.name, skill]]),
      pull: () => Promise.reject(new Error('nothing is pulled')),
      parts: store.shelf(payer),
      asked: value.parts,
      // a session only runs units
      queue: new WorkQueue({ engine: engine as unknown as Engine, weightOf: () => 1, strangers: everything }),
      escrow: ESCROW,
      window: new WorkWindow({ max: 1_000n }),
      rate: 1_000,
      payer: payer as PeerIdString,
      key: await testKey(3),
      self: PROVIDER,
      ledger: receiptingLedger(),
      load: () => 0,
      onComputed: () => {},
      onChange: () => {},
      isFinishing: () => false
    })
    await session.run()
  })()
  const failed = serving.catch((error) => {
    providing.abort(error)
    throw error
  })
  const results = plan.units.map(() => Promise.withResolvers<void>())
  for (const outcome of [failed, ...results.map(({ promise }) => promise)]) {
    outcome.catch(() => {}) // a job that fails says so once, below
  }
  const handler: ChannelHandler = {
    onProgress() {},
    onRoom() {},
    onResult: (_, { index }) => {
      channel.hands.delete(index)
      results[index]?.resolve()
    },
    onFailed: (_, index, { message }) => results[index]?.reject(new Error(message)),
    onDropped() {},
    onEnded: (_, error) => {
      for (const { reject } of results) {
        reject(error)
      }
    }
  }
  await channel.open(handler, {
    jobId: new Uint8Array(16),
    skill: 'matmul-i8',
    kernel: new Uint8Array(32),
    plan
  })
  for (const [index, spec] of plan.units.entries()) {
    const { resultSize } = skill.checkUnit({
      params: spec.params,
      dataSize: spec.data.byteLength,
      partSizes: spec.parts.map((part) => plan.parts[part]?.byteLength ?? 0)
    })
    channel.give(index, spec, resultSize, plan)
    await results[index]?.promise
    await channel.sendReceipt({ payload: new Uint8Array(1), signature: new Uint8Array(64) }, index + 1)
  }
  await channel.close()
  await failed
  const parts = sent.filter((frame) => frame.t === 'chunk')
  return { sent, partBytes: parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0), engine }
}

describe('a shared input', () => {
  test('travels once a provider, not once a job, and computes the same', async () => {
    const store = new PartStore(1e6)
    const plan = await planOf(3, 5)
    const first = await job(store, 'alice', plan)
    const second = await job(store, 'alice', plan)
    expect(first.partBytes).toBe(plan.parts.reduce((sum, part) => sum + part.byteLength, 0))
    expect(second.partBytes).toBe(0)
    expect(second.engine.units.map(({ parts }) => parts)).toEqual(
      first.engine.units.map(({ parts }) => parts)
    )
  })

  test('of another matrix only the news travel', async () => {
    const store = new PartStore(1e6)
    await job(store, 'alice', await planOf(3, 5))
    const plan = await planOf(4, 5)
    const { partBytes } = await job(store, 'alice', plan)
    const inB = new Set((await planOf(3, 5)).partRefs.map(({ hash }) => hash))
    const news = plan.partRefs.filter(({ hash }) => !inB.has(hash))
    expect(news.length).toBeLessThan(plan.parts.length)
    expect(partBytes).toBe(news.reduce((sum, { bytes }) => sum + bytes.byteLength, 0))
  })

  test('of another payer is asked for again', async () => {
    const store = new PartStore(1e6)
    const plan = await planOf(3, 5)
    const first = await job(store, 'alice', plan)
    expect((await job(store, 'bob', plan)).partBytes).toBe(first.partBytes)
  })

  test('equal blocks travel once, and what no unit needs does not travel', async () => {
    const plan = await planOf(0, 0)
    const { partBytes } = await job(new PartStore(1e6), 'alice', { ...plan, units: plan.units.slice(0, 1) })
    expect(partBytes).toBe(plan.parts[0]?.byteLength)
  })

  test('beyond the quota is refused with a typed error', async () => {
    await expect(job(new PartStore(1_000), 'alice', await planOf(3, 5))).rejects.toBeInstanceOf(Error)
  })

  test('of which a chunk does not match its hash ends the stream at that chunk and is not kept', async () => {
    const store = new PartStore(1e6)
    const plan = await planOf(3, 5)
    const forged = plan.partRefs.map(({ hash, bytes }, i) => ({
      hash,
      bytes: i === 0 ? bytes.map((b) => b ^ 1) : bytes
    }))
    await expect(job(store, 'mallory', { ...plan, partRefs: forged })).rejects.toBeInstanceOf(Error)
    store.clear()
    expect(store.bytes).toBe(0)
  })
})

/** Takes every receipt for one µcr more than the last. */
function receiptingLedger(): Ledger {
  let receipted = 0n
  const ledger = {
    acceptReceipt: async () => {
      receipted += 1n
      return receipted
    },
    earning: async () => ({ receipted })
  }
  return ledger as unknown as Ledger // a session asks for nothing else before its release
}
