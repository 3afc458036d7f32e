import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder, for this user alone, and those above it. Unlike `mkdir` with `recursive` it ends where a folder is there
 * in which none can be made (`/proc`).
 *
 * @throws Error of the file system
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(folder) === folder) {
      throw error
    }
    await makeFolder(dirname(folder))
    await makeOne(folder)
  }
}

/** One that is there, or a file of that name, is for the caller to find out. */
async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      throw error
    }
  }
}

const hasCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code
