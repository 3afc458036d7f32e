import { expect, test } from 'vitest'
import { run } from '../../../examples/registry-alone/run.ts'

test('the example of a registry in another application finds its provider', async () => {
  const lines: string[] = []
  const found = await run((line) => lines.push(line))
  expect(found).toHaveLength(1)
  expect(lines[0]).toContain(`${found[0]} translates for 1000`)
})
