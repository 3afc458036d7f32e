import { ledgerAttacks } from './attacks/ledger.ts'
import { moneyAttacks } from './attacks/money.ts'
import { nameAttacks } from './attacks/names.ts'
import { refusalAttacks } from './attacks/refusals.ts'
import { rewoundAttacks } from './attacks/rewound.ts'
import type { Outcome, ScenarioInit } from './attacks/scenario.ts'
import { seatedAttacks } from './attacks/seated.ts'
import { honestIncome } from './attacks/swarm.ts'
import { tabAttacks } from './attacks/tabs.ts'
import { type SeatRow, seatTable, voteAttacks } from './attacks/votes.ts'
import { workAttacks } from './attacks/work.ts'
import { type BenchOptions, type BenchResult, row } from './report.ts'
import { markdownTable, writeSection } from './sim/document.ts'
import { simOptions } from './sim/options.ts'

export const title =
  'What each attack gains against honest work, and what it displaces (simulation, production rules)'

const DISPLACED_MAX = 0.01

/** `--tabs`: those that are tried against tabs of the built page instead. */
export async function run(options: BenchOptions): Promise<BenchResult> {
  if (options.args.includes('--tabs')) {
    return resultOf(await tabAttacks(options.log))
  }
  const { seed, nodes, days, isStandard } = simOptions(options, 120, 0, 14)
  const init: ScenarioInit = { seed, nodes, days }
  const honest = honestIncome(init)
  options.log(
    `an honest node got ${(honest.got / honest.done).toFixed(2)} of what it worked; waits up to ${honest.longestWait} h`
  )
  const outcomes: Outcome[] = []
  for (const group of [
    nameAttacks,
    moneyAttacks,
    workAttacks,
    voteAttacks,
    seatedAttacks,
    rewoundAttacks,
    ledgerAttacks,
    refusalAttacks
  ]) {
    outcomes.push(...(await group(init, honest)))
    options.log(`${outcomes.length} attacks`)
  }
  if (isStandard) {
    document(outcomes, honest.got / honest.done, seatTable(init))
  }
  return resultOf(outcomes)
}

export function resultOf(outcomes: readonly Outcome[]): BenchResult {
  return {
    rows: outcomes.flatMap(({ name, gain, beyond, displaced, strangers }) => [
      row(`attacks.${name}.gain`, 'share', [gain]),
      ...(beyond === undefined ? [] : [row(`attacks.${name}.gain-beyond`, 'share', [beyond])]),
      row(`attacks.${name}.displaced`, 'share', [displaced]),
      row(`attacks.${name}.strangers`, 'share', [strangers])
    ]),
    ratios: [],
    failures: outcomes.flatMap(({ name, gain, displaced, bound = 1 }) => [
      ...(gain > bound ? [`${name} gains ${gain.toFixed(2)} of honest work; at most ${bound}`] : []),
      ...(displaced > DISPLACED_MAX ? [`${name} displaces ${(displaced * 100).toFixed(1)} %`] : [])
    ])
  }
}

function document(outcomes: readonly Outcome[], honest: number, seats: readonly SeatRow[]): void {
  const figure = (value: number) => (value === 0 ? '0' : value.toFixed(value < 0.1 ? 3 : 2))
  writeSection(
    'attacks',
    [
      markdownTable(
        ['attack', 'gain', 'beyond', 'displaced', 'strangers’ work', 'holds', 'how it ends'],
        outcomes.map(({ name, gain, beyond, displaced, strangers, hold, ends }) => [
          name,
          figure(gain),
          beyond === undefined ? '' : figure(beyond),
          `${(displaced * 100).toFixed(2)} %`,
          `${(strangers * 100).toFixed(2)} %`,
          hold,
          ends
        ])
      ),
      `An honest node with the same hardware got ${honest.toFixed(2)} of what it worked in the same time.`
    ],
    undefined,
    'THREAT_MODEL.md'
  )
  writeSection(
    'attacks-seats',
    [
      markdownTable(
        [
          'members',
          'quorum',
          'bad ones borne',
          ...(seats[0]?.lost ?? []).map(([share]) => `seats lost, ${(share * 100).toFixed(0)} % bought`)
        ],
        seats.map(({ size, quorum, bears, lost }) => [
          `${size}`,
          `${quorum}`,
          `${bears}`,
          ...lost.map(([, chance]) => `${(chance * 100).toFixed(1)} %`)
        ])
      )
    ],
    undefined,
    'THREAT_MODEL.md'
  )
}
