import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  checkDependencies,
  type DependencyReport,
  dependencyRules
} from '../../../scripts/dependency-rules.ts'

const REPOSITORY = resolve(import.meta.dirname, '../../..')

/** A sound tree with every part in it: path to source text. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json':
    '{ "name": "tree", "type": "module", "dependencies": { "idb": "*" }, "devDependencies": { "vite": "*" } }',
  'src/wire/index.ts': "export * from './codec.ts'",
  'src/wire/codec.ts': 'export const x = 1',
  'shaders/generated.ts': 'export const x = 1',
  'shaders/private.ts': 'export const x = 1',
  ...part('src/net', "import { x as y } from '../wire/index.ts'"),
  ...part('src/store', "import 'idb'; import type { x as y } from '../net/index.ts'"),
  ...part('src/trust'),
  ...part('src/skills', "import { x as y } from '../../shaders/generated.ts'"),
  ...part('src/compute', "import type { x as y } from '../skills/index.ts'"),
  'src/compute/platform.inline.ts': "import { x } from '../../workers/compute.ts'; export const y = x",
  'src/compute/worker/index.ts': 'export const x = 1',
  'workers/compute.ts': "import '../src/compute/worker/index.ts'; export const x = 1",
  ...part('src/registry', "import type { x as y } from '../router/index.ts'"),
  ...part('src/router', "import type { x as y } from '../registry/index.ts'"),
  ...part('src/credit'),
  ...part('src/jobs', "import type { x as y } from '../api.ts'"),
  'src/swarm.ts': "import type { x as y } from './api.ts'; export const x = 1",
  'src/api.ts': 'export const x = 1',
  'src/index.ts': "import './swarm.ts'; export const x = 1",
  ...part('relay', "import '../src/net/index.ts'"),
  ...part('src/ui', "import '../api.ts'; import type { x as y } from '../embed/index.ts'"),
  ...part('src/embed', "import '../index.ts'"),
  ...part('src/cli', "import '../../relay/index.ts'"),
  'test/unit/a.test.ts': "import '../../src/net/private.ts'; import 'vite'; export const x = 1",
  'bench/run.ts': 'export const x = 1'
}

/** One file that breaks the rule; each violation also imports upwards, sideways or around as its name says. */
const PLANTED: Readonly<Record<string, readonly [path: string, source: string]>> = {
  'floor-wire': ['src/wire/bad-floor.ts', "import type { x } from '../net/index.ts'"],
  'floor-shaders': ['shaders/bad-floor.ts', "import '../src/compute/index.ts'"],
  'floor-net': ['src/net/bad-floor.ts', "import '../compute/index.ts'"],
  'floor-store': ['src/store/bad-floor.ts', "import '../credit/index.ts'"],
  'floor-trust': ['src/trust/bad-floor.ts', "import '../router/index.ts'"],
  'floor-skills': ['src/skills/bad-floor.ts', "import '../jobs/index.ts'"],
  'floor-compute': ['src/compute/bad-floor.ts', "import '../../workers/compute.ts'"],
  'floor-workers': ['workers/bad-floor.ts', "import '../src/jobs/index.ts'"],
  'floor-registry': ['src/registry/bad-floor.ts', "import '../jobs/index.ts'"],
  'floor-router': ['src/router/bad-floor.ts', "import type { x } from '../api.ts'"],
  'floor-credit': ['src/credit/bad-floor.ts', "import '../swarm.ts'"],
  'floor-jobs': ['src/jobs/bad-floor.ts', "import '../swarm.ts'"],
  'floor-swarm': ['src/swarm/bad-floor.ts', "import '../index.ts'"],
  'floor-index': ['src/index.ts', "import './ui/index.ts'; export const x = 1"],
  'floor-relay': ['relay/bad-floor.ts', "import '../src/cli/index.ts'"],
  'sideways-wire': ['src/wire/bad-side.ts', "import '../../shaders/generated.ts'"],
  'sideways-shaders': ['shaders/bad-side.ts', "import '../src/wire/index.ts'"],
  'sideways-net': ['src/net/bad-side.ts', "import '../store/index.ts'"],
  'sideways-store': ['src/store/bad-side.ts', "import '../net/index.ts'"],
  'sideways-trust': ['src/trust/bad-side.ts', "import '../skills/index.ts'"],
  'sideways-skills': ['src/skills/bad-side.ts', "import '../compute/index.ts'"],
  'sideways-compute': ['src/compute/bad-side.ts', "import '../trust/index.ts'"],
  'sideways-registry': ['src/registry/bad-side.ts', "import '../router/index.ts'"],
  'sideways-router': ['src/router/bad-side.ts', "import '../credit/index.ts'"],
  'sideways-credit': ['src/credit/bad-side.ts', "import '../registry/index.ts'"],
  'sideways-ui': ['src/ui/bad-side.ts', "import '../embed/index.ts'"],
  'sideways-embed': ['src/embed/bad-side.ts', "import '../ui/index.ts'"],
  'sideways-cli': ['src/cli/bad-side.ts', "import '../ui/index.ts'"],
  'door-wire': ['src/net/bad-door-wire.ts', "import type { x } from '../wire/codec.ts'"],
  'door-shaders': ['src/skills/bad-door.ts', "import '../../shaders/private.ts'"],
  'door-net': ['relay/bad-door-net.ts', "import '../src/net/private.ts'"],
  'door-store': ['src/credit/bad-door.ts', "import type { x } from '../store/private.ts'"],
  'door-trust': ['src/router/bad-door.ts', "import '../trust/private.ts'"],
  'door-skills': ['src/compute/bad-door.ts', "import type { x } from '../skills/private.ts'"],
  'door-compute': ['src/jobs/bad-door-compute.ts', "import '../compute/worker/index.ts'"],
  'door-compute-worker': ['workers/bad-door.ts', "import '../src/compute/private.ts'"],
  'door-registry': ['src/jobs/bad-door-registry.ts', "import '../registry/private.ts'"],
  'door-router': ['src/jobs/bad-door-router.ts', "import '../router/private.ts'"],
  'door-credit': ['src/jobs/bad-door-credit.ts', "import '../credit/private.ts'"],
  'door-jobs': ['src/swarm/bad-door.ts', "import '../jobs/private.ts'"],
  'door-relay': ['src/cli/bad-door-relay.ts', "import '../../relay/private.ts'"],
  'door-ui': ['src/cli/bad-door-ui.ts', "import type { x } from '../ui/private.ts'"],
  'door-embed': ['src/ui/bad-door.ts', "import type { x } from '../embed/private.ts'"],
  'door-cli': ['src/embed/bad-door.ts', "import type { x } from '../cli/private.ts'"],
  'api-types-only': ['src/jobs/bad-api.ts', "import '../api.ts'"],
  'workers-compute-only': ['workers/bad-net.ts', "import '../src/net/index.ts'"],
  'page-public-api-only': ['src/ui/bad-inside.ts', "import type { x } from '../credit/index.ts'"],
  'nothing-imports-tests': ['src/net/bad-test.ts', "import '../../bench/run.ts'"],
  'no-circles': ['src/net/bad-circle.ts', "import './other-circle.ts'; export const x = 1"],
  resolvable: ['src/net/bad-missing.ts', "import './nowhere.ts'"],
  'declared-packages': ['src/net/bad-package.ts', "import 'comlink'"],
  'no-development-packages': ['src/net/bad-dev.ts', "import 'vite'"]
}

function part(folder: string, head = ''): Record<string, string> {
  return {
    [`${folder}/index.ts`]: `${head}\nexport * from './private.ts'`,
    [`${folder}/private.ts`]: 'export const x = 1'
  }
}

const trees: string[] = []

function plant(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'swarmharness-rules-'))
  trees.push(root)
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), source)
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  return root
}

afterAll(() => {
  for (const root of trees) {
    rmSync(root, { recursive: true })
  }
})

describe('the dependency rules', () => {
  let broken: DependencyReport

  beforeAll(async () => {
    const planted = Object.fromEntries(Object.values(PLANTED))
    const otherHalf = { 'src/net/other-circle.ts': "import './bad-circle.ts'; export const x = 1" }
    broken = await checkDependencies(plant({ ...SOUND, ...planted, ...otherHalf }))
  })

  it('find no fault in a sound tree, and look at all of it', async () => {
    const report = await checkDependencies(plant(SOUND))
    expect(report.violations).toEqual([])
    expect(report.modules).toBe(Object.keys(SOUND).length - 1)
  })

  it.each(dependencyRules().map(({ name }) => name ?? ''))('catch a violation of %s', (rule) => {
    const [path] = PLANTED[rule] ?? []
    expect(path, `no violation of ${rule} is planted`).toBeDefined()
    expect(broken.violations).toContainEqual(expect.objectContaining({ rule, from: path }))
  })

  it('hold in this repository', async () => {
    const report = await checkDependencies(REPOSITORY)
    expect(report.modules).toBeGreaterThan(20)
    expect(report.violations).toEqual([])
  })
})
