import type { PrivateKey } from '@libp2p/interface'
import type { CreateSwarmInit } from '../api.ts'
import { createLedger, importProfile, type LedgerService, Priorities, resumeImport } from '../credit/index.ts'
import { createNode, loadIdentity, type SwarmNode } from '../net/index.ts'
import { type SwarmRegistry, swarmRegistry } from '../registry/index.ts'
import { SwarmRouter } from '../router/index.ts'
import { type Skill, skillsWith } from '../skills/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { decodeIdentityFile, NETWORKS, type Network, networkOf } from '../wire/index.ts'
import { endAll } from './end-all.ts'
import type { Fittings } from './fittings.ts'
import { defaultNetwork, findRelays } from './host.ts'
import { ledgerListeners } from './ledger-listeners.ts'
import { SignatureWorker } from './signature-worker.ts'

/** What a node is made of: up, but for the ledger, which has not started. */
export interface Parts {
  readonly init: CreateSwarmInit
  readonly fittings: Fittings
  /** Of this build, and the program's own. */
  readonly skills: ReadonlyMap<string, Skill>
  readonly network: Network
  readonly store: Store
  readonly node: SwarmNode<{ registry: SwarmRegistry }>
  readonly relays: readonly string[]
  readonly ledger: LedgerService
  /** The ledger's. */
  readonly signatures: SignatureWorker
  readonly router: SwarmRouter
  readonly priorities: Priorities
}

/** Opens the store, then the network. After an error nothing stays open. */
export async function openParts(
  init: CreateSwarmInit,
  fittings: Fittings
): Promise<{ readonly parts: Parts; readonly key: PrivateKey }> {
  init.signal?.throwIfAborted()
  const skills = skillsWith(init.skills ?? [])
  const network = await networkOf(NETWORKS[init.network ?? defaultNetwork()])
  const asking = findRelays(init.relays, network.parameters.name, init.signal)
  asking.catch(() => {}) // awaited below, once the store is open
  const store =
    fittings.store ?? (await openStore({ network: network.parameters.name, dataFolder: init.dataFolder }))
  try {
    const { relays, iceServers } = await asking // first: of a wrong network no identity is made
    await (init.identity === undefined
      ? resumeImport(store)
      : importProfile(store, decodeIdentityFile(init.identity), network))
    await fittings.onStore?.(store)
    const key = fittings.key ?? (await loadIdentity(store))
    const node = await createNode({
      privateKey: key,
      network,
      relays,
      iceServers: init.iceServers ?? iceServers,
      listen: init.listen ?? [],
      webrtc: init.webrtc ?? (relays.length > 0 && init.listen === undefined),
      transports: fittings.transports,
      services: { registry: swarmRegistry({ network }) }
    })
    const signatures = new SignatureWorker()
    const ledger = createLedger({
      store,
      key,
      network,
      node,
      verify: signatures.verify,
      log: (message) => node.logger.forComponent('swarmharness:credit')(message),
      ...ledgerListeners(() => ({ priorities, router }), node.logger.forComponent('swarmharness:credit'))
    })
    const priorities = new Priorities({ store, network, self: ledger.peer, now: Date.now })
    const router = new SwarmRouter({
      strategy: init.strategy ?? 'swarm',
      random: fittings.random ?? Math.random,
      idleOf: (peer) => priorities.idleOf(peer)
    })
    return {
      parts: { init, fittings, skills, network, store, node, relays, ledger, signatures, router, priorities },
      key
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Of a node that never ran. */
export const endParts = ({ signatures, ledger, node, store }: Parts) =>
  endAll([() => signatures.close(), () => ledger.stop(), () => node.stop(), () => store.close()])
