import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The end-to-end tests open the built page: builds it once, and only if sources changed. */
export default function setup(): void {
  const script = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url))
  const done = spawnSync(process.execPath, [script, '--build'], { stdio: 'inherit' })
  if (done.status !== 0) {
    throw new Error('The page could not be built: run `npm run build` to see why.')
  }
}
