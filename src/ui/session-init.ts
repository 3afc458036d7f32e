import type { CreateSwarmInit, SwarmCore, SwarmStatus } from '../api.ts'
import type { Share, ShareInit, View, ViewInit } from '../core.ts'
import type { ConditionsWatch } from './conditions.ts'
import type { ConsentStore, PageNetwork } from './consent.ts'
import type { RulesStore } from './contributor.ts'
import type { Failure } from './failure.ts'
import type { QueryOptions } from './query.ts'

/** What the page needs of the world around it; tests give their own. */
export interface SessionInit {
  /** Loads the public API. Called after consent only. */
  readonly load: () => Promise<{
    createSwarm(init: CreateSwarmInit): Promise<SwarmCore>
    /** By the page's address. */
    defaultNetwork(): PageNetwork
    /** Shows this tab's node to other tabs. */
    shareSwarm(init: ShareInit): Share
    /** The node of another tab. */
    viewSwarm(init: ViewInit): Promise<View>
  }>
  readonly consents: ConsentStore
  /** When to rest, which skills to serve, at what price. Read after consent only. */
  readonly rules: RulesStore
  /** What the device tells of battery, network and heat. Called after consent only. */
  readonly watch: (changed: () => void) => ConditionsWatch
  readonly locks: LockManager
  readonly options: QueryOptions
  /** Makes the running swarm known to the console and to tests; undefined takes it back. */
  readonly publish: (swarm: SwarmCore | undefined) => void
  /** The last resort of a withdrawal: a reload ends whatever would not stop. */
  readonly reload: () => void
  /** Asks the browser not to clear what is stored here when space runs out. Firefox asks the person. */
  readonly keepStorage: () => Promise<boolean>
  /** Whether the browser has promised not to clear it. Never asks anybody. */
  readonly isKept: () => Promise<boolean>
}

export type Phase =
  | { readonly kind: 'asking'; readonly paused: boolean }
  /** Another tab holds the lock, or held it until now; `differs`: it runs another version of this page. */
  | { readonly kind: 'elsewhere'; readonly free: boolean; readonly differs: boolean }
  /** The node of another tab, shown in this one. */
  | { readonly kind: 'viewing'; readonly swarm: View; readonly status: SwarmStatus }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly swarm: SwarmCore; readonly status: SwarmStatus }
  | { readonly kind: 'stopped'; readonly failure: Failure | undefined }
