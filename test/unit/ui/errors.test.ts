import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { errorInChinese, reasonInChinese } from '../../../src/ui/texts/zh-errors.ts'

const API = readFileSync(join(import.meta.dirname, '../../../docs/API.md'), 'utf8')

/** Of other programs, of what the page never asks for, or between nodes only: nobody reads them on the page. */
const NEVER_SHOWN = new Set([
  ...['BAD_ADDRESS', 'NO_WORKER', 'BAD_MODULE', 'BAD_SKILL'], // options of the SDK
  ...['WRONG_INPUT', 'INPUT_GONE', 'INCOMPLETE'], // pipelines and streams
  ...['KEY_REUSED', 'RESULT_GONE'], // jobs under a key
  ...['BAD_SPLIT', 'BAD_PROOF', 'UNKNOWN_ESCROW', 'UNDERPAID', 'NOT_RELEASED'], // between payer, payee and witness
  ...['BAD_ADVERT', 'STALE_ADVERT'],
  ...['PORT_TAKEN', 'CANNOT_LISTEN', 'NOT_STARTED', 'NOT_WRITTEN'] // the relay and the command line
])

it('every code of an error that the page can show has Chinese words, and no other code', () => {
  const codes = new Set([...API.matchAll(/^\| \w+Error \| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code))
  expect(codes.size).toBeGreaterThan(60)
  for (const code of codes) {
    const said = errorInChinese(code, 'in English')
    if (NEVER_SHOWN.has(code)) expect(said, code).toBe('in English')
    else expect(said, code).toMatch(/^[^a-z]*\p{sc=Han}.*。$/u)
  }
  expect(errorInChinese('NotAllowedError', 'in English')).toBe('in English')
})

it('why a unit came back is said by the code before it', () => {
  expect(reasonInChinese('PEER_LOST: No sign of life.')).toBe(errorInChinese('PEER_LOST', ''))
  expect(reasonInChinese('Nobody knows: PEER_LOST: why')).toBe('Nobody knows: PEER_LOST: why')
  expect(reasonInChinese('NOBODY_KNOWS: why')).toBe('NOBODY_KNOWS: why')
})
