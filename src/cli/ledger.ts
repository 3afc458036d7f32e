/** `npm run ledger`: the check of an exported ledger by a third party, offline. */
import { runLedger } from './ledger/command.ts'

process.exitCode = await runLedger(process.argv.slice(2), {
  out: (text) => console.log(text),
  error: (text) => console.error(text)
})
