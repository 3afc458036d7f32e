import * as z from 'zod/mini'
import type { CreateSwarmInit, MapOptions, StreamOptions, WorkerSource } from '../../api.ts'
import { checkObject, checkOptions, JobError, shown } from '../../jobs/index.ts'

/** What the type checker of a TypeScript program would have said, for all the others. */

const texts = z.array(z.string('must be text'), 'must be a list of texts')

const init = z.strictObject({
  relays: z.optional(texts),
  network: z.optional(z.enum(['local', 'main'], 'must be "local" or "main"')),
  iceServers: z.optional(z.array(z.looseObject({ urls: z.union([z.string(), texts]) }), 'must be a list')),
  dataFolder: z.optional(z.string('must be text').check(z.minLength(1, 'must not be empty'))),
  identity: z.optional(z.instanceof(Uint8Array, { error: 'must be bytes' })),
  backend: z.optional(z.enum(['auto', 'webgpu', 'cpu'], 'must be "auto", "webgpu" or "cpu"')),
  profile: z.optional(z.enum(['page', 'kiosk'], 'must be "page" or "kiosk"')),
  strategy: z.optional(z.enum(['paper', 'swarm'], 'must be "paper" or "swarm"')),
  workers: z.optional(
    z.int('must be a whole number').check(z.gte(1, 'must be at least 1'), z.lte(256, 'must be at most 256'))
  ),
  skills: z.optional(z.array(z.unknown(), 'must be a list of skills')),
  worker: z.optional(
    z.custom<WorkerSource>(
      (value) => value instanceof URL || typeof value === 'function',
      'must be a URL, or a function that makes a Worker'
    )
  ),
  signal: z.optional(
    z.custom<AbortSignal>((value) => value instanceof AbortSignal, 'must be an AbortSignal')
  ),
  listen: z.optional(texts),
  webrtc: z.optional(z.boolean('must be true or false'))
})

/**
 * @param hasEngine units are computed without workers
 * @throws JobError `BAD_OPTION`
 */
export function checkInit(given: CreateSwarmInit, hasEngine: boolean): void {
  const parsed = init.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const name = issue?.path.join('.') || (issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : '')
    const what = issue?.code === 'unrecognized_keys' ? 'is no option of createSwarm' : issue?.message
    throw new JobError('BAD_OPTION', `${name || 'createSwarm takes an object: it'} ${what}.`)
  }
  if (given.skills !== undefined && given.worker === undefined && !hasEngine) {
    throw new JobError('BAD_OPTION', 'skills of your own need a worker that serves them: see docs/SKILLS.md.')
  }
}

const KEY_MAX = 256

/** @throws JobError `BAD_OPTION` */
export function checkKey(key: unknown): void {
  if (key !== undefined && !(typeof key === 'string' && key.length > 0 && key.length <= KEY_MAX)) {
    throw new JobError('BAD_OPTION', `key must be text of 1 to ${KEY_MAX} characters.`)
  }
}

const WINDOW_DEFAULT = 16
const WINDOW_MAX = 256

/** @throws JobError `BAD_OPTION` */
export function checkMap(inputs: unknown, options: MapOptions) {
  checkOptions(options)
  const { window = WINDOW_DEFAULT, ordered = true, key } = options
  checkKey(key)
  if (!(Number.isSafeInteger(window) && window >= 1 && window <= WINDOW_MAX)) {
    throw new JobError(
      'BAD_OPTION',
      `window must be a whole number from 1 to ${WINDOW_MAX}; it is ${shown(window)}.`
    )
  }
  if (typeof ordered !== 'boolean') {
    throw new JobError('BAD_OPTION', 'ordered must be true or false.')
  }
  const isIterable =
    typeof inputs === 'object' &&
    inputs !== null &&
    (Symbol.iterator in inputs || Symbol.asyncIterator in inputs)
  if (!isIterable) {
    throw new JobError('BAD_OPTION', 'map takes a list of inputs, or anything that can be iterated.')
  }
  return { window, ordered }
}

const STREAM_WINDOW = 64 * 1024 * 1024

/**
 * @returns the stream's window, in bytes
 * @throws JobError `BAD_OPTION`
 */
export function checkStream(options: StreamOptions): number {
  checkObject(options)
  const { windowBytes = STREAM_WINDOW, key }: StreamOptions & { key?: unknown } = options
  if (key !== undefined) {
    throw new JobError('BAD_OPTION', 'A stream has no key: its pieces are not kept for a second call.')
  }
  if (!(Number.isSafeInteger(windowBytes) && windowBytes > 0)) {
    throw new JobError(
      'BAD_OPTION',
      `windowBytes must be a positive whole number; it is ${shown(windowBytes)}.`
    )
  }
  return windowBytes
}

/** @throws JobError `BAD_OPTION` */
export function checkListener(listener: unknown, options: { readonly signal?: unknown }): void {
  if (typeof listener !== 'function') {
    throw new JobError('BAD_OPTION', `on takes an event and a function; the second is ${shown(listener)}.`)
  }
  checkObject(options)
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new JobError('BAD_OPTION', 'signal must be an AbortSignal.')
  }
}

/** @throws JobError `BAD_OPTION` */
export function checkExport(options: { readonly from?: unknown }): void {
  checkObject(options)
  const { from } = options
  if (from !== undefined && from !== 'genesis' && from !== 'checkpoint') {
    throw new JobError('BAD_OPTION', `from must be "genesis" or "checkpoint"; it is ${shown(from)}.`)
  }
}

/** @throws JobError `BAD_OPTION` */
export function nameOf(skill: unknown): string {
  const name = typeof skill === 'object' && skill !== null && 'name' in skill ? skill.name : skill
  if (typeof name !== 'string') {
    throw new JobError(
      'BAD_OPTION',
      'Name a skill by its text, such as "matmul-i8", or pass one of this library.'
    )
  }
  return name
}

/** @throws JobError `BAD_OPTION` */
export function checkStages(given: unknown) {
  if (!Array.isArray(given)) {
    throw new JobError(
      'BAD_OPTION',
      'pipeline takes a list of stages: [{ skill, input }, { skill, input, via }].'
    )
  }
  return given.map((stage: unknown, i) => {
    if (typeof stage !== 'object' || stage === null || !('skill' in stage) || !('input' in stage)) {
      throw new JobError('BAD_OPTION', `Stage ${i + 1} is { skill, input, via? }.`)
    }
    const via = 'via' in stage ? Object(stage.via) : undefined
    return { skill: nameOf(stage.skill), input: stage.input, ...(via === undefined ? {} : { via }) }
  })
}
