import { generateKeyPair } from '@libp2p/crypto/keys'
import { type AuditedRecord, createVoter, verifyRecord } from '../../src/credit/index.ts'
import { libp2pTransport } from '../../src/credit/transport.ts'
import { createNode, watchRelays } from '../../src/net/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import type { LedgerRequest, Network, PeerIdString, Signed } from '../../src/wire/index.ts'

export interface WatchingWitness {
  readonly peer: PeerIdString
  stop(): Promise<void>
}

/** A witness in Node, on the seats of all who meet it, that tells of each record which it is shown. */
export async function watchingWitness(
  network: Network,
  relays: readonly string[],
  onRecord: (record: AuditedRecord) => void
): Promise<WatchingWitness> {
  const key = await generateKeyPair('Ed25519')
  const node = await createNode({
    privateKey: key,
    network,
    relays: [...relays],
    listen: ['/ip4/127.0.0.1/tcp/0/ws']
  })
  const inner = libp2pTransport(node, network, () => {})
  const transport: typeof inner = {
    ...inner,
    start: (handlers) =>
      inner.start({
        ...handlers,
        answer: async (from, message) => {
          for (const envelope of recordsIn(message)) {
            onRecord(await verifyRecord(envelope, network))
          }
          return handlers.answer(from, message)
        }
      })
  }
  const voter = createVoter({ store: memoryStore(), key, network, node: transport })
  await voter.start()
  const watchdog = watchRelays(node, relays)
  return {
    peer: voter.peer,
    async stop() {
      watchdog.stop()
      await voter.stop()
      await node.stop()
    }
  }
}

function recordsIn(message: LedgerRequest): readonly Signed[] {
  switch (message.t) {
    case 'certify':
      return [...message.tail, message.record]
    case 'reseat':
      return message.tail
    case 'lodge':
      return [message.escrow]
    default:
      return []
  }
}
