import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cruise, type IForbiddenRuleType, type IReporterOutput } from 'dependency-cruiser'

/** The floors of docs/ARCHITECTURE.md, lowest first. An import goes down; sideways only as a type. */
const FLOORS: readonly (readonly string[])[] = [
  ['wire', 'shaders'],
  ['net', 'store'],
  ['trust', 'skills', 'compute'],
  ['workers'],
  ['registry', 'router', 'credit'],
  ['jobs'],
  ['swarm'],
  ['index'],
  ['relay'],
  ['ui', 'embed', 'cli']
]

/** Where a part lives, if not in `src/<part>/`. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  shaders: '^shaders/',
  workers: '^workers/',
  relay: '^relay/',
  swarm: '^src/swarm([.]ts$|/)',
  index: '^src/(index|api|api-sdk|core|own-skills|testing)[.]ts$'
}

const HOUSE = '^(src|workers|shaders|relay)/'
/** Vite alone loads it, and inlines the worker: the one file that may import an entry point of `workers/`. */
const INLINE_WORKER = '^src/compute/platform[.]inline[.]ts$'
/** Runs only in the repository, beside the built page; or looks for a package that may be missing (Dawn). */
const REPOSITORY_ONLY = '^(src/cli/demo|workers/dawn[.]node[.]ts$)'

const FOLDERS = ['src', 'workers', 'shaders', 'relay', 'bench', 'examples', 'scripts', 'test']

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

export interface DependencyReport {
  /** Files of the tree that were looked at, packages not counted. */
  readonly modules: number
  readonly violations: readonly Violation[]
}

/** Checks the imports of a tree that is laid out as this repository is. */
export async function checkDependencies(root: string): Promise<DependencyReport> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)))
  const report = await cruise(
    folders,
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: dependencyRules() },
      doNotFollow: { path: 'node_modules' },
      tsPreCompilationDeps: true
    },
    {
      extensions: ['.ts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types']
    }
  )
  return summarise(report)
}

function summarise({ output }: IReporterOutput): DependencyReport {
  if (typeof output === 'string') {
    throw new TypeError('dependency-cruiser was asked for no reporter and gave text: check its version.')
  }
  return {
    modules: output.modules.filter(({ source }) => FOLDERS.some((folder) => source.startsWith(`${folder}/`)))
      .length,
    violations: output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }))
  }
}

/** What is forbidden, each with a name; test/unit/rules plants a violation of each. */
export function dependencyRules(): IForbiddenRuleType[] {
  return [
    ...FLOORS.flatMap((floor, height) => floor.flatMap((part) => floorRules(part, floor, height))),
    ...FLOORS.flat().flatMap(doorRule),
    {
      name: 'api-types-only',
      severity: 'error',
      from: { path: [placeOf('jobs'), placeOf('swarm')] },
      to: { path: '^src/api(-sdk)?[.]ts$', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'workers-compute-only',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: HOUSE, pathNot: ['workers', 'compute', 'skills', 'wire', 'shaders'].map(placeOf) }
    },
    {
      name: 'page-public-api-only',
      severity: 'error',
      from: { path: ['ui', 'embed'].map(placeOf) },
      to: { path: HOUSE, pathNot: ['ui', 'embed', 'index'].map(placeOf) }
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: HOUSE },
      to: {
        path: '^(bench|test|examples|scripts)/',
        pathNot: '^scripts/(chromium-flags[.]ts|find-chromium[.]mjs)$'
      }
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: HOUSE, pathNot: REPOSITORY_ONLY },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] }
    }
  ]
}

function floorRules(part: string, floor: readonly string[], height: number): IForbiddenRuleType[] {
  const above = FLOORS.slice(height + 1).flat()
  const beside = floor.filter((other) => other !== part)
  const mayUseApi = part === 'jobs' || part === 'swarm'
  return [
    {
      name: `floor-${part}`,
      severity: 'error',
      from: { path: placeOf(part), pathNot: INLINE_WORKER },
      to: { path: above.map(placeOf), ...(mayUseApi && { pathNot: '^src/api(-sdk)?[.]ts$' }) }
    },
    {
      name: `sideways-${part}`,
      severity: 'error',
      from: { path: placeOf(part) },
      to: { path: beside.map(placeOf), dependencyTypesNot: ['type-only'] }
    }
  ].filter(({ to }) => to.path.length > 0) as IForbiddenRuleType[]
}

/** `swarm` and `index` are files, and `workers` are started by URL: they have no door to pass. */
function doorRule(part: string): IForbiddenRuleType[] {
  if (['swarm', 'index', 'workers'].includes(part)) {
    return []
  }
  const place = placeOf(part)
  const door = part === 'shaders' ? 'generated' : 'index'
  const rule: IForbiddenRuleType = {
    name: `door-${part}`,
    severity: 'error',
    from: { path: HOUSE, pathNot: place },
    to: { path: `${place}(?!${door}[.]ts$)` }
  }
  return part === 'compute' ? computeDoors(rule) : [rule]
}

/**
 * `compute` has a second door, for `workers/` alone: the half of it that runs inside a worker. Through the first
 * one an entry point would also load the pool, and with it the URL of itself.
 */
function computeDoors(rule: IForbiddenRuleType): IForbiddenRuleType[] {
  const compute = placeOf('compute')
  return [
    { ...rule, from: { path: HOUSE, pathNot: [compute, placeOf('workers')] } },
    {
      name: 'door-compute-worker',
      severity: 'error',
      from: { path: placeOf('workers') },
      to: { path: `${compute}(?!(worker/)?index[.]ts$)` }
    }
  ]
}

function placeOf(part: string): string {
  return ELSEWHERE[part] ?? `^src/${part}/`
}

async function main(): Promise<void> {
  const { modules, violations } = await checkDependencies(process.cwd())
  for (const { rule, from, to } of violations) {
    console.log(`${rule}: ${from} -> ${to}`)
  }
  console.log(`${modules} modules, ${violations.length} violations`)
  process.exitCode = violations.length === 0 && modules > 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main()
}
