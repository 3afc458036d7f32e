import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { at, ended, PRODUCT, start, useFolder } from '../../fixtures/command-line.ts'
import { NodeHouse } from '../../fixtures/node-house.ts'

/** Many units, and a provider that rests most of the time: there is always one left. */
const SLOW = { x: '-0.5', y: '0', span: '2', width: 320, height: 200, iterations: 1_000 }

useFolder()
beforeAll(() => writeFile(at('product.json'), PRODUCT))

describe('Ctrl-C', () => {
  test('while a provider works pays what was verified, brings back the rest, and says both', async () => {
    const house = await NodeHouse.open()
    try {
      await writeFile(at('slow.json'), JSON.stringify(SLOW))
      const [address = ''] = house.relay.multiaddrs
      const child = start(
        ...['submit', 'mandelbrot', '--input', 'slow.json', '--relay', address],
        ...['--units', '64', '--wait', '60', '--json']
      )
      const end = ended(child)
      const serving = await house.swarm()
      const isAtWork = new Promise<void>((resolve) => {
        serving.on('change', ({ work }) => work.units > 0 && work.running > 0 && resolve())
      })
      await serving.contribute({ power: 0.05 })
      await Promise.race([isAtWork, end])
      child.kill('SIGINT')
      const { status, out, err, json } = await end
      expect({ status, err }).toEqual({ status: 130, err: '' })
      expect(out.trim().split('\n')).toHaveLength(1)
      const { cancelled, receipt } = json()
      expect(cancelled).toBe(true)
      expect(receipt).toMatchObject({ providers: [{ peer: serving.peer }], settles: [expect.any(String)] })
      expect(BigInt(receipt.paid)).toBeGreaterThan(0n)
      expect(BigInt(receipt.refund)).toBeGreaterThan(0n)
    } finally {
      await house.close()
    }
  }, 30_000)

  test.each([
    ['peers', []],
    ['quote', ['matmul-i8', '--input', 'product.json']],
    ['submit', ['matmul-i8', '--input', 'product.json']],
    ['node', []]
  ])('while %s looks for its relay ends it without a stack', async (command, args) => {
    const asked = Promise.withResolvers<void>()
    const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo // it listens on TCP
    const child = start(command, ...args, '--relay', `http://127.0.0.1:${port}`)
    const end = ended(child)
    await asked.promise
    child.kill('SIGINT')
    expect(await end).toMatchObject({ status: 130, out: '', err: '' })
    silent.closeAllConnections()
    silent.close()
  })
})
