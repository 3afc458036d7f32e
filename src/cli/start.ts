/** `npm start`: the command `start`, which only the repository has. */
import { startCommand } from './commands/start.ts'
import { run } from './main.ts'

process.exit(await run(['start', ...process.argv.slice(2)], [startCommand]))
