import type { BenchRow } from '../report.ts'
export async function runOnDawn(_: {
  runs: number
  sizes: readonly number[]
  skills: readonly string[] | undefined
  log: (text: string) => void
}): Promise<BenchRow[]> {
  return []
}
