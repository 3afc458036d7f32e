import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const REPOSITORY = resolve(import.meta.dirname, '../../..')
const LINES_MAX = 400
/** All texts of a language stand in one file: they are looked up, not read through. */
const TEXTS = /^src\/ui\/texts\/\w+\.ts$/
const PACKAGES_MAX = 600
/** Built from pieces, so that this file does not find itself. */
const FORBIDDEN = [`@ts-${'ignore'}`, `@ts-${'nocheck'}`, `as ${'any'}`]

const ours = globSync('{src,workers,shaders,relay,scripts,bench,test,examples}/**/*.{ts,mjs}', {
  cwd: REPOSITORY
})
const house = ours.filter((path) => /^(src|workers|relay)\//.test(path))

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly name?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

function readLock(path: string): Lock {
  return JSON.parse(readFileSync(join(REPOSITORY, path), 'utf8')) // npm's own format, version 3
}

describe('what Biome cannot say', () => {
  it('sees the sources', () => {
    expect(house.length).toBeGreaterThan(20)
  })

  it(`no file of src, workers or relay is longer than ${LINES_MAX} lines, but for those of texts`, () => {
    const read = house.filter((path) => !TEXTS.test(path))
    const long = read.filter(
      (path) => readFileSync(join(REPOSITORY, path), 'utf8').split('\n').length > LINES_MAX + 1
    )
    expect(long).toEqual([])
  })

  it('nothing switches the type checker off', () => {
    const loose = ours.filter((path) => {
      const text = readFileSync(join(REPOSITORY, path), 'utf8')
      return FORBIDDEN.some((words) => new RegExp(`${words}\\b`).test(text))
    })
    expect(loose).toEqual([])
  })
})

describe('the packages', () => {
  const lock = readLock('package-lock.json')

  it('come from whatever registry the user has: the lock file holds no address', () => {
    const addressed = Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)
    expect(addressed).toEqual([])
  })

  it('are locked for every platform: npm ci refuses a lock file that lacks an optional one', () => {
    const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies }) =>
      Object.keys(optionalDependencies ?? {})
    )
    const paths = Object.keys(lock.packages)
    expect(wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)))).toEqual([])
  })

  it(`are at most ${PACKAGES_MAX}`, () => {
    const installed = Object.keys(readLock('node_modules/.package-lock.json').packages)
    console.log(`${installed.length} packages are installed`)
    expect(installed.length).toBeGreaterThan(100)
    expect(installed.length).toBeLessThanOrEqual(PACKAGES_MAX)
  })

  it('bring no React Native', () => {
    const real = Object.entries(lock.packages).filter(
      ([path, { name }]) => path.includes('react-native') && name !== 'empty-npm-package'
    )
    expect(real).toEqual([])
    expect(existsSync(join(REPOSITORY, 'node_modules/react-native'))).toBe(false)
  })
})
