// Plain JavaScript with Node built-ins only: set-up runs it on whatever Node the machine brings.
import { findProgram } from './find-program.mjs'

const NAMES = ['firefox-esr', 'firefox']
const MAC_FIREFOX = '/Applications/Firefox.app/Contents/MacOS/firefox'

/**
 * The path of a Firefox: `FIREFOX_PATH`, else the first on the PATH.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export const findFirefox = (env = process.env) => findProgram(NAMES, env.FIREFOX_PATH, [MAC_FIREFOX], env)
