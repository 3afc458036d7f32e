import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { measurePage } from '../../../bench/size.ts'

const PAGE: Readonly<Record<string, string>> = {
  'index.html':
    '<link rel="stylesheet" href="/assets/page.css"><script type="module" crossorigin src="/assets/main.js"></script><a href="/sdk/swarmharness.js">sdk</a>',
  'assets/page.css': '@font-face { src: url("./font.woff2") }',
  'assets/font.woff2': 'a font',
  'assets/main.js': 'import{a}from"./shared.js";export*from"./more.js";a(()=>import("./after-consent.js"))',
  'assets/shared.js': 'export const a=(b)=>b // shared',
  'assets/more.js': 'import"./shared.js"',
  'assets/after-consent.js': 'export const libp2p="much code"',
  'assets/worker.js': 'postMessage("a worker, started by its address")',
  'sdk/swarmharness.js': 'export const sdk="for other sites"',
  'icon.svg': '<svg/>'
}
const BEFORE = [
  'index.html',
  'assets/page.css',
  'assets/font.woff2',
  'assets/main.js',
  'assets/shared.js',
  'assets/more.js'
]
const AFTER = ['assets/after-consent.js', 'assets/worker.js']

const dist = mkdtempSync(join(tmpdir(), 'swarmharness-dist-'))
afterEach(() => rmSync(dist, { recursive: true }))

it('counts once each file that loads by itself, then all code but the SDK', () => {
  for (const [path, text] of Object.entries(PAGE)) {
    mkdirSync(dirname(join(dist, path)), { recursive: true })
    writeFileSync(join(dist, path), text)
  }
  const bytes = (paths: readonly string[]) =>
    paths.reduce((sum, path) => sum + gzipSync(PAGE[path] ?? '', { level: 9 }).length, 0)
  expect(measurePage(dist)).toEqual({ beforeConsent: bytes(BEFORE), total: bytes([...BEFORE, ...AFTER]) })
})
