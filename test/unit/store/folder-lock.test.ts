import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lockFolder } from '../../../src/store/folder-lock.ts'
import { nodeFolderStore } from '../../../src/store/node-folder.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { testRecord } from '../../fixtures/store-suite.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarmharness-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true }))

const LOCKED = { code: 'LOCKED', retryable: true }
const secondsAgo = (seconds: number) => utimes(path, new Date(), new Date(Date.now() - seconds * 1_000))

/** What this process writes. */
async function ownText(): Promise<string> {
  const lock = await lockFolder(folder)
  const text = await readFile(path, 'utf8')
  await lock.release()
  return text
}

test('one folder is locked once, by whatever path it is named', async () => {
  const data = join(folder, 'data')
  await mkdir(data)
  await symlink(data, join(folder, 'link'))
  const lock = await lockFolder(relative(process.cwd(), data))
  await expect(lockFolder(data)).rejects.toMatchObject(LOCKED)
  await expect(lockFolder(join(folder, 'link'))).rejects.toMatchObject(LOCKED)
  await lock.release()
  expect(await readdir(data)).toEqual([])
})

test('nor does a second copy of this code open what this process has open', async () => {
  const lock = await lockFolder(folder)
  vi.resetModules()
  const copy = await import('../../../src/store/folder-lock.ts')
  expect(copy.lockFolder).not.toBe(lockFolder)
  await expect(copy.lockFolder(folder)).rejects.toMatchObject(LOCKED)
  await lock.release()
  await (await copy.lockFolder(folder)).release()
})

test('what an earlier process with this pid left is taken over at once', async () => {
  const [pid, start, ...here] = (await ownText()).split(' ')
  expect(pid).toBe(String(process.pid))
  if (start !== '0') {
    await writeFile(path, [pid, Number(start) - 1, ...here].join(' '))
    await (await lockFolder(folder)).release()
  }
  await writeFile(path, [2 ** 30, start, ...here].join(' ')) // no process has that one
  await (await lockFolder(folder)).release()
})

test.each(['host', 'boot', 'container'])(
  'of a lock of another %s the pid says nothing: it holds until nobody has touched it for long',
  async (what) => {
    const [pid, start, ...here] = (await ownText()).split(' ')
    here[['host', 'boot', 'container'].indexOf(what)] = 'another'
    for (const other of [pid, 1, 2 ** 30]) {
      await writeFile(path, [other, start, ...here].join(' '))
      await secondsAgo(20)
      await expect(lockFolder(folder)).rejects.toMatchObject({
        ...LOCKED,
        message: expect.stringContaining('30 s')
      })
      await secondsAgo(40)
      await (await lockFolder(folder)).release()
      expect(await readdir(folder)).toEqual([])
    }
  }
)

test('a lock that nobody can read holds as long', async () => {
  await writeFile(path, '')
  await expect(lockFolder(folder)).rejects.toMatchObject(LOCKED)
  await secondsAgo(40)
  await (await lockFolder(folder)).release()
})

test('its holder shows that it lives', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const lock = await lockFolder(folder)
    const text = await readFile(path, 'utf8')
    await secondsAgo(1_000)
    vi.advanceTimersByTime(5_000)
    await eventually(async () => expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(500_000))
    expect(await readFile(path, 'utf8')).toBe(text)
    await lock.release()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('who stood still while another took the folder writes nothing more, and leaves the other’s lock', async () => {
  const store = await nodeFolderStore(folder)
  await store.chain.append(testRecord(0))
  const log = await readFile(join(folder, 'store.log'))
  await rm(path)
  await writeFile(path, 'of another')
  await expect(store.chain.append(testRecord(1))).rejects.toMatchObject(LOCKED)
  expect(await store.failed).toMatchObject(LOCKED)
  await store.close()
  expect(await readFile(path, 'utf8')).toBe('of another')
  expect(await readFile(join(folder, 'store.log'))).toEqual(log)
})
