import type { Reporter, TestCase } from 'vitest/node'

/** Names each test that passed on its second try only: a bug of the test or of what it tests, to be found. */
export default class UnsteadyReporter implements Reporter {
  private readonly unsteady: string[] = []

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) {
      const [first] = test.result().errors ?? []
      this.unsteady.push(`${test.module.relativeModuleId} > ${test.fullName}: ${first?.message ?? ''}`)
    }
  }

  onTestRunEnd(): void {
    for (const name of this.unsteady) {
      console.log(`== unsteady, passed on its second try: ${name}`)
    }
  }
}
