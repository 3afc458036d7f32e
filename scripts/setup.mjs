// Makes a fresh clone ready: packages, generated shaders, and on demand the built page, a Chromium and a Firefox.
// Plain JavaScript with Node built-ins only: it runs before anything is installed, on Node 20.19 or newer.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from './find-chromium.mjs'
import { findFirefox } from './find-firefox.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE = join(ROOT, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const OLDEST_NODE = [20, 19]
const OPTIONS = ['--build', '--chromium', '--firefox']
/** Whatever changes what `vite build` makes. */
const BUILD_INPUTS = [
  'src',
  'workers',
  'shaders',
  'public',
  'index.html',
  'THIRD_PARTY.md',
  'vite.config.ts',
  'scripts/slim-bundle.ts',
  'package.json',
  'package-lock.json'
]

/**
 * @typedef {object} Program what tests drive, and apt-get brings where it may
 * @property {string} name
 * @property {string} package
 * @property {string} variable names another place of it
 * @property {string} advice
 * @property {() => string | undefined} find
 */

/** @type {Program} */
const CHROMIUM = {
  name: 'Chromium',
  package: 'chromium',
  variable: 'CHROME_PATH',
  advice: 'install Google Chrome or Chromium, or set CHROME_PATH to one.',
  find: findChromium
}
/** @type {Program} */
const FIREFOX = {
  name: 'Firefox',
  package: 'firefox-esr',
  variable: 'FIREFOX_PATH',
  advice: 'install it, or set FIREFOX_PATH to it.',
  find: findFirefox
}

class SetupError extends Error {}

try {
  main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error
  }
  say(error.message)
  process.exit(1)
}

/** @param {readonly string[]} flags */
function main(flags) {
  const unknown = flags.find((flag) => !OPTIONS.includes(flag))
  if (unknown !== undefined) {
    throw new SetupError(`${unknown} is no option of this script. Options: ${OPTIONS.join(' ')}`)
  }
  checkNodeVersion()
  installPackages()
  generateShaders()
  if (flags.includes('--build')) {
    build()
  }
  if (flags.includes('--chromium')) {
    provide(CHROMIUM)
  }
  if (flags.includes('--firefox')) {
    try {
      provide(FIREFOX)
    } catch (error) {
      if (!(error instanceof SetupError)) {
        throw error
      }
      say(`${error.message} Tests in Firefox are skipped.`)
    }
  }
}

function checkNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer.`
    )
  }
}

function installPackages() {
  if (isInstalled()) {
    return
  }
  say('Installing packages (npm ci); the first time this takes a minute ...')
  const npm = run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel', 'error'], { shell: onWindows() })
  if (npm.error || npm.status !== 0) {
    throw new SetupError(
      `npm ci failed (${reason(npm)}): check the network and the npm registry, then run the same command again.`
    )
  }
  if (!existsSync(NODE)) {
    throw new SetupError(
      'npm ci ran, but its install scripts did not: allow them (npm config get ignore-scripts), then run it again.'
    )
  }
}

/** npm keeps in node_modules a lock file of what it put there; optional packages may rightly be missing. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'))
  const there = readPackages(join(ROOT, 'node_modules', '.package-lock.json'))
  if (wanted === undefined) {
    throw new SetupError('package-lock.json is missing or damaged: restore it from the repository.')
  }
  if (there === undefined || !existsSync(NODE)) {
    return false
  }
  return (
    Object.entries(wanted).every(([path, { version, optional }]) =>
      path in there ? there[path]?.version === version : path === '' || optional === true
    ) && Object.keys(there).every((path) => path in wanted)
  )
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined // missing and unreadable mean the same: nothing is known to be installed
  }
}

function generateShaders() {
  const script = join(ROOT, 'scripts', 'generate-shaders.ts')
  if (!existsSync(script)) {
    return
  }
  const done = run(NODE, [script])
  if (done.error || done.status !== 0) {
    throw new SetupError(`The shaders could not be generated (${reason(done)}): see above.`)
  }
}

function build() {
  const stamp = join(ROOT, 'dist', '.stamp')
  const inputs = hashOf(BUILD_INPUTS)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) {
    return
  }
  say('Building the page and the SDK (vite build) ...')
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js')
  // A test runner that calls set-up has NODE_ENV=test, with which packages bring their development code.
  const env = { ...outsideEnvironment(), NODE_ENV: 'production' }
  for (const mode of [[], ['--mode', 'sdk']]) {
    const done = run(NODE, [vite, 'build', '--logLevel', 'warn', ...mode], { env })
    if (done.error || done.status !== 0) {
      throw new SetupError(`${['vite build', ...mode].join(' ')} failed (${reason(done)}): see above.`)
    }
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, inputs)
}

/** @param {readonly string[]} paths */
function hashOf(paths) {
  const hash = createHash('sha256')
  for (const path of paths.flatMap(filesUnder)) {
    hash.update(`${path}\0`)
    hash.update(
      createHash('sha256')
        .update(readFileSync(join(ROOT, path)))
        .digest()
    )
  }
  return hash.digest('hex')
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  const full = join(ROOT, path)
  if (!existsSync(full)) {
    return []
  }
  const entries = readdirSafely(full)
  return entries === undefined ? [path] : entries.sort().flatMap((entry) => filesUnder(`${path}/${entry}`))
}

/** @param {string} path */
function readdirSafely(path) {
  try {
    return readdirSync(path)
  } catch {
    return undefined // a file, not a folder
  }
}

/** @param {Program} program */
function provide(program) {
  const { name, variable, advice } = program
  if (program.find() !== undefined) {
    return
  }
  if (process.env[variable]) {
    throw new SetupError(`${variable} names ${process.env[variable]}, and no program is there.`)
  }
  if (process.getuid?.() !== 0 || run('apt-get', ['--version'], { stdio: 'ignore' }).error) {
    throw new SetupError(`No ${name} was found: ${advice}`)
  }
  say(`Installing ${name} (apt-get install ${program.package}) ...`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const stdio = /** @type {import('node:child_process').StdioOptions} */ (['ignore', 'ignore', 'inherit'])
  run('apt-get', ['update', '-qq'], { env, stdio })
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', program.package], { env, stdio })
  if (program.find() === undefined) {
    throw new SetupError(`${name} could not be installed with apt-get: ${advice}`)
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(command, args, options) {
  // Standard output belongs to the program that set-up prepares: `bench --json` prints an object there.
  const stdio = /** @type {import('node:child_process').StdioOptions} */ (['ignore', 2, 2])
  return spawnSync(command, args, { cwd: ROOT, stdio, env: outsideEnvironment(), ...options })
}

/** Without this project's node_modules on the PATH: `npm ci` takes away the Node there while it runs. */
function outsideEnvironment() {
  const inside = join(ROOT, 'node_modules')
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(inside))
  return { ...process.env, PATH: path.join(delimiter) }
}

/** @param {import('node:child_process').SpawnSyncReturns<unknown>} done */
function reason(done) {
  return done.error?.message ?? (done.signal ? `ended by ${done.signal}` : `exit status ${done.status}`)
}

function onWindows() {
  return process.platform === 'win32'
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`)
}
