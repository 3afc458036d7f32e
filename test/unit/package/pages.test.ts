import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const TYPEDOC = resolve(ROOT, 'node_modules/typedoc/bin/typedoc')

/** As `npm run api:pages` reads the entries, with nothing written; that the types are right is checked elsewhere. */
test('TypeDoc reads all that the package exports, and has nothing to remark', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [TYPEDOC, '--emit', 'none', '--skipErrorChecking', '--treatWarningsAsErrors', '--logLevel', 'Warn'],
    { cwd: ROOT }
  ).catch((failed: { stdout: string; stderr: string }) => failed)
  expect(stdout + stderr).toBe('')
}, 60_000)
