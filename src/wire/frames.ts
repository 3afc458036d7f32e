import * as z from 'zod/mini'
import { chainStart } from './chain-start.ts'
import { forkProof } from './fork-proof.ts'
import {
  CERTIFIED_PAYLOAD_MAX,
  certificate,
  PAYEES_MAX,
  RECEIPT_PAYLOAD_MAX,
  RESEAT_PAYLOAD_MAX,
  recognised,
  SEAT_MAX,
  VOTE_PAYLOAD_MAX
} from './records.ts'
import {
  bytes,
  bytesUpTo,
  cid,
  hash,
  microCredits,
  name,
  natural,
  peerId,
  shortText,
  signature,
  timestamp
} from './schema.ts'
import { signed, signedUpTo } from './signed.ts'
import { PART_BYTES_MAX, UNIT_BYTES_MAX, UNITS_MAX } from './units.ts'

/** Every message of the job and ledger protocols. Frames are length-prefixed DAG-CBOR; `t` names the kind. */

/** Payload bytes that one frame carries at most: larger parts and results travel in chunks. */
export const CHUNK_MAX = 256 * 1024
/** Chunks of a shared part, at most: each has its hash in the part's announcement. */
export const PART_CHUNKS_MAX = PART_BYTES_MAX / CHUNK_MAX
/** Largest frame of the job protocol in bytes. */
export const JOB_FRAME_MAX = CHUNK_MAX + 4 * 1024
/** Shared parts that `open` asks for: of further ones it is not known whether the provider has them. */
export const PARTS_ASKED_MAX = 1_024
/** Largest message of the ledger protocol in bytes. */
export const LEDGER_MESSAGE_MAX = 512 * 1024

/** Parts that one ticket names, and its largest payload in bytes. */
export const TICKET_PARTS_MAX = 24
export const TICKET_PAYLOAD_MAX = 1_280

/** Units that a provider may say it computes side by side. */
export const SLOTS_MAX = 256

/** Of an error at a provider, besides its code. */
export const FAILURE_DETAILS_MAX = 8

const failureDetails = z
  .array(z.strictObject({ name, value: z.union([z.string().check(z.maxLength(128)), natural, z.boolean()]) }))
  .check(z.maxLength(FAILURE_DETAILS_MAX))

const percent = natural.check(z.maximum(100))
const unitIndex = natural.check(z.maximum(UNITS_MAX - 1))
const chunk = bytesUpTo(CHUNK_MAX)

/** Part of every framed stream, sent and answered by `net/framed-stream` itself. */
export const control = [
  /** Total bytes of frames that the receiver has consumed: opens the sender's window. */
  z.strictObject({ t: z.literal('ack'), bytes: natural }),
  /** Alive. Sent every 500 ms. */
  z.strictObject({ t: z.literal('beat') }),
  /** The sender leaves on purpose (page closed, paused, stopped): no heartbeat will follow. */
  z.strictObject({ t: z.literal('bye'), reason: name })
] as const

/** A part will come: `chunks` are the SHA-256 of its chunks, and `hash` is that over all of them. */
const partFrame = z.strictObject({
  t: z.literal('part'),
  hash,
  size: natural.check(z.maximum(PART_BYTES_MAX)),
  chunks: z.array(hash).check(z.minLength(1), z.maxLength(PART_CHUNKS_MAX))
})
const chunkFrame = z.strictObject({ t: z.literal('chunk'), hash, offset: natural, bytes: chunk })

const parts = z.array(hash).check(z.maxLength(16))
/** Where a unit's rows come from: another unit's result, of which each number is changed so. */
const rowsOf = z.strictObject({
  skill: name,
  /** Of the unit whose result they are. */
  params: z.array(z.int()).check(z.maxLength(64)),
  relu: z.boolean(),
  /** Times 2^(scale − 64). */
  scale: natural.check(z.maximum(128))
})

/** A unit of the stage before, with all that its check needs. Bytes are named by their part hash. */
export const origin = z.strictObject({
  /** Who computed it. */
  peer: peerId,
  /** Its number on the stream of that peer, under the same escrow. */
  index: unitIndex,
  skill: name,
  params: z.array(z.int()).check(z.maxLength(64)),
  parts,
  /** What it was computed from. */
  input: hash,
  via: z.nullable(rowsOf),
  /** The result, of so many bytes, and that peer's signature over `stepStatement`. */
  result: hash,
  size: natural.check(z.maximum(UNIT_BYTES_MAX)),
  signature
})

/** Requester to provider. */
export const jobRequestFrame = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('open'),
    jobId: bytes(16),
    skill: name,
    kernel: hash,
    /** What is paid, in thousandths of the published cost. */
    rate: natural.check(z.gte(1)),
    escrow: cid,
    /** Parts that units will name: does the provider still have them from an earlier job? */
    parts: z.array(hash).check(z.maxLength(PARTS_ASKED_MAX))
  }),
  partFrame,
  chunkFrame,
  z.strictObject({
    t: z.literal('unit'),
    index: unitIndex,
    params: z.array(z.int()).check(z.maxLength(64)),
    parts: z.array(hash).check(z.maxLength(16)),
    size: natural.check(z.maximum(UNIT_BYTES_MAX)),
    bytes: chunk
  }),
  /** The rest of a unit's input, in order, when it exceeds one chunk. */
  z.strictObject({ t: z.literal('input'), index: unitIndex, offset: natural, bytes: chunk }),
  /**
   * A unit of a pipeline, whose rows are the bytes `input` as `via` makes them. Where `origin` is not null, they are its
   * result: the provider checks it before anything else. `mode`: `keep`: the result stays here, for the next stage;
   * `send`: it goes to the requester, too; `check`: nothing is computed but the check. `tickets`: who has what is
   * missing here.
   */
  z.strictObject({
    t: z.literal('step'),
    index: unitIndex,
    mode: z.enum(['keep', 'send', 'check']),
    params: z.array(z.int()).check(z.maxLength(64)),
    parts,
    /** Bytes of these parts, and of the rows as the unit takes them in. */
    partSizes: z.array(natural.check(z.maximum(PART_BYTES_MAX))).check(z.maxLength(16)),
    dataSize: natural.check(z.maximum(UNIT_BYTES_MAX)),
    input: hash,
    via: z.nullable(rowsOf),
    origin: z.nullable(origin),
    tickets: z.array(signedUpTo(TICKET_PAYLOAD_MAX)).check(z.maxLength(4))
  }),
  z.strictObject({ t: z.literal('cancel'), index: unitIndex }),
  z.strictObject({ t: z.literal('receipt'), receipt: signed }),
  /** No more units will come: answer with a release. */
  z.strictObject({ t: z.literal('finish') }),
  ...control
])

/** Provider to requester. */
export const jobResponseFrame = z.discriminatedUnion('t', [
  /**
   * `window`: the units that the provider takes before the next receipt. `slots`: those that it computes side by side.
   * `load`: 0 (idle) to 100 (full). `have`: indices into `parts` of `open`.
   */
  z.strictObject({
    t: z.literal('accepted'),
    window: natural,
    slots: natural.check(z.gte(1), z.maximum(SLOTS_MAX)),
    load: percent,
    have: z.array(natural.check(z.maximum(PARTS_ASKED_MAX - 1))).check(z.maxLength(PARTS_ASKED_MAX))
  }),
  z.strictObject({ t: z.literal('refused'), code: name, message: shortText, retryAfterMs: natural }),
  z.strictObject({ t: z.literal('window'), window: natural, load: percent }),
  z.strictObject({ t: z.literal('progress'), index: unitIndex, permille: natural.check(z.maximum(1000)) }),
  z.strictObject({ t: z.literal('output'), index: unitIndex, offset: natural, bytes: chunk }),
  /** Follows the last `output` of a unit: the provider's signature over `resultStatement`. */
  z.strictObject({
    t: z.literal('result'),
    index: unitIndex,
    size: natural.check(z.maximum(UNIT_BYTES_MAX)),
    hash,
    signature
  }),
  z.strictObject({
    t: z.literal('failed'),
    index: unitIndex,
    code: name,
    message: shortText,
    retryable: z.boolean(),
    details: z.optional(failureDetails)
  }),
  z.strictObject({ t: z.literal('released'), release: signed }),
  ...control
])

/** What a provider signs (domain `result`) before it learns the challenge. */
export const resultStatement = z.strictObject({ escrow: cid, index: unitIndex, hash, author: peerId })

/**
 * What a provider signs (domain `result`) of a unit of a pipeline: both hashes are those of parts. It says, too, that the
 * input was checked, where the unit named its origin. For a mere check `result` is that of no bytes.
 */
export const stepStatement = z.strictObject({
  escrow: cid,
  index: unitIndex,
  input: hash,
  result: hash,
  author: peerId
})

/**
 * A requester's leave (domain `ticket`): `holder` may give these of its parts to `taker`. Within the network's clock
 * skew and an hour of `ts`.
 */
export const ticket = z.strictObject({
  v: z.literal(1),
  net: hash,
  author: peerId,
  ts: timestamp,
  holder: peerId,
  taker: peerId,
  parts: z.array(hash).check(z.minLength(1), z.maxLength(TICKET_PARTS_MAX))
})

/** Asks a provider for parts of a pipeline. */
export const pullRequestFrame = z.discriminatedUnion('t', [
  /** `parts`: those wanted of the ticket's. */
  z.strictObject({
    t: z.literal('pull'),
    ticket: signedUpTo(TICKET_PAYLOAD_MAX),
    parts: z.array(hash).check(z.minLength(1), z.maxLength(TICKET_PARTS_MAX))
  }),
  ...control
])

/** One `part` with its chunks, or one `gone`, for each part asked for, in that order. */
export const pullResponseFrame = z.discriminatedUnion('t', [
  partFrame,
  chunkFrame,
  z.strictObject({ t: z.literal('gone'), hash }),
  z.strictObject({ t: z.literal('refused'), code: name, message: shortText }),
  ...control
])

const tail = z.array(signed).check(z.maxLength(1024))
const certified = {
  escrow: signedUpTo(CERTIFIED_PAYLOAD_MAX),
  votes: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(SEAT_MAX))
}

/** Asked over a ledger stream: one request, one response. */
export const ledgerRequest = z.discriminatedUnion('t', [
  /**
   * Vote on `record`. `tail`: the author's records before it, oldest first, that the witness lacks. `evidence`:
   * releases of payees and votes of other witnesses that a settle among these records needs. `start`: of a chain that
   * is long; the tail begins with its checkpoint.
   */
  z.strictObject({
    t: z.literal('certify'),
    record: signed,
    start: z.optional(chainStart),
    tail,
    evidence: z.array(signedUpTo(VOTE_PAYLOAD_MAX)).check(z.maxLength(4 * PAYEES_MAX))
  }),
  /** Vote on the seat of these members that I shall put at `seq`, after `prev`. */
  z.strictObject({
    t: z.literal('reseat'),
    seq: natural,
    prev: cid,
    members: z.array(peerId).check(z.maxLength(SEAT_MAX)),
    start: z.optional(chainStart),
    tail
  }),
  /** Which records of `author` after the place `after` (-1: from the first) do you have? */
  z.strictObject({ t: z.literal('head'), author: peerId, after: z.int().check(z.gte(-1)) }),
  /** Which records of `author` do you keep from the place right after `after` on, old ones, too? */
  z.strictObject({ t: z.literal('records'), author: peerId, after: z.int().check(z.gte(-1)) }),
  /** On whose account would you serve me for so much (µcr)? An escrow names them. */
  z.strictObject({ t: z.literal('terms'), max: microCredits }),
  /** My escrow, which pays you, with its witnesses' votes. */
  z.strictObject({ t: z.literal('escrow'), ...certified }),
  /** I am asked to serve its author on your word: do you know another record for its place? */
  z.strictObject({ t: z.literal('shown'), escrow: certified.escrow }),
  /** A witness keeps the receipt for its payee: no settle may pay less. */
  z.strictObject({ t: z.literal('lodge'), ...certified, receipt: signedUpTo(RECEIPT_PAYLOAD_MAX) }),
  /** After tClose: vote on the receipt that I have lodged on this escrow. */
  z.strictObject({ t: z.literal('payout'), escrow: cid }),
  /** Here is your payout: claim it. */
  z.strictObject({ t: z.literal('paid'), certificate, index: natural }),
  /** Has this escrow of yours been settled? */
  z.strictObject({ t: z.literal('settled'), escrow: cid }),
  /** Somebody has signed two things for one place: see for yourself. */
  z.strictObject({ t: z.literal('forked'), proof: forkProof }),
  /** I have: here is the record that healed my chain, and a quorum of votes on it. */
  z.strictObject({ t: z.literal('healed'), heal: signed, votes: certified.votes }),
  /** Has this author? Anybody may ask, whoever has the proof answers. */
  z.strictObject({ t: z.literal('forks'), author: peerId })
])

export const ledgerResponse = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('vote'), vote: signedUpTo(RESEAT_PAYLOAD_MAX) }),
  /** The witness knows the chain only up to `seq` (-1: not at all): send the tail from there. */
  z.strictObject({ t: z.literal('need'), after: z.int().check(z.gte(-1)) }),
  /** The witness has another record for that place: the two together are a fork proof. */
  z.strictObject({ t: z.literal('conflict'), record: signed }),
  z.strictObject({ t: z.literal('ok') }),
  /** `seq`: the highest place that the witness knows of, -1 for none. `now`: its clock. */
  z.strictObject({
    t: z.literal('head'),
    seq: z.int().check(z.gte(-1)),
    now: timestamp,
    tail
  }),
  /** As many as one message takes, oldest first, without a gap; none where the first of them is not kept. */
  z.strictObject({ t: z.literal('records'), tail }),
  z.strictObject({ t: z.literal('certificate'), certificate, index: natural }),
  z.strictObject({ t: z.literal('open') }),
  /** None: as a stranger. */
  z.strictObject({ t: z.literal('terms'), on: recognised }),
  /** Null: not that this node knows. */
  z.strictObject({ t: z.literal('forks'), proof: z.nullable(forkProof) }),
  z.strictObject({ t: z.literal('refused'), code: name, message: shortText })
])

export type JobRequestFrame = z.output<typeof jobRequestFrame>
export type JobResponseFrame = z.output<typeof jobResponseFrame>
export type ControlFrame = z.output<(typeof control)[number]>
export type Origin = z.output<typeof origin>
export type RowsOf = z.output<typeof rowsOf>
export type Ticket = z.output<typeof ticket>
export type StepStatement = z.output<typeof stepStatement>
export type PullRequestFrame = z.output<typeof pullRequestFrame>
export type PullResponseFrame = z.output<typeof pullResponseFrame>
export type LedgerRequest = z.output<typeof ledgerRequest>
export type LedgerResponse = z.output<typeof ledgerResponse>
export type ResultStatement = z.output<typeof resultStatement>
