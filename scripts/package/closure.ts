import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE } from './build.ts'

const ROOT = join(import.meta.dirname, '..', '..')

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where each package lies that an install of ours brings, by this repository's lock file. */
export function packageClosure(): string[] {
  const { dependencies }: Locked = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) // ours
  return closureOf(Object.keys(dependencies ?? {}))
}

/** These packages, and all that they need. */
export function closureOf(names: readonly string[]): string[] {
  const { packages }: Lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) // npm's own format
  const found = new Set<string>()
  const open = names.map((name) => resolve(packages, name, ''))
  for (let path = open.pop(); open.length > 0 || path !== undefined; path = open.pop()) {
    const locked = path === undefined || found.has(path) ? undefined : packages[path]
    if (path !== undefined && locked !== undefined) {
      found.add(path)
      const next = Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })
      open.push(...next.map((name) => resolve(packages, name, path ?? '')))
    }
  }
  return [...found]
}

/** As Node looks: beside the one that asks, then a folder further out. Undefined: optional, not of this platform. */
function resolve(packages: Lock['packages'], name: string, from: string): string | undefined {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const path = `${base === '' ? '' : `${base}/`}node_modules/${name}`
    if (path in packages || base === '') {
      return path in packages ? path : undefined
    }
  }
}
