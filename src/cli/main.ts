/** The command line: `swarmharness <command>`. `npm start` is one command more of it. */
import { Command } from 'commander'
import { doctorCommand } from './commands/doctor.ts'
import { nodeCommand } from './commands/node.ts'
import { peersCommand } from './commands/peers.ts'
import { quoteCommand } from './commands/quote.ts'
import { relayCommand } from './commands/relay.ts'
import { skillsCommand } from './commands/skills.ts'
import { submitCommand } from './commands/submit.ts'
import { HELP as LEDGER_HELP } from './ledger/help.ts'
import { CONSOLE, explain, STATUS } from './terminal.ts'
import { VERSION } from './version.ts'

const EPILOGUE = `
Every command has a --help of its own. With --json the result is one line of JSON on standard output, an error one on standard error.
Status: 0 done, 1 it could not be done, 2 the command line or a file is wrong, 130 ended by Ctrl-C (0 where that is how it ends: relay, node).`

/** @param done takes the status that the command ends with */
export type NewCommand = (done: (status: number) => void) => Command

/**
 * Runs one command.
 *
 * @param args what stands behind the program's name
 * @param more commands besides those that everybody has
 * @returns the exit status
 */
export async function run(args: readonly string[], more: readonly NewCommand[] = []): Promise<number> {
  const json = args.includes('--json')
  let status: number = STATUS.done
  const done = (result: number) => {
    status = result
  }
  const program = new Command('swarmharness')
    .description('A compute swarm in which a browser tab is a full peer: hire it, or serve it.')
    .version(VERSION)
    .addHelpText('after', EPILOGUE)
  const ledger = new Command('ledger')
    .description('check and show an exported ledger, offline')
    .helpOption(false) // its own parser has one
    .configureHelp({ formatHelp: () => `${LEDGER_HELP}\n` })
    .allowUnknownOption()
    .argument('[args...]')
    .action(async (_args: string[], _flags: object, { args: rest }: Command) => {
      const { runLedger } = await import('./ledger/command.ts')
      done(await runLedger(rest, CONSOLE))
    })
  const commands = [
    ...more.map((create) => create(done)),
    relayCommand(done),
    nodeCommand(done),
    submitCommand(done),
    quoteCommand(done),
    skillsCommand(done),
    peersCommand(done),
    ledger,
    doctorCommand(done)
  ]
  for (const command of commands) {
    program.addCommand(command)
  }
  for (const command of [program, ...commands]) {
    command.exitOverride().showHelpAfterError('(try --help)')
    command.allowExcessArguments(command === ledger)
    if (json) {
      command.configureOutput({ writeErr: () => {} }) // `explain` says it in JSON
    }
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    return explain(error, json)
  }
}
