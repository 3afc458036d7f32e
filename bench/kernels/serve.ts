import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { launchChromium } from '../../src/cli/demo/tabs.ts'
import { buildPage } from '../pages/tabs.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** The bench's page, built as the product's is, in one Chromium; onnxruntime-web's own files beside it. */
export async function withKernelPage<T>(
  measure: (page: Page) => Promise<T>,
  log: (text: string) => void
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmharness-kernels-'))
  log('building the page')
  await buildPage(folder, join(import.meta.dirname), 'kernels.html')
  const page = sirv(folder, { dev: true })
  const ort = sirv(join(ROOT, 'node_modules', 'onnxruntime-web', 'dist'), { dev: true })
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/ort/')) {
      request.url = request.url.slice('/ort'.length)
      ort(request, response)
    } else {
      page(request, response)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a server that listens on TCP has one
  const browser = await launchChromium()
  try {
    const tab = await browser.newPage()
    tab.on('pageerror', (error) => log(`page error: ${error.message}`))
    await tab.goto(`http://127.0.0.1:${port}/kernels.html`)
    await tab.waitForFunction(() => window.kernels !== undefined)
    return await measure(tab)
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
}
