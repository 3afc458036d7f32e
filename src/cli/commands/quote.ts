import { Command } from 'commander'
import type { JobQuote } from '../../index.ts'
import { type NetworkOptions, withNetwork } from '../connect.ts'
import { readInput } from '../input.ts'
import { look } from '../look.ts'
import { type Terminal, terminal, wholeNumber } from '../terminal.ts'
import { knownSkill } from './skills.ts'

interface QuoteFlags extends NetworkOptions {
  readonly input: string
  readonly units?: number
}

export function quoteCommand(done: (status: number) => void): Command {
  const command = new Command('quote')
    .description('what a job would cost and take, here and away; nothing is paid')
    .argument('<skill>', 'its name')
    .requiredOption('--input <file>', 'as for submit')
    .option('--units <n>', 'into how many units to split', wholeNumber('units', 65_536, 1))
  return withNetwork(command).action(async (skill: string, flags: QuoteFlags) =>
    done(await quote(skill, flags, terminal(flags)))
  )
}

async function quote(name: string, flags: QuoteFlags, term: Terminal): Promise<number> {
  const input = await readInput(flags.input, knownSkill(name).example())
  return look(flags, term, name, async (swarm) => {
    const quoted = await swarm.quote(name, input, flags.units === undefined ? {} : { units: flags.units })
    await term.result(quoteText(quoted), quoted)
  })
}

function quoteText({ price, units, providers, etaMs, localEtaMs, fasterAtHome }: JobQuote): string {
  const seconds = (ms: number | undefined) =>
    ms === undefined ? 'not known' : `${(ms / 1_000).toFixed(2)} s`
  return [
    `price      ${price} µcr in ${units} units`,
    `providers  ${providers}`,
    `away       ${seconds(etaMs)}`,
    `here       ${seconds(localEtaMs)}${fasterAtHome ? ' (faster here)' : ''}`
  ].join('\n')
}
