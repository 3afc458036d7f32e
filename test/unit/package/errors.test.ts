import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ErrorDetails, errorFromPlain, errorToPlain, SwarmError } from '../../../src/index.ts'
import { JobError } from '../../../src/jobs/index.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

/** Every `type XErrorCode = 'A' | 'B'` of the code, and what is thrown as plain SwarmError outside the demo. */
function codesInCode(): string[] {
  const files = globSync('{src,relay}/**/*.ts', { cwd: ROOT })
  return files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const unions = [...text.matchAll(/type (\w+)Code =([^;]*?)\n\n/gs)].flatMap(([, name, union = '']) =>
      [...union.replace(/\/\*.*?\*\//gs, '').matchAll(/'([A-Z_]+)'/g)].map(([, code]) => `${name} ${code}`)
    )
    const bare = file.startsWith('src/cli/demo')
      ? []
      : [...text.matchAll(/new SwarmError\(\s*'([A-Z_]+)'/g)].map(([, code]) => `SwarmError ${code}`)
    return [...unions, ...bare]
  })
}

test('docs/API.md lists every error that there is, and none that is not', () => {
  const doc = readFileSync(join(ROOT, 'docs/API.md'), 'utf8')
  const listed = [...doc.matchAll(/^\| (\w+Error) \| `([A-Z_]+)` \|/gm)].map(
    ([, name, code]) => `${name} ${code}`
  )
  expect(listed.length).toBeGreaterThan(50)
  expect([...listed].sort()).toEqual([...new Set(codesInCode())].sort())
})

describe('an error as plain data', () => {
  const details = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    { noNullPrototype: true }
  )

  test('comes back with all that it says, through JSON and the structured clone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), details, (code, message, retryable, given) => {
        const error = new SwarmError(code, message, { retryable, details: given as ErrorDetails })
        for (const copy of [
          JSON.parse(JSON.stringify(errorToPlain(error))),
          structuredClone(errorToPlain(error))
        ]) {
          const back = errorFromPlain(copy)
          expect(back).toBeInstanceOf(SwarmError)
          expect(back).toMatchObject({ code, message, retryable, details: given, name: 'SwarmError' })
        }
      })
    )
  })

  test('keeps the name of its class', () => {
    const back = errorFromPlain(errorToPlain(new JobError('DEADLINE', 'Late.', { retryable: true })))
    expect(back).toMatchObject({ name: 'JobError', code: 'DEADLINE', retryable: true })
  })
})
