import { spawnSync } from 'node:child_process'
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readInput } from '../../../src/cli/input.ts'
import { givesOneArray, OutputFile, outputText } from '../../../src/cli/output.ts'
import { UsageError } from '../../../src/cli/terminal.ts'
import { SKILLS } from '../../../src/skills/index.ts'

// Files that the command line reads and writes.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'))
})
afterAll(() => rm(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

/** Reads a JSON text as an input like the example. */
async function given(text: string | Uint8Array, example: unknown): Promise<unknown> {
  await writeFile(at('in.json'), text)
  return readInput(at('in.json'), example)
}

describe('an input', () => {
  test.each([...SKILLS.keys()])('of %s is taken as `skills` prints it', async (name) => {
    const skill = SKILLS.get(name)
    const example = skill?.example()
    const read = await given(outputText(example), example)
    expect(read).toEqual(example)
    expect(skill?.plan(read).units.length).toBeGreaterThan(0)
  })

  test('comes back as it was written, whatever numbers its arrays hold', () => {
    const values = fc.record({
      bytes: fc.int8Array(),
      words: fc.uint32Array(),
      floats: fc.float32Array({ noNaN: true, noDefaultInfinity: true }),
      names: fc.array(fc.record({ name: fc.string(), size: fc.integer() }))
    })
    return fc.assert(
      fc.asyncProperty(values, async (value) => {
        const like = { ...value, names: [{ name: '', size: 0 }] }
        // JSON has no -0 that a list would keep
        const plain = { ...value, floats: value.floats.map((part) => part + 0) }
        expect(await given(outputText(plain), like)).toEqual(plain)
      })
    )
  })

  test.each<[string, string, RegExp]>([
    ['a number that an integer cannot hold', '{"a":[128]}', /a\[0\] is 128/],
    ['a fraction', '{"a":[0.5]}', /a\[0\] is 0.5/],
    ['text in a list', '{"a":["1"]}', /a\[0\] is "1"/],
    ['what a float cannot hold', '{"f":[1e300]}', /f\[0\] is 1e\+300: no number that fits an Float32Array/],
    ['what is no base64', '{"a":{"base64":"AAAA*AAA"}}', /a\.base64 is no base64/],
    ['base64 that is cut off', '{"a":{"base64":"AAAAA"}}', /a\.base64 is no base64/],
    [
      'bytes that are no whole number of elements',
      '{"f":{"base64":"AAA="}}',
      /not a whole number of elements/
    ],
    ['a file that is not there', '{"a":{"file":"none.bin"}}', /none\.bin cannot be read \(no such file/]
  ])('is refused for %s', async (_, text, message) => {
    const refused = given(text, { a: new Int8Array(), f: new Float32Array() })
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toBeInstanceOf(UsageError)
  })

  test('may begin with a byte order mark, and come through a pipe', async () => {
    expect(await given('\uFEFF{"m":1}', {})).toEqual({ m: 1 })
    if (process.platform !== 'win32') {
      spawnSync('mkfifo', [at('pipe')])
      const [read] = await Promise.all([readInput(at('pipe'), {}), writeFile(at('pipe'), '{"m":2}')])
      expect(read).toEqual({ m: 2 })
    }
  })

  test.runIf(process.platform === 'linux')('without an end is given up at its limit', async () => {
    await expect(readInput('/dev/zero', {})).rejects.toThrow(/more than 67108864 bytes: put/)
  })
})

describe('an output', () => {
  const drafts = async () => (await readdir(folder)).filter((name) => name.endsWith('.part'))

  test('as text is what JSON says, at any length', () => {
    const long = new Int32Array(200_001).map((_, i) => -i)
    const value = { long, n: 3n, none: undefined, list: [1, 'a', null], at: { x: Number.NaN } }
    expect(JSON.parse(outputText(value))).toEqual({
      long: [...long],
      n: '3',
      list: [1, 'a', null],
      at: { x: null }
    })
  })

  test('replaces a file whole, keeps its mode, and follows a link', async () => {
    await writeFile(at('kept.json'), 'old')
    await chmod(at('kept.json'), 0o640)
    await symlink(at('kept.json'), at('link.json'))
    const out = await OutputFile.open(at('link.json'))
    expect(await readFile(at('kept.json'), 'utf8')).toBe('old')
    await out.write({ c: Int8Array.of(1, -1) })
    await out.close()
    expect(await readFile(at('kept.json'), 'utf8')).toBe('{"c":[1,-1]}\n')
    expect((await stat(at('kept.json'))).mode & 0o777).toBe(0o640)
    expect((await lstat(at('link.json'))).isSymbolicLink()).toBe(true)
    expect(await drafts()).toEqual([])
  })

  test('that did not come, or could not be written, leaves what was there', async () => {
    await writeFile(at('before.bin'), 'old')
    const out = await OutputFile.open(at('before.bin'))
    await expect(out.write({ a: Int8Array.of(1), b: Int8Array.of(2) })).rejects.toThrow('not one array')
    await out.close()
    expect(await readFile(at('before.bin'), 'utf8')).toBe('old')
    expect(await drafts()).toEqual([])
  })

  test.each<[string, RegExp]>([
    ['', /--out is a folder/],
    ['.', /is a folder/],
    ['new/', /is a folder/],
    ['no/c.json', /no such file or folder/],
    ['in.json/c.json', /no folder/],
    [`${'x'.repeat(300)}.json`, /name is too long/]
  ])('cannot go to "%s", which is known before anybody is hired', async (name, message) => {
    const opening = OutputFile.open(name === '' ? '' : at(name === '.' ? '' : name))
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toBeInstanceOf(UsageError)
    expect(await drafts()).toEqual([])
  })

  test('is one bare array or not, by skill', () => {
    const bare = [...SKILLS.values()].filter(givesOneArray).map(({ manifest }) => manifest.name)
    expect(bare.sort()).toEqual(['mandelbrot', 'matmul-f32', 'matmul-i8', 'render-tile'])
  })
})
