import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nodeFolderStore } from '../../../src/store/node-folder.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { storeSuite, testRecord } from '../../fixtures/store-suite.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'swarmharness-store-'))

storeSuite('Node folder store', async () => {
  const folder = await temporary()
  return {
    open: () => nodeFolderStore(folder),
    async reopen(store) {
      await store.close()
      return nodeFolderStore(folder)
    },
    dispose: () => rm(folder, { recursive: true })
  }
})

let folder: string
beforeEach(async () => {
  folder = await temporary()
})
afterEach(() => rm(folder, { recursive: true }))

const log = () => join(folder, 'store.log')

async function fill(records: number): Promise<number[]> {
  const sizes = [0]
  const store = await nodeFolderStore(folder)
  for (let seq = 0; seq < records; seq++) {
    await store.chain.append(testRecord(seq), [{ table: 'meta', key: 'last', value: Uint8Array.of(seq) }])
    sizes.push((await stat(log())).size)
  }
  await store.close()
  return sizes
}

test('cuts a torn tail, wherever the write broke off, and goes on', async () => {
  const sizes = await fill(4)
  const whole = await readFile(log())
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.byteLength), async (size) => {
      await writeFile(log(), whole)
      await truncate(log(), size)
      const kept = sizes.filter((end) => end <= size).length - 1
      const store = await nodeFolderStore(folder)
      expect(await store.chain.range()).toHaveLength(kept)
      expect(await store.table('meta').get('last')).toEqual(kept ? Uint8Array.of(kept - 1) : undefined)
      await store.chain.append(testRecord(kept))
      await store.close()
      const again = await nodeFolderStore(folder)
      expect(await again.chain.range()).toHaveLength(kept + 1)
      await again.close()
    }),
    { numRuns: 25 }
  )
})

test('refuses a log that is damaged before its end, and leaves it as it is', async () => {
  const [, first = 0] = await fill(3)
  const bytes = await readFile(log())
  bytes[first + 20] = (bytes[first + 20] ?? 0) ^ 1
  await writeFile(log(), bytes)
  await expect(nodeFolderStore(folder)).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(await readFile(log())).toEqual(bytes)
})

test('drops garbage at the end', async () => {
  await fill(2)
  await appendFile(log(), new Uint8Array(100).fill(83))
  const store = await nodeFolderStore(folder)
  expect(await store.chain.range()).toHaveLength(2)
  await store.close()
})

test('is refused while it is open, and free again after close', async () => {
  const store = await nodeFolderStore(folder)
  await expect(nodeFolderStore(folder)).rejects.toMatchObject({ code: 'LOCKED' })
  await store.close()
  await (await nodeFolderStore(folder)).close()
})

test('is refused while another process lives, and taken over when it was killed', async () => {
  const module = new URL('../../../src/store/node-folder.ts', import.meta.url).href
  const code = `
    const { nodeFolderStore } = await import(${JSON.stringify(module)})
    const store = await nodeFolderStore(process.argv[1])
    await store.saveIdentity(Uint8Array.of(42))
    console.log('open')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await once(child.stdout, 'data')
  await expect(nodeFolderStore(folder)).rejects.toMatchObject({ code: 'LOCKED' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const store = await nodeFolderStore(folder)
  expect(await store.identity()).toEqual(Uint8Array.of(42))
  await store.close()
})

test('keeps the log small and private, while it is open and when it is opened', async () => {
  const store = await nodeFolderStore(folder)
  await store.saveIdentity(Uint8Array.of(7))
  await store.chain.append(testRecord(0))
  const value = new Uint8Array(100_000)
  for (let i = 0; i < 40; i++) {
    value[0] = i
    await store.table('meta').put('k', value)
    expect((await stat(log())).size).toBeLessThan(1_400_000)
  }
  expect((await stat(log())).mode & 0o077).toBe(0)
  await store.chain.append(testRecord(1))
  await store.close()
  const again = await nodeFolderStore(folder)
  expect((await again.table('meta').get('k'))?.[0]).toBe(39)
  expect(await again.identity()).toEqual(Uint8Array.of(7))
  expect(await again.chain.range()).toEqual([testRecord(0), testRecord(1)])
  await again.close()
})

test('says clearly that a folder cannot be used', async () => {
  await writeFile(join(folder, 'file'), '')
  await expect(nodeFolderStore(join(folder, 'file'))).rejects.toMatchObject({ code: 'DENIED' })
})

test('syncs to the disk before it answers', async () => {
  const probe = await open(join(folder, 'probe'), 'w')
  const prototype = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  const synced = Promise.withResolvers<void>()
  const datasync = vi.spyOn(prototype, 'datasync').mockImplementation(() => synced.promise)
  try {
    const store = await nodeFolderStore(folder)
    let answered = false
    const put = store
      .table('meta')
      .put('k', Uint8Array.of(1))
      .then(() => {
        answered = true
      })
    await eventually(() => expect(datasync).toHaveBeenCalledOnce())
    expect(answered).toBe(false)
    synced.resolve()
    await put
    await store.close()
  } finally {
    datasync.mockRestore()
  }
})

test('stores nothing more after a write that failed', async () => {
  const store = await nodeFolderStore(folder)
  const probe = await open(join(folder, 'probe'), 'w')
  const prototype = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const datasync = vi.spyOn(prototype, 'datasync').mockRejectedValueOnce(full)
  try {
    await expect(store.chain.append(testRecord(0))).rejects.toMatchObject({ code: 'FULL' })
    await expect(store.table('meta').put('k', Uint8Array.of(1))).rejects.toMatchObject({ code: 'FULL' })
    expect(await store.failed).toMatchObject({ code: 'FULL' })
  } finally {
    datasync.mockRestore()
  }
  await store.close()
})

test('leaves no half of a log that is written anew on a full disk', async () => {
  await fill(1)
  const probe = await open(join(folder, 'probe'), 'w')
  const prototype = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  await rm(join(folder, 'probe'))
  const store = await nodeFolderStore(folder)
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const syncing = vi.spyOn(prototype, 'sync').mockRejectedValueOnce(full)
  try {
    for (let i = 0; i < 11; i++) {
      await store.table('meta').put('k', new Uint8Array(100_000))
    }
    expect(await store.failed).toMatchObject({ code: 'FULL' })
  } finally {
    syncing.mockRestore()
  }
  await store.close()
  expect(await readdir(folder)).toEqual(['store.log'])
  const again = await nodeFolderStore(folder)
  expect(await again.table('meta').get('k')).toHaveLength(100_000)
  await again.close()
})

test.each([
  ['a newer version of this program wrote', 'SWH2 and what comes then', 'UNAVAILABLE'],
  ['another program wrote', 'nothing of ours', 'CORRUPT']
])('leaves a file alone that %s', async (_, text, code) => {
  await writeFile(log(), text)
  await expect(nodeFolderStore(folder)).rejects.toMatchObject({ code })
  expect(await readFile(log(), 'utf8')).toBe(text)
})

test.runIf(process.platform === 'linux')(
  'a file that cannot be read as a store does not stay open',
  async () => {
    await writeFile(log(), 'nothing of ours')
    await expect(nodeFolderStore(folder)).rejects.toMatchObject({ code: 'CORRUPT' })
    const open = await readdir('/proc/self/fd')
    const paths = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))) // closed since
    expect(paths.filter((path) => path.startsWith(folder))).toEqual([])
  }
)
