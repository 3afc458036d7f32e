import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuery } from '../../../src/ui/query.ts'

describe('the address', () => {
  it.each([
    ['?power=4'],
    ['?power=101'],
    ['?power=-5'],
    ['?power=NaN'],
    ['?power='],
    ['?power=50&power=60'],
    ['?backend=WEBGPU'],
    ['?backend=__proto__'],
    ['?network=']
  ])('%s is ignored', (search) => {
    expect(parseQuery(search)).toMatchObject({ options: {}, ignored: [{}] })
  })

  it('gives only known values, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (backend, network, power) => {
        const { options } = parseQuery(`?${new URLSearchParams({ backend, network, power })}`)
        expect([undefined, 'webgpu', 'cpu', 'auto']).toContain(options.backend)
        expect([undefined, 'local', 'main']).toContain(options.network)
        const inRange = options.power === undefined || (options.power >= 5 && options.power <= 100)
        expect(inRange).toBe(true)
      })
    )
    expect(parseQuery('?backend=webgpu&network=main&power=80').options).toEqual({
      backend: 'webgpu',
      network: 'main',
      power: 80
    })
  })
})
