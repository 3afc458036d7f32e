import { generateKeyPair } from '@libp2p/crypto/keys'
import { createVoter, verifyCertificate } from '../../src/credit/index.ts'
import { libp2pTransport } from '../../src/credit/transport.ts'
import { createNode, request } from '../../src/net/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import {
  DOMAINS,
  LEDGER_MESSAGE_MAX,
  ledgerResponse,
  NETWORKS,
  type Network,
  networkOf,
  type PeerIdString,
  protocolId,
  type Receipt,
  sign
} from '../../src/wire/index.ts'
import { HOUR, LedgerSwarm, type TestPeer } from '../../test/fixtures/ledger-swarm.ts'
import { NOTHING, type Outcome } from './scenario.ts'

/** Peers that give less than they owe: no signature, no end of a message, no other peer to talk to. */

const STAKE = 1_000n
const EARNED = 600n
const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }
const settled = async ({ ledger }: TestPeer) => (await ledger.balance()).settled

export async function refusalAttacks(): Promise<Outcome[]> {
  return [await refusalToSign(), await eclipse(), await oversized(), await endless()]
}

/** A requester whose provider has done its work, is receipted for it, and signs no release. */
async function refusalToSign(): Promise<Outcome> {
  const { swarm, requester, others } = await hiring(5)
  const [payee] = others as [TestPeer, ...TestPeer[]]
  const { escrow, tClose } = await requester.escrow([[payee, STAKE]])
  await payee.ledger.acceptReceipt(await requester.ledger.receipt(escrow, payee.peer, EARNED), requester.peer)
  const before = await settled(payee)
  const groups = [{ weight: EARNED, payees: [0], quorum: 1 }]
  const { certainty } = await requester.ledger.settle(escrow, groups, { seed: new Uint8Array(32) })
  const locked = (await requester.ledger.balance()).escrowed
  swarm.now = tClose
  await requester.ledger.maintain()
  await until(async () => (await settled(payee)) > before)
  const { escrowed } = await requester.ledger.balance()
  const gained = (await settled(payee)) - before - EARNED
  await swarm.stop()
  return {
    ...NOTHING,
    name: 'refusal-to-sign',
    gain: Number(gained + escrowed) / Number(STAKE),
    hold: certainty === 'pending' && locked === STAKE ? 'bounded' : 'prevented',
    ends: 'Who signs no release keeps the rest of its channel locked until tClose, minutes after the deadline, and gets what was receipted. Nobody has it meanwhile.'
  }
}

/** Everybody whom a newcomer can reach is one attacker: its provider, and the whole of its seat. */
async function eclipse(): Promise<Outcome> {
  const { swarm, requester, others } = await hiring(8)
  const [payee] = others as [TestPeer, ...TestPeer[]]
  const { escrow } = await requester.escrow([[payee, STAKE]])
  const receipt = await requester.ledger.receipt(escrow, payee.peer, EARNED)
  await payee.ledger.acceptReceipt(receipt, requester.peer)
  const { records } = await requester.ledger.exportLedger()
  const signedEscrow = records.at(-1)
  if (signedEscrow === undefined) {
    throw new Error('an escrow was signed')
  }
  // all of its witnesses vote for what they like: more than was receipted, by a receipt of their own making
  const base = { v: 1 as const, net: swarm.network.hash, ts: swarm.now }
  const claimed = async (amount: bigint, proof = receipt): Promise<bigint> => {
    const votes = await Promise.all(
      others.map(({ key, peer }) =>
        sign(key, DOMAINS.statement, {
          ...base,
          author: peer,
          kind: 'payout',
          escrow,
          payee: payee.peer,
          amount
        })
      )
    )
    try {
      await verifyCertificate({ kind: 'payout', escrow: signedEscrow, receipt: proof, votes }, swarm.network)
      return amount
    } catch {
      return 0n // refused, as it should be
    }
  }
  const own: Receipt = {
    ...base,
    author: requester.peer,
    kind: 'receipt',
    escrow,
    payee: payee.peer,
    amount: STAKE,
    pairTotal: STAKE
  }
  const forged = await sign(payee.key, DOMAINS.statement, own)
  const took = await Promise.all([claimed(EARNED), claimed(STAKE), claimed(STAKE, forged)])
  await swarm.stop()
  const most = took.includes(STAKE) ? STAKE : (took[0] ?? 0n)
  return {
    ...NOTHING,
    name: 'eclipse-of-a-newcomer',
    gain: Number(most - EARNED) / Number(STAKE),
    hold: 'bounded',
    ends: 'With all its witnesses bought a newcomer still pays only for what it checked and receipted itself. What it has not spent can be locked, until it meets somebody else.'
  }
}

const STREAMS = 32
const CALLS = 40
const PATIENCE_MS = 2_000

async function startNode(network: Network) {
  const privateKey = await generateKeyPair('Ed25519')
  const listen = ['/ip4/127.0.0.1/tcp/0/ws']
  return { key: privateKey, node: await createNode({ privateKey, network, relays: [], listen }) }
}

/**
 * Questions of the ledger's over a real stream, just below the limit of a message and twice it. Gain: those above it
 * that were read and answered, which all are without the limit (`maxBytes` in `libp2pTransport`).
 */
async function oversized(): Promise<Outcome> {
  const network = await networkOf(NETWORKS.local)
  const [victim, attacker] = await Promise.all([startNode(network), startNode(network)])
  const voter = createVoter({ ...victim, store: memoryStore(), network })
  await voter.start()
  const connection = await attacker.node.dial(victim.node.getMultiaddrs())
  const record = { payload: new Uint8Array(48 * 1024), signature: new Uint8Array(64) }
  const answered = async (records: number) => {
    const stream = await connection.newStream(protocolId(network.parameters, 'ledger'))
    const tail = Array.from({ length: records }, () => record)
    const message = { t: 'certify', record, tail, evidence: [] }
    try {
      await request(stream, ledgerResponse, message, { maxBytes: 4 * LEDGER_MESSAGE_MAX })
      return true
    } catch {
      return false // the stream was reset: as it should be
    }
  }
  const within = Math.floor(LEDGER_MESSAGE_MAX / record.payload.length) - 2
  const isHeard = await answered(within)
  const above = [await answered(2 * within), await answered(2 * within)]
  await voter.stop()
  await Promise.all([victim, attacker].map(({ node }) => node.stop()))
  if (!isHeard) {
    throw new Error('a message below the limit is answered')
  }
  return {
    ...NOTHING,
    name: 'oversized-messages',
    gain: above.filter(Boolean).length,
    hold: 'prevented',
    bound: 0,
    ends: 'Every message has a limit that is looked at before anything is decoded: its stream is reset.'
  }
}

/** One peer opens all the ledger streams that it may and never ends a message; another one asks for heads. */
async function endless(): Promise<Outcome> {
  const network = await networkOf(NETWORKS.local)
  const start = () => startNode(network)
  const [victim, honest, attacker] = await Promise.all([start(), start(), start()])
  const voter = createVoter({ ...victim, store: memoryStore(), network })
  await voter.start()
  await honest.node.dial(victim.node.getMultiaddrs())
  const connection = await attacker.node.dial(victim.node.getMultiaddrs())
  const transport = libp2pTransport(honest.node, network, () => {})
  const served = async (to: PeerIdString) => {
    let answers = 0
    for (let i = 0; i < CALLS; i++) {
      const answer = await transport
        .call(to, { t: 'head', author: to, after: -1 }, AbortSignal.timeout(PATIENCE_MS))
        .catch(() => undefined) // not answered in time: that is what is counted
      answers += answer?.t === 'head' ? 1 : 0
    }
    return answers
  }
  const before = await served(voter.peer)
  const over = new AbortController()
  const drips = Array.from({ length: STREAMS }, async () => {
    const stream = await connection.newStream(protocolId(network.parameters, 'ledger'))
    stream.send(Uint8Array.of(0x80, 0x80, 0x08)) // a message of 128 KiB is to come
    while (!over.signal.aborted && stream.status === 'open') {
      stream.send(Uint8Array.of(0))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })
  const during = await served(voter.peer)
  over.abort()
  await Promise.allSettled(drips) // cut off by the victim: as it should be
  await voter.stop()
  await Promise.all([victim, honest, attacker].map(({ node }) => node.stop()))
  return {
    ...NOTHING,
    name: 'endless-messages',
    gain: 0,
    displaced: Math.max(0, before - during) / before,
    hold: 'prevented',
    ends: `${STREAMS} streams of one connection, more it may not open, each cut off after ten seconds; ${during} of ${CALLS} honest questions were answered meanwhile.`
  }
}

async function hiring(witnesses: number) {
  const swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const requester = await swarm.add(70)
  const others: TestPeer[] = []
  for (let i = 0; i < witnesses - 1; i++) {
    others.push(await swarm.add(80 + i))
  }
  return { swarm, requester, others }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000
  while (!(await isSo()) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
