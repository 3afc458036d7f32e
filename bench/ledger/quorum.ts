import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { Certifier } from '../../src/credit/certify.ts'
import { createVoter, quorumOf } from '../../src/credit/index.ts'
import { OwnChain } from '../../src/credit/own-chain.ts'
import { Proofs } from '../../src/credit/proofs.ts'
import { type LedgerTransport, libp2pTransport } from '../../src/credit/transport.ts'
import { createNode } from '../../src/net/index.ts'
import { nodeFolderStore } from '../../src/store/node-folder.ts'
import { NETWORKS, networkOf, type PeerIdString } from '../../src/wire/index.ts'

const WITNESSES = 7
const WITHIN_MS = 10_000

/** An author and seven witnesses in Node: libp2p over WebSocket, each with a data folder (fsync). */
export async function withWitnesses<T>(measure: (house: Quorum) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-bench-'))
  const stops: Array<() => Promise<unknown>> = []
  try {
    const network = await networkOf(NETWORKS.local)
    const start = async (seed: number) => {
      const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
      const store = await nodeFolderStore(join(folder, `${seed}`))
      const node = await createNode({
        privateKey: key,
        network,
        relays: [],
        listen: ['/ip4/127.0.0.1/tcp/0/ws']
      })
      stops.push(
        async () => node.stop(),
        () => store.close()
      )
      return { key, store, node, network }
    }
    const author = await start(1)
    const witnesses: PeerIdString[] = []
    for (let i = 0; i < WITNESSES; i++) {
      const witness = await start(10 + i)
      const voter = createVoter(witness)
      await voter.start()
      witnesses.push(voter.peer)
      await author.node.dial(witness.node.getMultiaddrs())
    }
    const transport = libp2pTransport(author.node, network, () => {})
    const chain = new OwnChain({ ...author, now: Date.now })
    await chain.open()
    const body = { members: witnesses, quorum: quorumOf(WITNESSES), unsure: true, votes: [] }
    await chain.append((_, ts) => ({ intent: { kind: 'seat', ts, body } }))
    const certifier = new Certifier({ chain, transport, network, proofs: new Proofs(author), log: () => {} })
    return await measure({ chain, certifier, transport, witnesses })
  } finally {
    for (const stop of stops) {
      await stop()
    }
    await rm(folder, { recursive: true, force: true })
  }
}

export interface Quorum {
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly transport: LedgerTransport
  readonly witnesses: readonly PeerIdString[]
}

/** ms until the q-th of the witnesses, asked all at once for what needs no writing, has answered. */
export async function roundTrip({ transport, chain, witnesses }: Quorum): Promise<number> {
  const start = performance.now()
  const times: number[] = []
  await Promise.all(
    witnesses.map(async (peer) => {
      const question = { t: 'head' as const, author: chain.peer, after: Number.MAX_SAFE_INTEGER }
      await transport.call(peer, question, AbortSignal.timeout(WITHIN_MS))
      times.push(performance.now() - start)
    })
  )
  return times[quorumOf(witnesses.length) - 1] ?? Number.NaN
}

/** ms from a stored escrow to a quorum of stored votes on it. */
export async function timeToQuorum({ chain, certifier, witnesses }: Quorum): Promise<number> {
  const quorum = quorumOf(witnesses.length)
  const [payee] = witnesses
  if (payee === undefined) {
    throw new Error('There are no witnesses.')
  }
  const own = await chain.append((_, ts) => ({
    intent: {
      kind: 'escrow',
      ts,
      body: {
        jobId: new Uint8Array(16),
        parent: null,
        payees: [{ peer: payee, max: 1n, on: [] }],
        amount: 1n,
        inputRoot: new Uint8Array(32),
        witnesses: [...witnesses],
        quorum,
        tClose: ts + 60_000,
        nonce: crypto.getRandomValues(new Uint8Array(16))
      }
    }
  }))
  const all = new AbortController()
  const start = performance.now()
  const votes = await certifier.collect(own, witnesses, all.signal, quorum)
  const took = performance.now() - start
  if (votes.size < quorum) {
    throw new Error(`Only ${votes.size} of ${quorum} votes came.`)
  }
  await certifier.collect(own, witnesses, all.signal) // all of them are done before the next one
  return took
}
