import { NETWORKS, type NetworkParameters } from '../../src/wire/index.ts'

type Economic = Exclude<keyof NetworkParameters, 'name'>

interface Explained {
  readonly unit: string
  readonly reason: string
  /** Half and twice the default, or what comes nearest, for the sensitivity. */
  readonly tried: ReadonlyArray<Partial<NetworkParameters>>
}

const main = NETWORKS.main

/** Every parameter of a network: the defaults stand in `src/wire/network.ts`, the reasons here. */
export const PARAMETERS: Readonly<Record<Economic, Explained>> = {
  genesisGrant: {
    unit: 'µcr',
    reason: 'ten seconds of a 1 TFLOP/s device: enough for first jobs, nobody’s recognition',
    tried: [{ genesisGrant: main.genesisGrant / 2n }, { genesisGrant: main.genesisGrant * 2n }]
  },
  drainGraceHours: {
    unit: 'h',
    reason: 'whoever works once a day drains nothing',
    tried: [{ drainGraceHours: 12 }, { drainGraceHours: 48 }]
  },
  drainPpmPerHour: {
    unit: 'ppm/h',
    reason: 'idle credit halves in a week (168 h)',
    tried: [{ drainPpmPerHour: 2_061 }, { drainPpmPerHour: 8_217 }]
  },
  escrowMaxMs: { unit: 'ms', reason: 'a day: what a lost requester can lock', tried: [] },
  claimWindowMs: { unit: 'ms', reason: 'a week for a payee that was away', tried: [] },
  clockSkewMs: { unit: 'ms', reason: 'two minutes: clocks of phones and tabs', tried: [] },
  seatPatienceMs: {
    unit: 'ms',
    reason: 'a tab that reloads is back before its seat is given away',
    tried: []
  },
  orphanedAfterMs: {
    unit: 'ms',
    reason: 'witnesses have a day to come back before others stand in',
    tried: []
  },
  strangersPercent: {
    unit: '%',
    reason: 'the most that names which owe nobody anything can cost a provider',
    tried: [{ strangersPercent: 5 }, { strangersPercent: 20 }]
  },
  strangersMsPerHour: {
    unit: 'ms',
    reason: 'six strangers an hour share what one could take',
    tried: [{ strangersMsPerHour: 30_000 }, { strangersMsPerHour: 120_000 }]
  },
  edgePercent: {
    unit: '%',
    reason: 'with paymentPercent at most 100: work is given back once (`attacks`: given-back-twice)',
    tried: [
      { edgePercent: 25, paymentPercent: 75 },
      { edgePercent: 75, paymentPercent: 25 },
      { edgePercent: 100, paymentPercent: 100 }
    ]
  },
  paymentPercent: {
    unit: '%',
    reason: 'as edgePercent; even halves serve both ways of asking',
    tried: []
  },
  idleHalfLifeHours: {
    unit: 'h',
    reason: 'as the drain: a week of idling halves a place in the queue',
    tried: [{ idleHalfLifeHours: 84 }, { idleHalfLifeHours: 336 }]
  },
  probeIntervalHours: {
    unit: 'h',
    reason: 'a canary a day tells a pure provider whose votes count, for a twenty-thousandth of a grant',
    tried: [{ probeIntervalHours: 12 }, { probeIntervalHours: 48 }]
  },
  probeAmount: {
    unit: 'µcr',
    reason: 'the most that a canary may cost; those of the shelf cost 135 to 540',
    tried: []
  }
}

/** Markdown rows: parameter, unit, main, local where it differs, reason. */
export function parameterRows(): string[][] {
  return Object.entries(PARAMETERS).map(([key, { unit, reason }]) => {
    const name = key as Economic // a key of the record
    const [here, there] = [NETWORKS.main[name], NETWORKS.local[name]]
    return [`\`${name}\``, `${here}`, here === there ? '' : `${there}`, unit, reason]
  })
}
