import { CommanderError } from 'commander'
import { errorToPlain, SwarmError } from '../wire/index.ts'

/** How every command speaks: results on standard output, everything else on standard error, a status for scripts. */

export const STATUS = {
  /** What was asked for was done. */
  done: 0,
  /** It could not be done: a failed job, a relay that does not answer, a fault that was found. */
  failed: 1,
  /** The command line, or a file that it names, is not as it should be: nothing was started. */
  usage: 2,
  /** Ended by Ctrl-C: 128 + SIGINT. */
  interrupted: 130
} as const

/** A command line or a file that is not as it should be. */
export class UsageError extends Error {}

export interface Terminal {
  readonly json: boolean
  /** A person watches: progress may be drawn. */
  readonly isWatched: boolean
  /**
   * The result: text for people, or, with `--json`, one line of JSON.
   *
   * @throws SwarmError `NOT_WRITTEN` where standard output is a file on a full disk. A reader that has gone had enough
   */
  result(text: string, json: unknown): Promise<void>
  /** A remark for people. Nothing with `--json`, or where nobody watches. */
  say(text: string): void
  /** Draws over the last line; an empty text wipes it. */
  draw(text: string): void
}

export function terminal({ json = false }: { json?: boolean | undefined }): Terminal {
  const isWatched = process.stderr.isTTY === true && !json
  let drawn = 0
  const wipe = () => {
    if (drawn > 0) {
      process.stderr.write(`\r${' '.repeat(drawn)}\r`)
      drawn = 0
    }
  }
  return {
    json,
    isWatched,
    result(text, value) {
      wipe()
      return print(`${json ? JSON.stringify(value, plain) : text}\n`)
    },
    say(text) {
      if (isWatched) {
        wipe()
        process.stderr.write(`${text}\n`)
      }
    },
    draw(text) {
      if (isWatched) {
        wipe()
        process.stderr.write(`\r${text}`)
        drawn = text.length
      }
    }
  }
}

/**
 * Writes to standard output.
 *
 * @throws SwarmError `NOT_WRITTEN`
 */
export function print(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { stdout } = process
  const fail = (cause: unknown) =>
    systemCode(cause) === 'EPIPE' ? resolve() : reject(notWritten('Standard output', cause))
  stdout.once('error', fail) // after the callback: else nobody hears it, and the process ends
  stdout.write(text, (cause) => {
    if (cause === undefined || cause === null) {
      stdout.off('error', fail)
      resolve()
    } else {
      fail(cause)
    }
  })
  return promise
}

export const CONSOLE = {
  out: (text: string) => print(`${text}\n`),
  error: (text: string) => console.error(text)
}

/** A result that is there and could not be kept. */
export function notWritten(
  where: string,
  cause: unknown,
  advice = 'make room, or send it elsewhere.'
): SwarmError {
  return new SwarmError('NOT_WRITTEN', `${where} could not be written (${reasonOf(cause)}): ${advice}`, {
    cause
  })
}

const systemCode = (cause: unknown) =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'not allowed',
  EDQUOT: 'the quota is used up',
  EISDIR: 'a folder',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is no folder',
  EPERM: 'not allowed',
  EROFS: 'a read-only disk'
}

/** What the system said, in words where it is one of the usual things. */
export function reasonOf(cause: unknown): string {
  const code = systemCode(cause)
  return (code && REASONS[code]) ?? (cause instanceof Error ? cause.message : String(cause))
}

/** Of a file that is not there: that may be as it should be. All else is an obstacle. */
export function absent(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') {
    throw error
  }
}

/** JSON knows no bigint: amounts are decimal text. */
export function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value
}

/** Says on standard error what went wrong and what to do. @returns the status to end with */
export function explain(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) {
      return STATUS.done
    }
    if (json) {
      complain(json, { code: 'USAGE', message: error.message.replace(/^error: /, '') }, '') // else commander has said why
    }
    return STATUS.usage
  }
  if (error instanceof UsageError) {
    complain(json, { code: 'USAGE', message: error.message }, `${error.message}\nTry --help.`)
    return STATUS.usage
  }
  if (error instanceof SwarmError) {
    complain(json, errorToPlain(error), `${error.message} (${error.code})`)
    return USAGE_CODES.has(error.code) ? STATUS.usage : STATUS.failed
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  complain(json, { code: 'INTERNAL', message: text }, text)
  return STATUS.failed
}

const USAGE_CODES = new Set([
  'BAD_OPTION',
  'BAD_INPUT',
  'UNKNOWN_SKILL',
  'BAD_ADDRESS',
  'BUDGET_TOO_SMALL',
  'WRONG_NETWORK'
])

function complain(json: boolean, error: object, text: string): void {
  console.error(json ? JSON.stringify({ error }) : text)
}

export interface Interruption {
  readonly signal: AbortSignal
  readonly wasInterrupted: () => boolean
}

/** Aborts on Ctrl-C, `kill` or a closed terminal; the same a second time ends at once. */
export function interruption(): Interruption {
  const controller = new AbortController()
  let byKeyboard = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    let times = 0
    process.on(signal, () => {
      times += 1
      if (times > 1) {
        process.exit(signal === 'SIGINT' ? STATUS.interrupted : STATUS.failed)
      }
      byKeyboard ||= signal === 'SIGINT'
      controller.abort(new Error(`Ended by ${signal}.`))
    })
  }
  return { signal: controller.signal, wasInterrupted: () => byKeyboard }
}

export interface Lifetime extends Interruption {
  /** Rejects with what made it fail. */
  readonly over: Promise<undefined>
  /** Ends it for the sake of what the promise resolves with, if it ever does. */
  readonly failsWith: (failed: Promise<unknown> | undefined) => void
}

/** How long a server runs: until it is interrupted, or the process that started it is gone, however that went, or it fails. */
export function lifetime(): Lifetime {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  promise.catch(() => {}) // it may fail before anybody waits for it
  const interrupted = interruption()
  interrupted.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  process.once('disconnect', () => resolve(undefined))
  return { ...interrupted, over: promise, failsWith: (failed) => void failed?.then(reject) }
}

/** @throws UsageError */
export function wholeNumber(name: string, most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value > most || value < least) {
      throw new UsageError(`--${name} is a whole number from ${least} to ${most}; it is ${text}.`)
    }
    return value
  }
}

/** @throws UsageError */
export function oneOf<T extends string>(name: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const chosen = choices.find((choice) => choice === text)
    if (chosen === undefined) {
      throw new UsageError(`--${name} is one of ${choices.join(', ')}; it is ${text}.`)
    }
    return chosen
  }
}

/** @throws UsageError */
export function folderName(text: string): string {
  if (text === '') {
    throw new UsageError('--data names a folder; it is empty.')
  }
  return text
}

/** @throws UsageError */
export function microcredits(text: string): bigint {
  if (!/^\d{1,16}$/.test(text) || BigInt(text) === 0n) {
    throw new UsageError(`--budget is a whole number of microcredits above 0, such as 5000; it is ${text}.`)
  }
  return BigInt(text)
}
