/** How far the rules go against an attack. */
export type Hold = 'prevented' | 'no profit' | 'bounded' | 'detected'

/** What one attack came to. Shares are of an honest node's income with the same hardware over the same time. */
export interface Outcome {
  readonly name: string
  /** Work got on recognition, or payments, at most a third of the witnesses being bad; strangers' work apart. */
  readonly gain: number
  /** The same beyond that third, where it makes a difference. */
  readonly beyond?: number
  /** Share of recognised honest work that had to wait for the attacker's. */
  readonly displaced: number
  /** Of the compute time of all providers: what the attacker got as a stranger. The network gives at most its share. */
  readonly strangers: number
  readonly hold: Hold
  /** How it ends, in one sentence. */
  readonly ends: string
  /**
   * Gain above it fails. Above 1: known, and the sentence says which theorem forbids more; 0: whatever it gets was
   * somebody else's. @default 1
   */
  readonly bound?: number
}

export interface ScenarioInit {
  readonly seed: number
  readonly nodes: number
  readonly days: number
}

export type Scenario = (init: ScenarioInit) => Outcome | Promise<Outcome>

export const NOTHING = { displaced: 0, strangers: 0 } as const
