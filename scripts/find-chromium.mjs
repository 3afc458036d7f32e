// Plain JavaScript with Node built-ins only: set-up runs it on whatever Node the machine brings.
import { findProgram } from './find-program.mjs'

const NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser']
const MAC_CHROME = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/**
 * The path of a Chrome or Chromium: `CHROME_PATH`, else the first on the PATH.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export const findChromium = (env = process.env) => findProgram(NAMES, env.CHROME_PATH, [MAC_CHROME], env)
