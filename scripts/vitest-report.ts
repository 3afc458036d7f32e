import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import * as z from 'zod/mini'

/** What is read of vitest's JSON report. */
const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.optional(z.string()),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.optional(z.nullable(z.array(z.string())))
        })
      )
    })
  )
})

type Report = z.output<typeof report>

/** Of one failure, as much as names the cause: a property's counterexample and seed come first. */
const MESSAGE_CHARS = 1500
const MOST_FAILURES = 20

export interface SuiteCount {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why it counts as failed although no test did. */
  readonly problem?: string
  /** Of each failed test (at most 20): its file, its name, the start of its message. */
  readonly failures: readonly string[]
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
    return { passed: 0, failed: 1, skipped: 0, problem, failures: [] }
  }
  const broken = read.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')
  ).length
  const counts = {
    passed: read.numPassedTests,
    failed: read.numFailedTests + broken,
    skipped: read.numPendingTests,
    failures: failuresOf(read)
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

function failuresOf(read: Report): readonly string[] {
  return read.testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed')
      return tests.length === 0
        ? [format(name, 'the file', message ?? '')]
        : tests.map((test) => format(name, test.fullName, (test.failureMessages ?? []).join('\n')))
    })
    .slice(0, MOST_FAILURES)
}

function format(file: string, test: string, message: string): string {
  return `${relative(process.cwd(), file)}\n${test}\n${message.slice(0, MESSAGE_CHARS)}`
}

function readReport(path: string): Report | undefined {
  let text: unknown
  try {
    text = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // no file or half a file: the run ended before it had written one
  }
  return report.parse(text)
}
