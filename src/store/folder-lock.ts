import { randomUUID } from 'node:crypto'
import {
  type FileHandle,
  link,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  unlink
} from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { StoreError } from './errors.ts'

/** How often a holder shows, by the time at which its lock was written, that it lives. */
const TOUCH_MS = 5_000
/** A lock of whose holder nothing else can be known is taken over when it is this old. */
const SILENT_MS = 30_000

/** Folders that this process has locked, or is about to, by their real paths. */
const held = new Set<string>()

export interface FolderLock {
  /** @throws StoreError `LOCKED` if another process has taken the folder meanwhile, or somebody has removed the lock */
  check(): Promise<void>
  release(): Promise<void>
}

/**
 * Takes the folder for this process, by a file with its pid, its start time, and where that pid is one: in a container
 * every program has the pid 1. A lock that a killed process left is taken over: at once where the pid can be looked up,
 * else when it was not touched for 30 s.
 *
 * @throws StoreError `LOCKED`
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(await realpath(folder), 'lock')
  if (held.has(path)) {
    throw locked(folder, 'this process')
  }
  held.add(path)
  try {
    return hold(folder, path, await takeLock(folder, path))
  } catch (error) {
    held.delete(path)
    throw error
  }
}

interface Taken {
  /** Stays open: as long as it does, no other file has its number. */
  readonly file: FileHandle
  readonly text: string
}

function hold(folder: string, path: string, { file, text }: Taken): FolderLock {
  const isOurs = async () => {
    const [ours, there] = await Promise.all([file.stat(), unlessGone(stat(path))])
    return there !== undefined && ours.ino === there.ino && ours.dev === there.dev
  }
  let touching: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // a write has the clock of whoever keeps the folder; should it fail for long, `check` finds who came
    touching = file.write(text, 0).catch(() => undefined)
  }, TOUCH_MS)
  timer.unref()
  return {
    async check() {
      if (!(await isOurs())) {
        throw locked(folder, 'another process, which took it while this one stood still')
      }
    },
    async release() {
      clearInterval(timer)
      await touching
      try {
        if (await isOurs()) {
          await unlink(path)
        }
      } finally {
        await file.close()
        held.delete(path)
      }
    }
  }
}

async function takeLock(folder: string, path: string): Promise<Taken> {
  const mine = `${path}.${randomUUID()}`
  const file = await open(mine, 'wx', 0o600)
  try {
    const text = `${process.pid} ${await startTime(process.pid)} ${await here()}`
    await file.write(text, 0)
    if (!(await tryLink(mine, path))) {
      await removeStale(folder, path, (await file.stat()).mtimeMs)
      if (!(await tryLink(mine, path))) {
        throw locked(folder, 'another process')
      }
    }
    return { file, text }
  } catch (error) {
    await file.close()
    throw error
  } finally {
    await rm(mine, { force: true }) // on a full disk it may be there, empty
  }
}

/** `link` fails where the name exists, and the file is never seen half written. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false
    }
    throw error
  }
}

interface Lock {
  readonly text: string
  readonly touchedMs: number
}

async function readLock(path: string): Promise<Lock | undefined> {
  const [text, found] = await Promise.all([read(path), unlessGone(stat(path))])
  return text === undefined || found === undefined ? undefined : { text, touchedMs: found.mtimeMs }
}

/** @param nowMs by the clock of whoever keeps the folder */
async function removeStale(folder: string, path: string, nowMs: number): Promise<void> {
  const lock = await readLock(path)
  if (lock === undefined) {
    return
  }
  const holder = await holderOf(lock, nowMs)
  if (holder !== undefined) {
    throw locked(folder, holder)
  }
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside)
  const moved = await readLock(aside)
  if (moved?.text !== lock.text || moved.touchedMs !== lock.touchedMs) {
    // somebody else took it over between our look and our move, or it was touched: give it back
    await tryLink(aside, path)
    await unlink(aside)
    throw locked(folder, 'another process')
  }
  await unlink(aside)
}

/** Who holds a lock, as far as that can be known; undefined: nobody does. */
async function holderOf({ text, touchedMs }: Lock, nowMs: number): Promise<string | undefined> {
  const [pid = '', start, ...where] = text.split(' ')
  if (where.join(' ') === (await here())) {
    if (!isAlive(Number(pid))) {
      return undefined
    }
    if (start !== '0') {
      // a pid is used again after a restart: the start time tells the two apart
      return start === (await startTime(Number(pid))) ? `process ${pid}` : undefined
    }
  }
  return nowMs - touchedMs < SILENT_MS
    ? `a process of another container or machine (one that was killed keeps it for ${SILENT_MS / 1_000} s)`
    : undefined
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    return false
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

/** Start of a process in clock ticks since boot (field 22 of /proc/PID/stat), or 0 where there is no /proc. */
async function startTime(pid: number): Promise<string> {
  const text = await read(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

/** Where a pid of ours means what it says: this machine since it was started, and this container. */
async function here(): Promise<string> {
  const boot = await read('/proc/sys/kernel/random/boot_id')
  const pids = await unlessGone(readlink('/proc/self/ns/pid'))
  return `${hostname()} ${boot?.trim() ?? '-'} ${pids ?? '-'}`
}

const read = (path: string) => unlessGone(readFile(path, 'utf8'))

async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) {
      return undefined
    }
    throw error
  }
}

const hasCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code

const locked = (folder: string, by: string) =>
  new StoreError(
    'LOCKED',
    `The data folder ${folder} is in use by ${by}: stop it, or start this one with another data folder.`,
    { retryable: true }
  )
