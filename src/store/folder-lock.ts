import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { StoreError } from './errors.ts'

/** Folders that this process has locked, or is about to. */
const held = new Set<string>()

/**
 * Takes the folder for this process, by a file with its pid and start time. A lock that a killed process left
 * is taken over.
 *
 * @returns releases the lock
 * @throws StoreError `LOCKED`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  if (held.has(path)) {
    throw locked(folder, 'this process')
  }
  held.add(path)
  try {
    await takeLock(folder, path)
  } catch (error) {
    held.delete(path)
    throw error
  }
  return async () => {
    await unlink(path)
    held.delete(path)
  }
}

async function takeLock(folder: string, path: string): Promise<void> {
  const mine = join(folder, `lock.${process.pid}`)
  try {
    await writeFile(mine, `${process.pid} ${await startTime(process.pid)}`, { mode: 0o600 })
    if (await tryLink(mine, path)) {
      return
    }
    await removeStale(folder, path)
    if (!(await tryLink(mine, path))) {
      throw locked(folder, 'another process')
    }
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

async function removeStale(folder: string, path: string): Promise<void> {
  const text = await read(path)
  if (text === undefined) {
    return
  }
  const pid = Number(text.split(' ')[0])
  if (await isHeld(pid, text)) {
    throw locked(folder, `process ${pid}`)
  }
  const aside = `${path}.stale-${process.pid}`
  await rename(path, aside)
  const moved = await read(aside)
  if (moved !== text) {
    // somebody else took it over between our look and our move: give it back
    await tryLink(aside, path)
    await unlink(aside)
    throw locked(folder, 'another process')
  }
  await unlink(aside)
}

async function isHeld(pid: number, text: string): Promise<boolean> {
  // our own pid: `held` says that this process has it not, so an earlier life left it (a container's pid 1)
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) {
    return false
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
  // a pid is used again after a restart: the start time tells the two apart
  return text === `${pid} ${await startTime(pid)}`
}

/** Start of a process in clock ticks since boot (field 22 of /proc/PID/stat), or 0 where there is no /proc. */
async function startTime(pid: number): Promise<string> {
  const stat = await read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
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
