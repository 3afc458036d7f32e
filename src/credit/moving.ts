import { equals } from 'uint8arrays/equals'
import type { Store } from '../store/index.ts'
import {
  cidOf,
  decodeIdentityFile,
  encode,
  type IdentityFile,
  type Milliseconds,
  type Network,
  type PeerIdString,
  sha256
} from '../wire/index.ts'
import type { Certifier } from './certify.ts'
import { ESCROW_VOTE_MS } from './constants.ts'
import { openRecord } from './envelope.ts'
import { ensure } from './errors.ts'
import type { OwnChain } from './own-chain.ts'
import type { ChainState } from './state.ts'

export interface MovingInit {
  readonly store: Store
  readonly chain: OwnChain
  readonly certifier: Certifier
  readonly network: Network
  readonly random: (length: number) => Uint8Array
  readonly log: (message: string) => void
  readonly within: (ms: Milliseconds, signal?: AbortSignal) => AbortSignal
}

/** What opens a closed chain again: only an imported profile has it. */
export const TOKEN = 'move-token'
/** Its chain, too, may have gone on elsewhere: nothing is signed until its witnesses have said so. */
export const IMPORTED = 'imported'

/** The token of a chain that was closed here, until somebody says that its file is kept. */
const LEFT = 'left-token'

/** The file of an identity that is coming here, until all of it is: who is stopped in between goes on with it. */
const IMPORTING = 'importing'

/** Of `meta` these stay: what a person has decided on this device, and its own. */
const STAYS = new Set(['consent', TOKEN, IMPORTED, IMPORTING, LEFT])

/** Takes a node's identity from one profile to another: the chain is closed here, and opened there. */
export class Moving {
  private readonly init: MovingInit
  private readonly arrived = Promise.withResolvers<void>()
  private state: 'here' | 'away' | 'arriving' = 'here'

  constructor(init: MovingInit) {
    this.init = init
  }

  /** That this profile may sign. @throws CreditError `MOVED` once the identity has left it, `RECOVERING` before it is here */
  check(): void {
    ensure(
      this.state !== 'away',
      'MOVED',
      'This identity was moved to another device: nothing is signed here any more.'
    )
    ensure(
      this.state === 'here',
      'RECOVERING',
      'This identity has just come here: its witnesses have not answered yet.'
    )
  }

  /** As `check`, after so long as the network is patient with its witnesses. */
  async ready(signal?: AbortSignal): Promise<void> {
    if (this.state === 'arriving') {
      const over = this.init.within(this.init.network.parameters.seatPatienceMs, signal)
      const given = Promise.withResolvers<void>()
      over.addEventListener('abort', () => given.resolve(), { once: true })
      await Promise.race([this.arrived.promise, given.promise])
    }
    signal?.throwIfAborted()
    this.check()
  }

  /** The profile came from a file, and has not yet heard whether it is the newest. */
  get isArriving(): boolean {
    return this.state === 'arriving'
  }

  /** @throws CreditError `MOVED` for a chain that was closed, unless this profile may open it */
  async load({ closed }: ChainState): Promise<void> {
    const meta = this.init.store.table('meta')
    if ((await meta.get(IMPORTED)) !== undefined) {
      this.state = 'arriving'
    } else if (closed !== null) {
      this.state = 'away'
      this.check()
    }
  }

  /** The witnesses have said that this is the newest: from now on it is here. */
  async arrive(): Promise<void> {
    const { chain, certifier, store } = this.init
    const meta = store.table('meta')
    const token = await meta.get(TOKEN)
    const { closed } = await chain.latest()
    if (closed !== null && token !== undefined) {
      const shown = await sha256(token)
      const opened = await chain.appendNow((_, ts) => ({
        intent: { kind: 'opened', ts, body: { token } },
        embedded: shown
      }))
      const { members, quorum } = opened.state.seat
      await certifier.collect(opened, members, this.init.within(ESCROW_VOTE_MS), quorum)
    }
    await meta.delete(TOKEN)
    await meta.delete(IMPORTED)
    this.state = 'here'
    this.arrived.resolve()
  }

  /**
   * Closes the chain, tells its witnesses, and gives all that another profile needs; `leftProfile` gives it again.
   *
   * @throws CreditError `BAD_RECORD` while escrows are open
   */
  async leave(key: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const { chain, certifier, store, network, random } = this.init
    this.check()
    const token = random(32)
    const next = await sha256(token)
    await store.table('meta').put(LEFT, token) // first: nothing else opens a closed chain
    const own = await chain.append((_, ts) => ({ intent: { kind: 'closed', ts, body: { next } } }))
    this.state = 'away'
    const { members, quorum } = own.state.seat
    const votes = await certifier.collect(own, members, this.init.within(ESCROW_VOTE_MS), quorum)
    if (votes.size < quorum) {
      this.init.log('The witnesses have not heard that this identity moves: they will where it goes on.')
    }
    return encode(await fileOf(store, network, key, token, await chain.range(0, Number.MAX_SAFE_INTEGER)))
  }
}

/**
 * All that another profile needs of an identity that was closed here, again: the file may never have been saved.
 *
 * @returns undefined where the chain is open, or `forgetLeft` was called
 */
export async function leftProfile(
  store: Store,
  network: Network
): Promise<{ readonly peer: PeerIdString; readonly file: Uint8Array<ArrayBuffer> } | undefined> {
  const [token, key, kept] = await Promise.all([
    store.table('meta').get(LEFT),
    store.identity(),
    store.chain.range(0, Number.MAX_SAFE_INTEGER)
  ])
  const last = kept.at(-1)
  if (token === undefined || key === undefined || last === undefined) {
    return undefined
  }
  const { record } = await openRecord(last.record, network, { signatures: false })
  const asked = record.kind === 'closed' ? record.body.next : null
  if (asked === null || !equals(asked, await sha256(token))) {
    return undefined // it was to be closed, and was not
  }
  const records = kept.map(({ record }) => record)
  return { peer: record.author, file: encode(await fileOf(store, network, key, token, records)) }
}

/** The file is kept where it is safe: from now on only who has it can open the chain. */
export const forgetLeft = (store: Store): Promise<void> => store.table('meta').delete(LEFT)

async function fileOf(
  store: Store,
  { parameters }: Network,
  key: Uint8Array,
  token: Uint8Array,
  records: IdentityFile['records']
): Promise<IdentityFile> {
  const rows: IdentityFile['rows'] = []
  for (const table of MOVED) {
    for (const [row, value] of await store.table(table).entries()) {
      if (table !== 'meta' || !STAYS.has(row)) {
        rows.push({ table, key: row, value })
      }
    }
  }
  return {
    kind: 'swarmharness-identity',
    v: 1,
    network: parameters.name,
    key,
    token,
    records: [...records],
    rows
  }
}

/** All but what is a cache. Its votes belong to a witness's identity: without them it would vote twice. */
const MOVED = ['votes', 'contracts', 'certificates', 'meta'] as const

/**
 * Puts a profile that came from elsewhere into an empty store; one that has this identity already stays as it is. Its
 * ledger is for looking at until a quorum of its witnesses has said how far the chain goes.
 *
 * @throws StoreError `CONFLICT` where another identity is kept, CreditError `BAD_RECORD` for a file of another network
 */
export async function importProfile(store: Store, file: IdentityFile, network: Network): Promise<void> {
  ensure(
    file.network === network.parameters.name,
    'BAD_RECORD',
    `The identity is of the network ${file.network}, not of ${network.parameters.name}.`
  )
  for (const { table } of file.rows) {
    ensure(
      MOVED.some((each) => each === table),
      'BAD_RECORD',
      `The identity file has a table ${table}: it is damaged, or newer.`
    )
  }
  await resumeImport(store)
  const kept = await store.identity()
  const isSame = kept !== undefined && equals(kept, file.key)
  if (isSame && (await store.chain.head()) !== undefined) {
    return
  }
  if (kept !== undefined && !isSame) {
    return store.saveIdentity(file.key) // refuses
  }
  await store.table('meta').put(IMPORTING, encode(file))
  await takeIn(store, file)
}

/** Ends an import that was stopped. Call it before anything else looks at the identity or the chain. */
export async function resumeImport(store: Store): Promise<void> {
  const file = await store.table('meta').get(IMPORTING)
  if (file !== undefined) {
    await takeIn(store, decodeIdentityFile(file))
  }
}

/** Whatever of it is there already. */
async function takeIn(store: Store, { key, token, records, rows }: IdentityFile): Promise<void> {
  const meta = store.table('meta')
  await meta.put(IMPORTED, new Uint8Array())
  if (token) {
    await meta.put(TOKEN, token)
  }
  for (const table of MOVED) {
    for (const row of rows) {
      if (row.table === table && !(table === 'meta' && STAYS.has(row.key))) {
        await store.table(table).put(row.key, row.value)
      }
    }
  }
  if ((await store.identity()) === undefined) {
    await store.saveIdentity(key)
  }
  await putChain(store, records)
  await meta.delete(IMPORTING)
}

async function putChain(store: Store, records: IdentityFile['records']): Promise<void> {
  const [first, ...rest] = await Promise.all(
    records.map(async (record, seq) => ({ seq, id: (await cidOf(record.payload)).toString(), record }))
  )
  let head = await store.chain.head()
  if (first && head === undefined) {
    await store.chain.append(first)
    head = first
  }
  if (head && head.seq < rest.length) {
    await store.chain.replace(rest, head.id)
  }
}
