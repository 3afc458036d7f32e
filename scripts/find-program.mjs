// Plain JavaScript with Node built-ins only: set-up runs it on whatever Node the machine brings.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The path of a program: the chosen one if it can be run, else the first on the PATH, else the first of `others`.
 *
 * @param {readonly string[]} names
 * @param {string | undefined} chosen
 * @param {readonly string[]} others
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findProgram(names, chosen, others, env) {
  if (chosen) {
    return isExecutable(chosen) ? chosen : undefined
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [...candidates, ...others].find(isExecutable)
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run: look on
  }
}
