import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkLedger, faultOf, openLedger } from '../../../src/cli/ledger/check.ts'
import { runLedger } from '../../../src/cli/ledger/command.ts'
import { auditExports, replayChain } from '../../../src/credit/index.ts'
import { encodeState } from '../../../src/credit/state-codec.ts'
import {
  cidOf,
  DOMAINS,
  decodeLedgerFile,
  encode,
  encodeLedgerFile,
  NETWORKS,
  type Network,
  networkOf,
  type Signed,
  sign
} from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'
import { witnessedChains } from '../../fixtures/witnessed-chains.ts'

/** A payer that settled one job and has another one open, and a payee that claimed with a vote of its own. */
let network: Network
let payer: TestChain
let payee: TestChain
let other: TestChain
let folder: string
let settleId: string

beforeAll(async () => {
  network = await networkOf(NETWORKS.local)
  payer = await TestChain.create(network, 1, NOW)
  payee = await TestChain.create(network, 2, NOW)
  other = await TestChain.create(network, 3, NOW)
  await payer.append({ kind: 'seat', ts: NOW, body: { members: [], quorum: 0, unsure: true, votes: [] } })
  const channels = [[payee.peer, 1_000n] as const, [other.peer, 500n] as const]
  const escrow = await payer.append(payer.escrowIntent(channels, NOW + 1))
  const settle = await payer.append(payer.settleIntent(escrow, [600n, 0n], NOW + 2))
  settleId = settle.id.toString()
  const certificate = payer.certificate(escrow, settle, [await payee.vote(settle, NOW + 2)])
  await payee.claim(certificate, 0, NOW + 3)
  await payer.append(payer.escrowIntent([[other.peer, 70n]], NOW + 4))
  folder = await mkdtemp(join(tmpdir(), 'ledger-'))
})
afterAll(() => rm(folder, { recursive: true }))

const bytesOf = ({ peer }: TestChain, records: readonly Signed[], name = 'local') =>
  encodeLedgerFile({ network: name, peer, records })

async function save(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

async function run(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  const texts = { out: '', error: '' }
  const status = await runLedger(args, {
    out: (text) => {
      texts.out += text
    },
    error: (text) => {
      texts.error += text
    }
  })
  return { status, ...texts }
}

const json = async (...args: string[]) => {
  const { out, ...rest } = await run(...args, '--json')
  return { ...rest, ...JSON.parse(out) }
}

/** What `verify` does with bytes. */
async function faultIn(bytes: Uint8Array) {
  try {
    return (await checkLedger(await openLedger(bytes))).fault
  } catch (error) {
    return faultOf(error, null)
  }
}

describe('a ledger file', () => {
  test('comes back as it was written, byte for byte', () => {
    const bytes = bytesOf(payer, payer.signed)
    const file = decodeLedgerFile(bytes)
    expect(encodeLedgerFile(file)).toEqual(bytes)
    for (const [i, { payload, signature }] of file.records.entries()) {
      // the encoder hands out a Buffer, the decoder none
      expect(payload).toEqual(new Uint8Array(payer.signedAt(i).payload))
      expect(signature).toEqual(payer.signedAt(i).signature)
    }
  })

  test('holds from the first record to the last', async () => {
    for (const chain of [payer, payee, other]) {
      const checked = await checkLedger(await openLedger(bytesOf(chain, chain.signed)))
      expect(checked.fault).toBeUndefined()
      expect(checked.state).toEqual(chain.state)
      expect(checked.records).toEqual(chain.records)
    }
  })

  test('with any single bit flipped does not hold', async () => {
    const files = [payer, payee].map((chain) => bytesOf(chain, chain.signed))
    const length = Math.max(...files.map(({ byteLength }) => byteLength))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(length - 1), fc.nat(7), async (file, at, bit) => {
        const flipped = file.slice()
        const place = at % file.byteLength
        flipped[place] = (file[place] ?? 0) ^ (1 << bit)
        expect(await faultIn(flipped)).toMatchObject({ code: expect.any(String) })
      }),
      { numRuns: 400 }
    )
  })

  test('cut off or with something behind it does not hold', async () => {
    const bytes = bytesOf(payer, payer.signed)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.byteLength - 1),
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        async (end, more) => {
          expect(await faultIn(bytes.subarray(0, end))).toMatchObject({ place: null })
          expect(await faultIn(new Uint8Array([...bytes, ...more]))).toMatchObject({ place: null })
        }
      )
    )
  })

  test('names the first record that does not hold', async () => {
    const swapped = payer.signed.with(2, payer.signedAt(3)).with(3, payer.signedAt(2))
    expect(await faultIn(bytesOf(payer, swapped))).toMatchObject({ place: 2, code: 'BAD_RECORD' })
    const foreign = payer.signed.with(4, { ...payer.signedAt(4), signature: payer.signedAt(3).signature })
    expect(await faultIn(bytesOf(payer, foreign))).toMatchObject({ place: 4, code: 'BAD_SIGNATURE' })
    const rich = { ...payer.records[4]?.record, bal: 10n ** 7n }
    const forged = payer.signed.with(4, await sign(payer.key, DOMAINS.record, rich))
    expect(await faultIn(bytesOf(payer, forged))).toMatchObject({ place: 4, code: 'BAD_RECORD' })
    expect(await faultIn(bytesOf(payee, payer.signed))).toMatchObject({ place: null, code: 'BAD_RECORD' })
    expect(await faultIn(bytesOf(payer, payer.signed, 'main'))).toMatchObject({
      place: 0,
      code: 'WRONG_NETWORK'
    })
    expect(await faultIn(bytesOf(payer, payer.signed, 'lokal'))).toMatchObject({ code: 'WRONG_NETWORK' })
    expect(await faultIn(encode({ records: payer.signed }))).toMatchObject({ code: 'MALFORMED' })
  })

  test('that claims from both branches of a fork shows it', async () => {
    const victim = await TestChain.create(network, 5, NOW)
    for (const nonce of [1, 2]) {
      const branch = await TestChain.create(network, 9, NOW)
      const intent = branch.escrowIntent([[victim.peer, 100n]], NOW, {
        nonce: new Uint8Array(16).fill(nonce)
      })
      const escrow = await branch.append(intent)
      const settle = await branch.append(branch.settleIntent(escrow, [100n], NOW))
      await victim.claim(branch.certificate(escrow, settle), 0, NOW)
    }
    expect(await faultIn(bytesOf(victim, victim.signed))).toMatchObject({ place: 2, code: 'FORK' })
  })
})

/** The witnessed payer's chain from its checkpoint on, for which three of its four witnesses vouch. */
async function cutChain() {
  const { payer: whole, witnesses } = await witnessedChains(network)
  const place = whole.records.findIndex(({ record }) => record.kind === 'checkpoint')
  const checkpoint = whole.records[place]
  if (!checkpoint) {
    throw new Error('a checkpoint')
  }
  await whole.append({
    kind: 'transfer',
    ts: NOW + 9,
    body: { to: payee.peer, amount: 5n, on: [], witnesses: [...whole.head.seat.members], quorum: 3 }
  })
  const before = await replayChain(undefined, whole.signed.slice(0, place), network)
  const votes = await Promise.all(witnesses.slice(1).map((witness) => witness.vote(checkpoint, NOW + 9)))
  if (!before) {
    throw new Error('a state')
  }
  const start = { state: encodeState(before), votes }
  const file = (given: typeof start) =>
    encodeLedgerFile({ network: 'local', peer: whole.peer, start: given, records: whole.signed.slice(place) })
  return { whole, place, start, file, bytes: file(start) }
}

describe('a ledger file from a checkpoint on', () => {
  test('comes to the same state as the whole, and says where it starts and who vouches for that', async () => {
    const { whole, place, bytes } = await cutChain()
    const checked = await checkLedger(await openLedger(bytes))
    expect(checked.fault).toBeUndefined()
    expect(checked.state).toEqual(whole.state)
    expect(checked.records).toEqual(whole.records.slice(place))
    const path = await save('cut', bytes)
    expect(await run('verify', path)).toMatchObject({
      status: 0,
      out: expect.stringContaining(`starts at the checkpoint at place ${place}`)
    })
    const { ledgers, audit } = await json('verify', path, await save('whole', bytesOf(payee, payee.signed)))
    expect(ledgers[0]).toMatchObject({ records: 2, start: { checkpoint: place, quorum: 3 } })
    expect(ledgers[0].start.voters).toHaveLength(3)
    expect([ledgers[1].start, audit]).toEqual([null, null])
    expect(await run('balance', path)).toMatchObject({ status: 0 })
    expect(await run('show', path)).toMatchObject({ status: 0, out: expect.stringContaining('checkpoint') })
  })

  test('with any single bit flipped does not hold', async () => {
    const { bytes } = await cutChain()
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.byteLength - 1), fc.nat(7), async (at, bit) => {
        const flipped = bytes.slice()
        flipped[at] = (bytes[at] ?? 0) ^ (1 << bit)
        expect(await faultIn(flipped)).toMatchObject({ code: expect.any(String) })
      }),
      { numRuns: 300 }
    )
  })

  test('without a quorum, with another state, or with a hole after its start does not hold', async () => {
    const { whole, place, start, file } = await cutChain()
    expect(await faultIn(file({ ...start, votes: start.votes.slice(1) }))).toMatchObject({
      place: null,
      code: 'BAD_CERTIFICATE'
    })
    expect(await faultIn(file({ ...start, state: encodeState(whole.head) }))).toMatchObject({
      place: null,
      code: 'BAD_RECORD'
    })
    const bent = { ...whole.signedAt(place + 1), signature: whole.signedAt(place).signature }
    const records = [whole.signedAt(place), bent]
    const broken = encodeLedgerFile({ network: 'local', peer: whole.peer, start, records })
    expect(await faultIn(broken)).toMatchObject({ place: place + 1, code: 'BAD_SIGNATURE' })
    const { state, votes } = start
    const books = auditExports(
      [{ network: 'local', peer: whole.peer, start: { state, votes }, records }],
      network
    )
    await expect(books).rejects.toMatchObject({ code: 'BAD_RECORD' })
  })
})

describe('npm run ledger', () => {
  let files: string[]
  beforeAll(async () => {
    const chains = Object.entries({ payer, payee, other })
    files = await Promise.all(chains.map(([name, chain]) => save(name, bytesOf(chain, chain.signed))))
  })
  const file = (i = 0) => files[i] ?? ''

  test('verify: one chain, and all chains with their books', async () => {
    expect(await run('verify', file())).toMatchObject({
      status: 0,
      out: expect.stringContaining('all 5 records')
    })
    const all = await json('verify', ...files)
    expect(all).toMatchObject({ status: 0, audit: { balanced: true, minted: '30000000', openEscrows: '70' } })
    // without the payer there is a claim of which nobody knows whence
    expect(await json('verify', file(1), file(2))).toMatchObject({ status: 0, audit: { debt: '600' } })
  })

  test('verify: names file, record and reason, with status 1', async () => {
    const broken = await save('broken', bytesOf(payer, payer.signed.toSpliced(1, 1)))
    const { status, out } = await run('verify', file(1), broken)
    expect(status).toBe(1)
    expect(out).toContain(`${broken}, record 1: `)
    expect(await json('verify', broken)).toMatchObject({
      status: 1,
      file: broken,
      fault: { place: 1, code: 'BAD_RECORD' }
    })
  })

  test('verify: two files of one author that differ are a fork', async () => {
    const branch = await TestChain.create(network, 1, NOW)
    await branch.append(branch.escrowIntent([[payee.peer, 1n]], NOW))
    const fork = await save('fork', bytesOf(branch, branch.signed))
    expect(await json('verify', file(), fork)).toMatchObject({ status: 1, fault: { code: 'FORK' } })
    const older = await save('older', bytesOf(payer, payer.signed.slice(0, 3)))
    expect(await run('verify', file(), older)).toMatchObject({ status: 0 })
  })

  test('show: every record, and those before a fault', async () => {
    const { out, status } = await run('show', file())
    expect(status).toBe(0)
    expect(out.split('\n')).toHaveLength(6)
    const broken = await save('broken', bytesOf(payer, payer.signed.toSpliced(3, 1)))
    const shown = await json('show', broken)
    expect(shown).toMatchObject({ status: 1, fault: { place: 3 } })
    expect(shown.records.map(({ kind }: { kind: string }) => kind)).toEqual(['genesis', 'seat', 'escrow'])
  })

  test('balance: recorded, spendable after the drain, and in escrow', async () => {
    const at = (hours: number) => new Date(NOW + 4 + hours * HOUR).toISOString()
    const recorded = payer.head.bal.toString()
    expect(await json('balance', file(), '--at', at(0))).toMatchObject({
      status: 0,
      recorded,
      spendable: recorded,
      escrowed: '70',
      openEscrows: [{ amount: '70' }]
    })
    const once = payer.head.bal - (payer.head.bal * 4117n) / 1_000_000n
    expect(await json('balance', file(), '--at', at(25))).toMatchObject({ spendable: `${once}` })
    expect(await run('balance', file(), '--at', 'noon')).toMatchObject({ status: 2 })
  })

  test('receipts: what was paid and earned, and what to replay', async () => {
    const payment = { amount: '600', settle: settleId }
    expect(await json('receipts', file())).toMatchObject({
      status: 0,
      receipts: [{ ...payment, direction: 'paid', peer: payee.peer }]
    })
    expect(await json('receipts', file(1))).toMatchObject({
      receipts: [{ ...payment, direction: 'earned', peer: payer.peer }]
    })
    expect(await run('receipts', file(2))).toMatchObject({ status: 0, out: 'No payments.' })
  })

  test('replay: the split from either side, and one that lies', async () => {
    for (const side of [file(0), file(1)]) {
      expect(await json('replay', settleId, side)).toMatchObject({
        status: 0,
        isSame: true,
        form: 'units',
        payees: [payee.peer, other.peer],
        payouts: ['600', '0']
      })
    }
    const { record } = payer.records[3] ?? {}
    if (record?.kind !== 'settle') {
      throw new Error('a settle')
    }
    const lie = { ...record, body: { ...record.body, payouts: [601n, 0n], refund: record.body.refund - 1n } }
    const signed = await sign(payer.key, DOMAINS.record, lie)
    const liar = await TestChain.create(network, 1, NOW)
    const path = await save('liar', bytesOf(liar, [...payer.signed.slice(0, 3), signed]))
    expect(await json('verify', path)).toMatchObject({ fault: { place: 3, code: 'BAD_RECORD' } })
    expect(await json('replay', (await cidOf(signed.payload)).toString(), path)).toMatchObject({
      status: 1,
      isSame: false,
      payouts: ['600', '0']
    })
  })

  test('says what it needs, with status 2', async () => {
    const unknown = payer.records[0]?.id.toString() ?? ''
    for (const args of [
      [],
      ['destroy'],
      ['verify'],
      ['show', file(0), file(1)],
      ['verify', join(folder, 'nowhere')],
      ['verify', file(), '--loud'],
      ['replay', 'nonsense', file()],
      ['replay', unknown, file()]
    ]) {
      const { status, error } = await run(...args)
      expect([args, status]).toEqual([args, 2])
      expect(error).not.toBe('')
    }
    expect(await run('--help')).toMatchObject({
      status: 0,
      out: expect.stringContaining('replay SETTLE FILE')
    })
  })
})
