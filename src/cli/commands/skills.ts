import { Command } from 'commander'
import { SKILLS, type Skill, skillByName } from '../../skills/index.ts'
import { outputText } from '../output.ts'
import { STATUS, type Terminal, terminal } from '../terminal.ts'

/** @throws SkillError `UNKNOWN_SKILL` */
export const knownSkill = (name: string): Skill => skillByName(name)

export function skillsCommand(done: (status: number) => void): Command {
  return new Command('skills')
    .description('what the swarm can be hired for; of one skill also an example of its input')
    .argument('[skill]', 'only this one')
    .option('--json', 'the result as one line of JSON')
    .action(async (name: string | undefined, flags: { json?: boolean }) => {
      const term = terminal(flags)
      await (name === undefined ? list(term) : show(knownSkill(name), term))
      done(STATUS.done)
    })
}

async function list(term: Terminal): Promise<void> {
  const manifests = [...SKILLS.values()].map(({ manifest }) => manifest)
  const width = Math.max(...manifests.map(({ name }) => name.length))
  const lines = manifests.map(({ name, description }) => `${name.padEnd(width)}  ${description}`)
  await term.result(lines.join('\n'), { skills: manifests })
}

async function show({ manifest, example }: Skill, term: Terminal): Promise<void> {
  const input = outputText(example())
  const { name, version, description, check, timeout_secs: seconds } = manifest
  const text = [
    `${name} ${version}: ${description}`,
    `check: ${check}; a unit may take ${seconds} s`,
    'An input for --input (lists may also be {"file": "a.bin"} or {"base64": "…"}):',
    input
  ]
  await term.result(text.join('\n'), { ...manifest, example: JSON.parse(input) })
}
