import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { countSuite } from '../../../scripts/vitest-report.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarmharness-report-'))
const path = join(folder, 'unit.json')
afterAll(() => rmSync(folder, { recursive: true }))

const ENDED_WELL = { status: 0, timedOut: false }
const ENDED_BADLY = { status: 1, timedOut: false }

function report(
  passed: number,
  failed: number,
  files: ReadonlyArray<{ status: string; tests: readonly string[] }>
) {
  const testResults = files.map(({ status, tests }) => ({
    name: 'a.test.ts',
    status,
    message: tests.length === 0 ? 'cannot load' : '',
    assertionResults: tests.map((test) => ({
      status: test,
      fullName: `it ${test}`,
      failureMessages: test === 'failed' ? ['1 is not 2'] : []
    }))
  }))
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 0 }
  writeFileSync(path, JSON.stringify({ ...counts, testResults }))
}

it('counts the tests of a suite', () => {
  report(2, 1, [{ status: 'failed', tests: ['passed', 'failed', 'passed'] }])
  expect(countSuite(path, ENDED_BADLY)).toMatchObject({ passed: 2, failed: 1 })
})

it('counts a file that did not load as a failure', () => {
  report(2, 0, [
    { status: 'passed', tests: ['passed', 'passed'] },
    { status: 'failed', tests: [] }
  ])
  expect(countSuite(path, ENDED_BADLY)).toMatchObject({ passed: 2, failed: 1 })
})

it('counts an error outside the tests as a failure', () => {
  report(2, 0, [{ status: 'passed', tests: ['passed', 'passed'] }])
  expect(countSuite(path, ENDED_BADLY)).toMatchObject({ passed: 2, failed: 1 })
})

it('counts a suite without tests as a failure', () => {
  report(0, 0, [])
  expect(countSuite(path, ENDED_WELL)).toMatchObject({ passed: 0, failed: 1 })
})

it('counts a run that was stopped at its limit as a failure, whatever it had passed', () => {
  report(2, 0, [{ status: 'passed', tests: ['passed', 'passed'] }])
  expect(countSuite(path, { status: 0, timedOut: true })).toMatchObject({ passed: 2, failed: 1 })
})

it.each([
  ['no report', undefined],
  ['half a report', '{"numPassedTests": 3, "numFai']
])('counts a crash that left %s as a failure', (_what, text) => {
  rmSync(path, { force: true })
  if (text !== undefined) {
    writeFileSync(path, text)
  }
  expect(countSuite(path, ENDED_BADLY)).toMatchObject({ passed: 0, failed: 1 })
})

it('finds nothing wrong with a good run', () => {
  report(2, 0, [{ status: 'passed', tests: ['passed', 'passed'] }])
  expect(countSuite(path, ENDED_WELL)).toEqual({ passed: 2, failed: 0, skipped: 0, failures: [] })
})

it('names each failed test and file, with its message', () => {
  report(1, 1, [
    { status: 'failed', tests: ['passed', 'failed'] },
    { status: 'failed', tests: [] }
  ])
  expect(countSuite(path, ENDED_BADLY).failures).toEqual([
    'a.test.ts\nit failed\n1 is not 2',
    'a.test.ts\nthe file\ncannot load'
  ])
})
