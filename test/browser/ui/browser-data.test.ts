import { afterEach, expect, it } from 'vitest'
import { openStore } from '../../../src/store/index.ts'
import { browserData } from '../../../src/ui/browser-data.ts'
import { CONSENT_KEY } from '../../../src/ui/consent.ts'

const OTHERS = 'another-program'

afterEach(() => localStorage.clear())

const databases = async () => (await indexedDB.databases()).map(({ name }) => name)

it('erases databases, settings and files of this page, also while a store is open, and nothing of others', async () => {
  const [local, main] = [await openStore({ network: 'local' }), await openStore({ network: 'main' })]
  await local.saveIdentity(Uint8Array.of(1))
  localStorage.setItem(CONSENT_KEY, '{}')
  localStorage.setItem(OTHERS, '1')
  await caches.open('swarmharness-page-1')
  await caches.open(OTHERS)

  await browserData(window).eraseNode('local')
  expect(await databases()).toEqual(['swarmharness-main'])
  await expect(local.identity()).rejects.toMatchObject({ code: 'CLOSED' })
  await main.saveIdentity(Uint8Array.of(1))

  await browserData(window).eraseAll()
  expect(await databases()).toEqual([])
  expect(Object.keys(localStorage)).toEqual([OTHERS])
  expect(await caches.keys()).toEqual([OTHERS])
  await caches.delete(OTHERS)
})

it('erases what it knows of where a browser does not list its databases', async () => {
  const scope = Object.create(window, {
    indexedDB: { value: { deleteDatabase: (name: string) => indexedDB.deleteDatabase(name) } },
    localStorage: { value: localStorage },
    sessionStorage: { value: sessionStorage },
    caches: { value: caches },
    navigator: { value: navigator }
  })
  const store = await openStore({ network: 'main' })
  await store.saveIdentity(Uint8Array.of(1))
  await browserData(scope).eraseAll()
  expect(await databases()).toEqual([])
})
