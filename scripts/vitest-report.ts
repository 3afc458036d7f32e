import { readFileSync } from 'node:fs'
import * as z from 'zod/mini'

/** What is read of vitest's JSON report. */
const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })
  )
})

export interface SuiteCount {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why it counts as failed although no test did. */
  readonly problem?: string
}

/**
 * Counts a suite from its report and its exit status. What no test shows is a failure too: a file that does
 * not load, a run that crashed or was stopped, an unhandled error, no tests at all.
 */
export function countSuite(
  path: string,
  { status, timedOut }: { readonly status: number; readonly timedOut: boolean }
): SuiteCount {
  const read = readReport(path)
  if (read === undefined) {
    const problem = timedOut ? 'stopped at its time limit' : 'no report: it crashed'
    return { passed: 0, failed: 1, skipped: 0, problem }
  }
  const broken = read.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')
  ).length
  const counts = {
    passed: read.numPassedTests,
    failed: read.numFailedTests + broken,
    skipped: read.numPendingTests
  }
  if (counts.failed > 0) {
    return broken > 0 ? { ...counts, problem: `${broken} files did not load or failed in a hook` } : counts
  }
  if (timedOut) {
    return { ...counts, failed: 1, problem: 'stopped at its time limit' }
  }
  if (counts.passed === 0) {
    return { ...counts, failed: 1, problem: 'no tests ran' }
  }
  if (status !== 0) {
    return { ...counts, failed: 1, problem: `exit status ${status}: an error outside the tests` }
  }
  return counts
}

function readReport(path: string): z.output<typeof report> | undefined {
  let text: unknown
  try {
    text = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // no file or half a file: the run ended before it had written one
  }
  return report.parse(text)
}
