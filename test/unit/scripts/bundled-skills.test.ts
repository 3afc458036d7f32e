import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kernelHash, type Plan, SKILLS, type Skill } from '../../../src/skills/index.ts'

// What vite.config.ts leaves out of the bundles must not be missed there.

const REPOSITORY = resolve(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'bundled-skills-'))

interface Bundle {
  readonly code: string
  readonly SKILLS: ReadonlyMap<string, Skill>
  readonly kernelHash: typeof kernelHash
}

/** The skills as a bundle of that kind has them. */
async function bundled(kind: 'page' | 'worker'): Promise<Bundle> {
  const [{ build }, { default: configOf }] = await Promise.all([
    import('vite'),
    import('../../../vite.config.ts')
  ])
  const config =
    typeof configOf === 'function' ? await configOf({ mode: 'production', command: 'build' }) : configOf
  const plugins = kind === 'page' ? config.plugins : config.worker?.plugins?.()
  const made = await build({
    configFile: false,
    root: REPOSITORY,
    publicDir: false,
    logLevel: 'error',
    plugins: plugins ?? [],
    build: {
      target: 'es2022',
      write: false,
      minify: false,
      lib: { entry: join(REPOSITORY, 'src/skills/index.ts'), formats: ['es'] }
    }
  })
  const [first] = Array.isArray(made) ? made : [made]
  const chunk = first !== undefined && 'output' in first ? first.output[0] : undefined
  if (chunk === undefined) throw new Error('nothing was built')
  const path = join(folder, `${kind}.mjs`)
  writeFileSync(path, chunk.code)
  const { SKILLS, kernelHash }: Omit<Bundle, 'code'> = await import(path)
  return { code: chunk.code, SKILLS, kernelHash }
}

const planned = (skill: Skill | undefined): Pick<Plan<unknown>, 'parts' | 'units'> | undefined => {
  const plan = skill?.plan(skill.sample?.() ?? skill.example(), { units: 2 })
  return plan && { parts: plan.parts, units: plan.units }
}

describe.each(['page', 'worker'] as const)('in the bundle of a %s', (kind) => {
  let bundle: Bundle

  beforeAll(async () => {
    bundle = await bundled(kind)
  }, 120_000)

  it.each([...SKILLS])('%s has the hash of its kernels, and plans the same units', async (name, skill) => {
    const other = bundle.SKILLS.get(name)
    if (other === undefined) throw new Error('it is missing')
    expect(await bundle.kernelHash(other)).toEqual(await kernelHash(skill))
    expect(
      Buffer.from(JSON.stringify(planned(other), plain)).equals(
        Buffer.from(JSON.stringify(planned(skill), plain))
      )
    ).toBe(true)
  })

  it(kind === 'page' ? 'there are no kernels' : 'there are kernels, and no schemas', () => {
    expect(bundle.code.includes('@compute')).toBe(kind === 'worker')
    expect(bundle.code.includes('ZodMiniObject')).toBe(kind === 'page')
  })
})

/** Amounts as text, bytes as one number of them and their sum: a part has millions. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (!(value instanceof Uint8Array)) return value
  return [value.length, value.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7)]
}

afterAll(() => rmSync(folder, { recursive: true }))
