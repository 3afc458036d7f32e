import { Buffer } from 'node:buffer'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { decode, encode } from '@ipld/dag-cbor'
import { StoreError } from './errors.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { makeFolder } from './make-folder.ts'
import { applyChange, type Change, type Contents, emptyContents, storeOver } from './memory.ts'
import { type Store, TABLES } from './store.ts'

/**
 * A data folder with one append-only log. Each frame is `magic ‖ length ‖ CRC-32 ‖ DAG-CBOR list of changes`
 * and is synced before the next is written: so only the last frame can be torn, and is then cut on opening.
 */

const LOG = 'store.log'
const MAGIC = Buffer.from('SWH1')
const HEADER = 12
/** A log larger than this and than four times what it held when it was last written anew is written anew. */
const COMPACT_ABOVE = 1024 * 1024

/**
 * @throws StoreError `LOCKED` when another process uses the folder, `CORRUPT` when the log is damaged before
 * its end, `DENIED` when the folder cannot be written
 */
export async function nodeFolderStore(folder: string): Promise<Store> {
  const lock = await translate(folder, async () => {
    await makeFolder(folder)
    return lockFolder(folder)
  })
  try {
    return await translate(folder, () => openLog(folder, lock))
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The log as a file: `live` bytes of `size` were in use when it was last looked at. */
interface Log {
  readonly folder: string
  readonly lock: FolderLock
  file: FileHandle
  size: number
  live: number
}

async function openLog(folder: string, lock: FolderLock): Promise<Store> {
  const path = join(folder, LOG)
  const contents = emptyContents()
  const log: Log = { folder, lock, file: await open(path, 'a+', 0o600), size: 0, live: 0 }
  try {
    const bytes = await log.file.readFile()
    log.size = replay(bytes, contents, path)
    if (log.size < bytes.byteLength) {
      await log.file.truncate(log.size)
      await log.file.sync()
    }
    await syncFolder(folder)
    await compactIfDue(log, contents)
  } catch (error) {
    await log.file.close()
    throw error
  }
  return storeOver(logCommitter(log, contents))
}

interface Pending {
  readonly changes: readonly Change[]
  readonly done: PromiseWithResolvers<void>
}

/** Writes what gathered while the last frame was synced as one frame: one fsync for many callers. */
function logCommitter(log: Log, contents: Contents) {
  const next = { seq: contents.chain.length, identity: contents.identity !== undefined }
  let queue: Pending[] = []
  let writing: Promise<void> | undefined
  let broken: unknown
  const failed = Promise.withResolvers<unknown>()
  const breaks = (error: unknown) => {
    broken ??= error
    failed.resolve(broken)
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      const changes = batch.flatMap((pending) => pending.changes)
      try {
        if (broken !== undefined) {
          throw broken
        }
        await translate(log.folder, () => append(log, frameOf(changes)))
      } catch (error) {
        // what reached the disk is unknown now: nothing more may be signed until the log is read again
        breaks(error)
        for (const { done } of batch) {
          done.reject(broken)
        }
        continue
      }
      for (const change of changes) {
        applyChange(contents, change)
      }
      for (const { done } of batch) {
        done.resolve()
      }
      try {
        await translate(log.folder, () => compactIfDue(log, contents))
      } catch (error) {
        breaks(error)
      }
    }
    writing = undefined
  }

  return {
    contents,
    next,
    failed: failed.promise,
    commit(changes: readonly Change[]): Promise<void> {
      for (const change of changes) {
        next.seq = change.op === 'cut' ? change.seq : next.seq + (change.op === 'append' ? 1 : 0)
        next.identity ||= change.op === 'identity'
      }
      const done = Promise.withResolvers<void>()
      queue.push({ changes, done })
      writing ??= Promise.resolve().then(drain)
      return done.promise
    },
    async close() {
      await writing
      await log.file.close()
      await log.lock.release()
    }
  }
}

async function append(log: Log, frame: Buffer): Promise<void> {
  await log.lock.check() // who stood still so long that another process came must not write behind it
  await writeAll(log.file, frame)
  await log.file.datasync()
  log.size += frame.byteLength
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    written += (await file.write(bytes, written)).bytesWritten
  }
}

function frameOf(changes: readonly Change[]): Buffer {
  const payload = encode(changes)
  const header = Buffer.alloc(HEADER)
  MAGIC.copy(header)
  header.writeUInt32LE(payload.byteLength, 4)
  header.writeUInt32LE(crc32(payload), 8)
  return Buffer.concat([header, payload])
}

/** The payload of the frame at `offset`, if it is whole. */
function frameAt(log: Buffer, offset: number): Buffer | undefined {
  if (offset + HEADER > log.byteLength || !log.subarray(offset, offset + 4).equals(MAGIC)) {
    return undefined
  }
  const end = offset + HEADER + log.readUInt32LE(offset + 4)
  if (end > log.byteLength) {
    return undefined
  }
  const payload = log.subarray(offset + HEADER, end)
  return crc32(payload) === log.readUInt32LE(offset + 8) ? payload : undefined
}

/** Applies all whole frames and returns the length of the good part. */
function replay(log: Buffer, contents: Contents, path: string): number {
  refuseOtherForm(log, path)
  let offset = 0
  for (let payload = frameAt(log, 0); payload; payload = frameAt(log, offset)) {
    // the checksum says that these are the bytes that `frameOf` wrote
    for (const change of decode<Change[]>(payload)) {
      applyChange(contents, change)
    }
    offset += HEADER + payload.byteLength
  }
  for (let later = log.indexOf(MAGIC, offset + 1); later >= 0; later = log.indexOf(MAGIC, later + 1)) {
    if (frameAt(log, later)) {
      throw new StoreError(
        'CORRUPT',
        `The store is damaged at byte ${offset} of ${path}: restore the file from a copy. Nothing was changed.`
      )
    }
  }
  return offset
}

/** What another program wrote must not look like a torn first frame, which would be cut off. */
function refuseOtherForm(log: Buffer, path: string): void {
  const magic = log.subarray(0, MAGIC.byteLength)
  if (magic.byteLength < MAGIC.byteLength || magic.equals(MAGIC)) {
    return
  }
  if (magic.subarray(0, 3).equals(MAGIC.subarray(0, 3))) {
    throw new StoreError(
      'UNAVAILABLE',
      `${path} was written by a newer version of this program: use that version, or another data folder.`
    )
  }
  throw new StoreError('CORRUPT', `${path} is not a store of this program: choose another data folder.`)
}

function changesOf(contents: Contents): Change[] {
  return [
    ...(contents.identity ? [{ op: 'identity' as const, key: contents.identity }] : []),
    ...contents.chain.map((record) => ({ op: 'append' as const, record })),
    ...TABLES.flatMap((table) =>
      [...contents.tables[table]].map(([key, value]) => ({ op: 'put' as const, table, key, value }))
    )
  ]
}

async function compactIfDue(log: Log, contents: Contents): Promise<void> {
  if (log.size <= COMPACT_ABOVE || log.size <= 4 * log.live) {
    return
  }
  const frames = framesOf(changesOf(contents))
  log.live = frames.reduce((size, frame) => size + frame.byteLength, 0)
  if (log.size <= 4 * log.live) {
    return
  }
  const path = join(log.folder, LOG)
  await writeNew(`${path}.new`, frames)
  await rename(`${path}.new`, path)
  await syncFolder(log.folder)
  await log.file.close()
  log.file = await open(path, 'a+', 0o600)
  log.size = log.live
}

/** A full disk is not made fuller: what could not be written whole goes. */
async function writeNew(path: string, frames: readonly Buffer[]): Promise<void> {
  const fresh = await open(path, 'w', 0o600)
  try {
    for (const frame of frames) {
      await writeAll(fresh, frame)
    }
    await fresh.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await fresh.close()
  }
}

const CHANGES_PER_FRAME = 1_000

function framesOf(changes: readonly Change[]): Buffer[] {
  const frames: Buffer[] = []
  for (let from = 0; from < changes.length; from += CHANGES_PER_FRAME) {
    frames.push(frameOf(changes.slice(from, from + CHANGES_PER_FRAME)))
  }
  return frames
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Runs a file operation; the system's errors become a StoreError. */
async function translate<T>(folder: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (typeof code !== 'string' || cause instanceof StoreError) {
      throw cause
    }
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new StoreError('FULL', `No space is left for ${folder}: free some, then start again.`, { cause })
    }
    throw new StoreError(
      'DENIED',
      `The data folder ${folder} cannot be used (${code}): choose another one.`,
      { cause }
    )
  }
}
