import { serveCompute } from '../src/compute/worker/index.ts'
import { kernelHash, skillsWith } from '../src/skills/index.ts'

/** In a page's worker: its global scope is the way to the page. */
export function serve(own: readonly unknown[]): void {
  serveCompute({ skills: skillsWith(own), kernelHash })
}
