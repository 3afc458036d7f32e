import { afterEach, describe, expect, test } from 'vitest'
import { type Dawn, dawnOf, findsAdapter } from '../../../workers/dawn.node.ts'

const NOTHING = new Set<string>()
const before = Object.getOwnPropertyDescriptor(navigator, 'gpu')
afterEach(() => {
  Reflect.deleteProperty(navigator, 'gpu')
  if (before) {
    Object.defineProperty(navigator, 'gpu', before)
  }
})

/** With an adapter of this maker, or none: as much of one as choosing a backend looks at. */
const dawn = (vendor?: string): Dawn => ({
  globals: {},
  create: () =>
    ({
      wgslLanguageFeatures: NOTHING,
      requestAdapter: async () =>
        vendor === undefined
          ? null
          : {
              info: { vendor, architecture: vendor === 'google' ? 'swiftshader' : '' },
              features: NOTHING,
              limits: { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 }
            }
    }) as unknown as GPU // what stands for one here
})

const init = { load: async () => dawn('NVIDIA'), hasDriver: async () => true }
const fail = async () => {
  throw new Error('broken')
}

describe('Dawn', () => {
  test.each([false, true])('computes where there is a driver (forced: %s)', async (isForced) => {
    const found = await dawnOf(init)(1, NOTHING, isForced)
    expect(found?.backend).toMatchObject({ kind: 'webgpu', class: 'webgpu-nvidia' })
    expect(found?.isSoftware).toBe(false)
  })

  test('says that an adapter is software: unless it is forced, the CPU is quicker', async () => {
    const found = await dawnOf({ ...init, load: async () => dawn('google') })(1, NOTHING, false)
    expect(found?.isSoftware).toBe(true)
  })

  test('is not loaded where there is no driver, unless it is forced', async () => {
    const open = dawnOf({ load: fail, hasDriver: async () => false })
    expect(await open(1, NOTHING, false)).toBeUndefined()
    await expect(open(1, NOTHING, true)).rejects.toThrow('broken')
  })

  test.each([
    { ...init, hasDriver: fail },
    { ...init, load: fail },
    { ...init, load: async () => undefined },
    { ...init, load: async () => dawn() },
    { ...init, load: async () => ({ ...dawn(), create: () => fail as never }) }
  ])('that fails somewhere leaves the CPU (%#)', async (broken) => {
    expect(await dawnOf(broken)(1, NOTHING, false)).toBeUndefined()
  })
})

describe('a driver is looked for in a process of its own', () => {
  const module = (adapter: string) =>
    `data:text/javascript,${encodeURIComponent(
      `export const globals = {}; export const create = () => ({ requestAdapter: async () => ${adapter} })`
    )}`
  test.each([
    ['is there', module('({})'), true],
    ['is not there', module('null'), false],
    ['crashes', module('process.abort()'), false],
    ['cannot be loaded', 'data:text/javascript,throw 1', false]
  ])('which says whether one is there: %s', async (_, url, isThere) => {
    expect(await findsAdapter(url)).toBe(isThere)
  })
})
