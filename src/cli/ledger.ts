/** `npm run ledger`: the check of an exported ledger by a third party, offline. */
import { runLedger } from './ledger/command.ts'
import { CONSOLE, explain } from './terminal.ts'

const args = process.argv.slice(2)
process.exitCode = await runLedger(args, CONSOLE).catch((error) => explain(error, args.includes('--json')))
