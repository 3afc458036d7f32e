import { writeFile } from 'node:fs/promises'
import { ledgerVectors } from '../test/fixtures/ledger-vectors.ts'

/** Writes docs/vectors/ledger.json: run it when a format changes on purpose, and look at the difference. */
const path = new URL('../docs/vectors/ledger.json', import.meta.url)
await writeFile(path, `${JSON.stringify(await ledgerVectors(), null, 2)}\n`)
console.log('Wrote docs/vectors/ledger.json.')
