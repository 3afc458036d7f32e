/** The program `swarmharness`. */
import { run } from './main.ts'

process.exit(await run(process.argv.slice(2))) // at once: native libraries may have threads of their own
