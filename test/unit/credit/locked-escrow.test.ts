import { afterEach, expect, test } from 'vitest'
import { HOUR, LedgerSwarm } from '../../fixtures/ledger-swarm.ts'

const STRICT = { seatPatienceMs: 60_000, orphanedAfterMs: 24 * HOUR }

let swarm: LedgerSwarm
afterEach(() => swarm.stop())

test('an escrow that nobody took and that is not refunded yet says until when it is locked', async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const payer = await swarm.add(1)
  const [payee] = [await swarm.add(2), await swarm.add(3), await swarm.add(4)]
  swarm.away.add(payee.peer)
  const { settled: rest } = await payer.ledger.balance()
  await expect(payer.escrow([[payee, rest]])).rejects.toMatchObject({
    code: 'NO_VOTES',
    details: { lockedUntil: swarm.now + HOUR },
    message: expect.stringContaining(`${rest} µcr stay locked`)
  })
  expect((await payer.ledger.balance()).escrowed).toBe(rest)
})

test('what the first attempt has locked is what the second one lacks: the error says so', {
  timeout: 6_000,
  retry: 0
}, async () => {
  swarm = await LedgerSwarm.create({ seats: true, rules: STRICT })
  const payer = await swarm.add(1)
  const others = [await swarm.add(2), await swarm.add(3), await swarm.add(4)] as const
  const [payee] = others
  await payer.escrow([[payee, 10n]])
  const { settled: rest } = await payer.ledger.balance()
  for (const { peer } of others) {
    swarm.skew.set(peer, 10 * 60_000)
  }
  const ordered = payer.escrow([[payee, rest]])
  await expect(ordered).rejects.toMatchObject({
    code: 'NO_VOTES',
    message: expect.stringContaining('stay locked')
  })
})
