/** What this page keeps in the browser, and how it goes. All of it begins with the same word. */
const OURS = 'swarmharness'
/** Where the browser does not list its databases. */
const DATABASES = ['local', 'main'].map((network) => `${OURS}-${network}`)

export interface BrowserData {
  /** Erases identity, ledger and all else that is kept for a network. */
  eraseNode(network: string): Promise<void>
  /** Erases everything of this page in this browser. */
  eraseAll(): Promise<void>
}

/** @param scope the window */
export function browserData(scope: Window): BrowserData {
  return {
    eraseNode: (network) => eraseDatabase(scope.indexedDB, `${OURS}-${network}`),
    async eraseAll() {
      await Promise.all(
        (await databasesOf(scope.indexedDB)).map((name) => eraseDatabase(scope.indexedDB, name))
      )
      for (const storage of [scope.localStorage, scope.sessionStorage]) {
        for (const key of Object.keys(storage)) if (key.startsWith(OURS)) storage.removeItem(key)
      }
      await dropOfflineCopy(scope)
    }
  }
}

/** The files of the page, and the service worker that serves them. */
export async function dropOfflineCopy(scope: Window): Promise<void> {
  const registration = await scope.navigator.serviceWorker?.getRegistration()
  await registration?.unregister()
  for (const name of await scope.caches.keys()) if (name.startsWith(OURS)) await scope.caches.delete(name)
}

async function databasesOf(databases: IDBFactory): Promise<readonly string[]> {
  const listed = await databases.databases?.()
  return listed === undefined
    ? DATABASES
    : listed.flatMap(({ name }) => (name?.startsWith(OURS) ? [name] : []))
}

/** Resolves when it is gone: whoever has it open closes it when asked (`store/`). */
function eraseDatabase(databases: IDBFactory, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = databases.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })
}
