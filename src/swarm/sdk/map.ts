import type { Job, MapResult } from '../../api.ts'
import { namedAbort } from '../../jobs/index.ts'
import { SwarmError } from '../../wire/index.ts'

export interface MapInit<Input, Output> {
  readonly inputs: Iterable<Input> | AsyncIterable<Input>
  /** Jobs at a time, and inputs ahead of the reader. */
  readonly window: number
  readonly ordered: boolean
  /** @throws whatever is wrong with the input */
  readonly submit: (input: Input, index: number) => Job<Output>
  readonly signal?: AbortSignal | undefined
}

interface Running<Output> {
  readonly job: Job<Output>
  readonly result: Promise<MapResult<Output>>
}

/** A job for each input. The first that fails ends it; however it ends, what runs then is cancelled. */
export async function* mapInputs<Input, Output>({
  inputs,
  window,
  ordered,
  submit,
  signal
}: MapInit<Input, Output>): AsyncGenerator<MapResult<Output>, void> {
  const source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]()
  const running: Running<Output>[] = []
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // raced below; after the end nobody waits for it
  const abort = () => failed.reject(namedAbort(signal?.reason, signal, 'The map'))
  signal?.addEventListener('abort', abort, { once: true })
  let pulling: Promise<IteratorResult<Input>> | undefined
  let isDry = false
  let index = 0
  if (signal?.aborted === true) {
    abort()
  }
  try {
    while (true) {
      if (!isDry && running.length < window) {
        pulling ??= Promise.resolve(source.next())
      }
      if (pulling === undefined && running.length === 0) {
        return
      }
      const awaited = ordered ? running.slice(0, 1) : running
      // an input that is slow to come must not hold back a result: it may depend on it
      const next = await Promise.race([
        failed.promise,
        ...(pulling === undefined ? [] : [pulling.then((pulled) => ({ pulled }))]),
        ...awaited.map((entry) => entry.result.then((result) => ({ entry, result })))
      ])
      if ('pulled' in next) {
        pulling = undefined
        if (next.pulled.done === true) {
          isDry = true
        } else {
          const entry = start(submit, next.pulled.value, index++)
          entry.result.catch(failed.reject)
          running.push(entry)
        }
      } else {
        running.splice(running.indexOf(next.entry), 1)
        yield next.result
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    const ending = Promise.allSettled([isDry ? undefined : source.return?.()])
    await Promise.all(running.map(({ job }) => job.cancel()))
    if (pulling === undefined) {
      await ending // else it waits for an input that may never come
    }
  }
}

function start<Input, Output>(
  submit: MapInit<Input, Output>['submit'],
  input: Input,
  index: number
): Running<Output> {
  try {
    const job = submit(input, index)
    const result = job.result.then(
      ({ value, receipt }) => ({ index, value, receipt }),
      (error) => {
        throw ofInput(error, index)
      }
    )
    return { job, result }
  } catch (error) {
    throw ofInput(error, index)
  }
}

/** The same error, with the input's number among its details. */
function ofInput(error: unknown, index: number): unknown {
  if (!(error instanceof SwarmError)) {
    return error
  }
  const { code, retryable, details } = error
  return new SwarmError(code, `Input ${index}: ${error.message}`, {
    retryable,
    details: { ...details, index },
    cause: error
  })
}
