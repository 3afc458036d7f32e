import { writeFile } from 'node:fs/promises'
import { dispatchVectors } from '../test/fixtures/dispatch-vectors.ts'
import { ledgerVectors } from '../test/fixtures/ledger-vectors.ts'
import { registryVectors } from '../test/fixtures/registry-vectors.ts'

/** Writes docs/vectors/*.json: run it when a format changes on purpose, and look at the difference. */
for (const [name, make] of Object.entries({
  dispatch: dispatchVectors,
  ledger: ledgerVectors,
  registry: registryVectors
})) {
  const path = new URL(`../docs/vectors/${name}.json`, import.meta.url)
  await writeFile(path, `${JSON.stringify(await make(), null, 2)}\n`)
  console.log(`Wrote docs/vectors/${name}.json.`)
}
