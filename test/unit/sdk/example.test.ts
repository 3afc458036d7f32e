import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../../examples/node-client/run.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

let house: NodeHouse
beforeAll(async () => {
  house = await NodeHouse.open()
  await house.provider()
})
afterAll(() => house.close())

test('the Node client gets its products, pays for them, and ends', async () => {
  const lines: string[] = []
  const { products, paid } = await run([...house.relay.multiaddrs], (line) => lines.push(line))
  expect(products).toBe(6)
  expect(paid).toBe(30n) // six times 2 · 128³ operations, a µcr for each million begun
  expect(lines.filter((line) => line.startsWith('product '))).toHaveLength(6)
})
